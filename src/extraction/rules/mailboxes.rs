//! The mailboxes of an address header, and the people's names in them.

use std::borrow::Cow;

use super::address::{is_whole, original, spans};
use super::departments::is_machine;
use super::display_names::{begins_with_given_name, header_name, is_spelled_like_a_name};
use super::name_words::is_suffix;
use super::normalize::fold;
use super::tables::first_name;

/// One mailbox of a `From`, `To` or `Cc` header: `Bob Smith <bob@acme.com>`, `bob@acme.com (Bob Smith)`,
/// `"Smith, Bob" <…>`, `bob at acme.com (Bob Smith)` as archives of lists write it, or a bare name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mailbox<'t> {
    pub name: Option<String>,
    /// As its owner writes it. None where it is a machine's, a department's or a list's.
    pub address: Option<Cow<'t, str>>,
}

pub(super) fn mailboxes(header: &str) -> Vec<Mailbox<'_>> {
    let mut entries = split_list(header).into_iter().peekable();
    let mut found = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = without_group(entry);
        // "Smith, Bob <bob@acme.com>" and "Bob Smith, Jr. <…>" that nobody quoted.
        let whole = entries.peek().and_then(|next| joined(entry, next));
        if whole.is_some() {
            entries.next();
        }
        found.extend(match whole {
            Some(whole) => mailbox(&whole).map(Mailbox::into_owned),
            None => mailbox(entry),
        });
    }
    found
}

impl Mailbox<'_> {
    fn into_owned<'o>(self) -> Mailbox<'o> {
        Mailbox { name: self.name, address: self.address.map(|address| Cow::Owned(address.into_owned())) }
    }
}

/// At commas and semicolons outside quotes and comments.
fn split_list(header: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    header
        .split(|c| {
            let is_escaped = escaped;
            escaped = c == '\\' && !is_escaped;
            match c {
                _ if is_escaped => {}
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted => depth = depth.saturating_sub(1),
                ';' if !quoted => depth = 0,
                _ => {}
            }
            !quoted && (c == ';' || depth == 0 && c == ',')
        })
        .collect()
}

/// "Friends: ann@example.com": what a group is called is nobody.
fn without_group(entry: &str) -> &str {
    match entry.split_once(':') {
        Some((group, rest)) if !group.contains(['"', '<', '@', '(']) => rest,
        _ => entry,
    }
}

/// The two halves of a name and its address that a comma without quotes has parted.
fn joined(entry: &str, next: &str) -> Option<String> {
    let (name, _) = next.split_once('<')?;
    let is_name = !entry.trim().is_empty() && !entry.contains(['@', '<', '"', '(']);
    let first = fold(name.split_whitespace().next()?).into_owned();
    let is_one_word = name.split_whitespace().count() == 1;
    let is_given = first_name(&first).is_some() || is_one_word && is_spelled_like_a_name(name);
    let is_surname_first = is_given && !begins_with_given_name(entry) && is_spelled_like_a_name(entry);
    let is_suffix = is_suffix(&first, true) && is_one_word;
    (is_name && (is_suffix || is_surname_first)).then(|| format!("{},{next}", entry.trim()))
}

fn mailbox(entry: &str) -> Option<Mailbox<'_>> {
    let (around, address) = parted(entry);
    let nobodys = address.as_deref().is_some_and(is_machine);
    let (person, via) = sent_via(around.unwrap_or_default());
    let own = address.filter(|_| !nobodys && !via);
    // The address says nothing about the name where it is another's.
    let name = header_name(person, own.as_deref()).filter(|name| !nobodys && !via || name.contains(' '));
    let own = own.filter(|_| name.is_some() || !nobodys);
    (name.is_some() || own.is_some()).then_some(Mailbox { name, address: own })
}

/// What stands beside the address, and the address.
fn parted(entry: &str) -> (Option<&str>, Option<Cow<'_, str>>) {
    let angle = entry.rfind('<').filter(|at| entry[*at..].contains('@'));
    let from = angle.unwrap_or(0);
    let Some(span) = spans(&entry[from..]).into_iter().next() else { return obfuscated(entry) };
    let (start, end) = (from + span.start, from + span.end);
    let sides = [&entry[..start], &entry[end..]];
    let around = sides.into_iter().find(|part| part.contains(char::is_alphabetic));
    (around, Some(original(&entry[start..end])))
}

/// "ann at example.com (Ann Lee)".
fn obfuscated(entry: &str) -> (Option<&str>, Option<Cow<'_, str>>) {
    let found = entry.split_once(" at ").and_then(|(local, rest)| {
        let host = rest.split([' ', '(', '>']).next()?;
        let local = local.trim_start_matches([' ', '<', '\t']);
        let address = format!("{local}@{host}");
        is_whole(&address).then(|| (&rest[host.len()..], address))
    });
    match found {
        Some((name, address)) => (Some(name), Some(Cow::Owned(original(&address).into_owned()))),
        None => (Some(entry), None),
    }
}

/// "Ann Lee via Climbers": the address is the list's or the service's.
fn sent_via(name: &str) -> (&str, bool) {
    let at = [" via ", "' via ", " (via "].iter().filter_map(|via| name.find(via)).min();
    at.map_or((name, false), |at| (&name[..at], true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(header: &str) -> Vec<(Option<String>, Option<String>)> {
        mailboxes(header).into_iter().map(|m| (m.name, m.address.map(Cow::into_owned))).collect()
    }

    fn person(name: &str, address: &str) -> (Option<String>, Option<String>) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (given(name), given(address))
    }

    #[test]
    fn header_entries() {
        let header =
            r#""Smith, Bob" <bob@acme.com>, ana@x.de (Ana García); Sales Team <sales@x.de>, Caroline"#;
        let expected =
            [person("Bob Smith", "bob@acme.com"), person("Ana García", "ana@x.de"), person("Caroline", "")];
        assert_eq!(found(header), expected);
    }

    #[test]
    fn a_person_in_every_spelling_of_a_header() {
        for (header, name, address) in [
            (r#""Bob Smith, Jr." <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
            ("Bob Smith, Jr. <bob@acme.com>", "Bob Smith", "bob@acme.com"),
            ("Bob Smith Jr <bob@acme.com>", "Bob Smith", "bob@acme.com"),
            (r#""Smith Jr., Bob" <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
            (r#""Smith, Bob, III" <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
            (r#""Sarah Chen, PhD" <schen@x.edu>"#, "Sarah Chen", "schen@x.edu"),
            (r#""Chen, Sarah, Ph.D." <schen@x.edu>"#, "Sarah Chen", "schen@x.edu"),
            (r#""Sarah Chen, MD, FACS" <schen@x.edu>"#, "Sarah Chen", "schen@x.edu"),
            (r#""Oyelaran Adeyemi, RN" <adeyemi@x.edu>"#, "Oyelaran Adeyemi", "adeyemi@x.edu"),
            (r#""Dr. Sarah Chen" <schen@x.edu>"#, "Sarah Chen", "schen@x.edu"),
            (r#""Prof. Dr. Anna Weber" <aw@x.de>"#, "Anna Weber", "aw@x.de"),
            (r#""Bob Smith, Acme Corp" <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
            ("Bob Smith (Acme) <bob@acme.com>", "Bob Smith", "bob@acme.com"),
            (r#""Smith, Bob (he/him)" <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
            ("Bob Smith | Acme <bob@acme.com>", "Bob Smith", "bob@acme.com"),
            (r#""Jack Ma" <jack@x.cn>"#, "Jack Ma", "jack@x.cn"),
            (r#""van der Berg, Jan" <jan@berg.nl>"#, "Jan van der Berg", "jan@berg.nl"),
            ("van der Berg, Jan <jan@berg.nl>", "Jan van der Berg", "jan@berg.nl"),
            ("Jan van der Berg <jan@berg.nl>", "Jan van der Berg", "jan@berg.nl"),
            (r#""de la Cruz, Ana María" <ana@x.mx>"#, "Ana María de la Cruz", "ana@x.mx"),
            ("Maria de la Cruz Santos Lopez <maria@x.mx>", "Maria de la Cruz Santos Lopez", "maria@x.mx"),
            ("ann at example.com (Ann Lee)", "Ann Lee", "ann@example.com"),
            ("ann.lee at mail.example.com", "", "ann.lee@mail.example.com"),
            ("Friends: Ann Lee <ann@x.org>;", "Ann Lee", "ann@x.org"),
            ("Ann Lee via Climbers <climbers@lists.example.org>", "Ann Lee", ""),
            (r#""'Ann Lee' via Climbers" <climbers@googlegroups.com>"#, "Ann Lee", ""),
            (r#""Ann Lee (via Google Docs)" <drive-shares-noreply@google.com>"#, "Ann Lee", ""),
            ("Ann Lee <notifications@github.com>", "Ann Lee", ""),
            ("Anna Kovacs <sales@acme.com>", "Anna Kovacs", ""),
            ("SRS0=xYz1=AB=orig.example=ann.lee@fwd.example", "", "ann.lee@orig.example"),
            ("Ann Lee <SRS0+xYz1=AB=orig.example=ann.lee@fwd.example>", "Ann Lee", "ann.lee@orig.example"),
            ("SRS1=aBc=fwd.example==xYz1=AB=orig.example=ann@other.example", "", "ann@orig.example"),
            ("prvs=0123456789=ann@x.org", "", "ann@x.org"),
            ("jörg.müller@x.de", "", "jörg.müller@x.de"),
            ("иван@x.ru", "", "иван@x.ru"),
            (r#""bob@acme.com" <bob@acme.com>"#, "", "bob@acme.com"),
            (r#""Bob \"Bobby\" Smith" <bob@acme.com>"#, "Bob Smith", "bob@acme.com"),
        ] {
            assert_eq!(found(header), [person(name, address)], "{header}");
        }
    }

    #[test]
    fn machines_departments_groups_and_companies_are_nobody() {
        for header in [
            "Acme Notifications <notifications@acme.com>",
            "Acme Orders <orders@acme.com>",
            r#""Acme, Inc." <info@acme.com>"#,
            r#""Office, Harbour" <office@harbour.example>"#,
            "Billing <billing@acme.com>",
            "no-reply@acme.com",
            "undisclosed-recipients:;",
            "Climbers:;",
            "Acme via LinkedIn <messages-noreply@linkedin.com>",
            "dev at lists.example.org",
            "Mail Delivery System <MAILER-DAEMON@mx.example>",
        ] {
            assert_eq!(found(header), [], "{header}");
        }
    }

    #[test]
    fn display_names_of_organisations_are_nobodys() {
        let name = |header| mailboxes(header).into_iter().next().and_then(|mailbox| mailbox.name);
        assert_eq!(name("Zoltán Vargha <z.vargha@acme.com>").as_deref(), Some("Zoltán Vargha"));
        assert_eq!(name("Oyelaran Adeyemi <adeyemi@acme.com>").as_deref(), Some("Oyelaran Adeyemi"));
        for none in
            ["Deutsche Bahn <info@bahn.de>", "Acme Support <bob@acme.com>", "New York", "Victoria", "Monday"]
        {
            assert_eq!(name(none), None, "{none}");
        }
    }

    #[test]
    fn many_entries_cost_linear_time() {
        for piece in ["a,", "Smith, Bob <b@x.de>, ", "(", "\"", "a at ", "SRS0=", "x:", "Jr., ", "<", " via "]
        {
            mailboxes(&piece.repeat(100_000 / piece.len()));
        }
    }
}
