//! E-mail addresses, and the names that are written beside or inside them.

use std::ops::Range;

use super::normalize::fold;
use super::people_cues::is_surname;
use super::tables::{Certainty, first_name, is_not_name, is_stop_word};

const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;

/// Byte ranges of the addresses in `text`, from left to right, without overlap.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let floor = found.last().map_or(0, |last| last.end);
        if at >= floor
            && let Some(span) = span_around(text.as_bytes(), at, floor)
        {
            found.push(span);
        }
    }
    found
}

fn span_around(text: &[u8], at: usize, floor: usize) -> Option<Range<usize>> {
    let local = text[floor..at].iter().rev().take_while(|b| is_local(**b)).take(MAX_LOCAL + 1).count();
    let domain = text[at + 1..].iter().take_while(|b| is_domain(**b)).take(MAX_DOMAIN).count();
    let start = at - local + text[at - local..at].iter().take_while(|b| !b.is_ascii_alphanumeric()).count();
    let end = at + 1 + text[at + 1..at + 1 + domain].iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let valid = start < at && local <= MAX_LOCAL && text[at - 1] != b'.' && is_host(&text[at + 1..end]);
    valid.then_some(start..end)
}

fn is_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"._%+-'".contains(&b)
}

fn is_domain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b".-".contains(&b)
}

/// At least two labels, none empty, the last one of letters.
fn is_host(host: &[u8]) -> bool {
    let labels: Vec<&[u8]> = host.split(|b| *b == b'.').collect();
    let last_is_letters =
        labels.last().is_some_and(|l| l.len() >= 2 && l.iter().all(u8::is_ascii_alphabetic));
    labels.len() >= 2 && labels.iter().all(|l| !l.is_empty()) && last_is_letters
}

/// Mailboxes that no person or team reads. They say nothing about who was involved.
pub(super) fn is_machine(address: &str) -> bool {
    let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let plain: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    ["noreply", "donotreply", "mailerdaemon", "postmaster", "bounce", "bounces", "notifications"]
        .iter()
        .any(|machine| plain == *machine || plain.starts_with("noreply") || plain.starts_with("donotreply"))
}

/// `bob.smith@…` is Bob Smith: a plain `first.last` whose first part is a given name.
pub(super) fn name_in(address: &str) -> Option<String> {
    let local = address.split('@').next()?;
    let (first, last) = local.split_once(['.', '_'])?;
    let is_word = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    let (first, last) = (first.to_ascii_lowercase(), last.to_ascii_lowercase());
    let plain = is_word(&first) && is_word(&last) && first_name(&first).is_some();
    let surname = is_surname(&last) || !is_stop_word(&last) && !is_not_name(&last);
    (plain && surname).then(|| format!("{} {}", capital(&first), capital(&last)))
}

fn capital(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}

/// One mailbox of a `From`, `To` or `Cc` header: `Bob Smith <bob@acme.com>`, `bob@acme.com (Bob Smith)`,
/// `"Smith, Bob" <…>` or a bare name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mailbox<'t> {
    pub name: Option<String>,
    pub address: Option<&'t str>,
}

pub(super) fn mailboxes(header: &str) -> Vec<Mailbox<'_>> {
    split_list(header).into_iter().filter_map(mailbox).collect()
}

/// At commas and semicolons outside quotes.
fn split_list(header: &str) -> Vec<&str> {
    let mut quoted = false;
    header
        .split(|c| {
            quoted ^= c == '"';
            !quoted && matches!(c, ',' | ';')
        })
        .collect()
}

fn mailbox(entry: &str) -> Option<Mailbox<'_>> {
    let span = spans(entry).into_iter().next();
    let around = match &span {
        Some(s) => {
            [&entry[..s.start], &entry[s.end..]].into_iter().find(|part| part.contains(char::is_alphabetic))
        }
        None => Some(entry),
    };
    let address = span.map(|s| &entry[s]);
    let name = around.and_then(|raw| display_name(raw, address));
    (name.is_some() || address.is_some()).then_some(Mailbox { name, address })
}

/// A display name that reads as a person's: capitalised words without a role or an organisation among them,
/// and a given name or a part of the address that says so ("Deutsche Bahn <info@bahn.example>" is nobody).
pub(super) fn display_name(raw: &str, address: Option<&str>) -> Option<String> {
    let bare = raw.trim_matches(|c: char| c.is_whitespace() || "\"'<>()[],".contains(c));
    let turned = match bare.split_once(", ") {
        Some((last, first)) => format!("{first} {last}"),
        None => bare.to_owned(),
    };
    let words: Vec<&str> = turned.split_whitespace().collect();
    let folded: Vec<_> = words.iter().map(|word| fold(word)).collect();
    let given = folded.first().and_then(|first| first_name(first));
    let local = address.and_then(|a| a.split('@').next()).unwrap_or_default().to_ascii_lowercase();
    let in_address = folded.iter().any(|word| word.len() >= 3 && local.contains(&**word));
    let person = match given {
        Some(Certainty::Plain) => words.len() <= 4,
        Some(Certainty::Ambiguous) => address.is_some() && words.len() <= 4,
        None => in_address && (2..=4).contains(&words.len()),
    };
    let is_common =
        |word: &str| (is_stop_word(word) || is_not_name(word)) && !(given.is_some() && is_surname(word));
    let common = folded.iter().skip(usize::from(given.is_some())).any(|word| is_common(word));
    (person && !common && words.iter().all(is_name_word)).then(|| words.join(" "))
}

fn is_name_word(word: &&str) -> bool {
    word.starts_with(char::is_uppercase) && word.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        spans(text).into_iter().map(|s| &text[s]).collect()
    }

    #[test]
    fn addresses_end_where_they_end() {
        assert_eq!(found("mail bob.smith+x@mail.acme.co.uk."), ["bob.smith+x@mail.acme.co.uk"]);
        assert_eq!(found("a@b.de,c@d.fr"), ["a@b.de", "c@d.fr"]);
        assert_eq!(found("日本語bob@acme.com日本"), ["bob@acme.com"]);
        for none in ["@acme.com", "bob@", "bob@acme", "bob@.com", "a.@b.de", "x@1.2", "@@@@", "é@é.com"] {
            assert!(found(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn many_at_signs_cost_linear_time() {
        assert!(found(&"a@".repeat(50_000)).is_empty());
        assert!(found(&format!("{}@x.de", "a".repeat(100_000))).is_empty());
    }

    #[test]
    fn names_inside_addresses_need_a_given_name() {
        assert_eq!(name_in("bob.smith@acme.com").as_deref(), Some("Bob Smith"));
        for none in
            ["sales.emea@acme.com", "bsmith@acme.com", "bob.support@acme.com", "a.b.c@x.de", "will.call@x.de"]
        {
            assert_eq!(name_in(none), None, "{none}");
        }
    }

    #[test]
    fn header_entries() {
        let header =
            r#""Smith, Bob" <bob@acme.com>, ana@x.de (Ana García); Sales Team <sales@x.de>, Caroline"#;
        let names: Vec<_> = mailboxes(header).into_iter().map(|m| (m.name, m.address)).collect();
        let expected = [
            (Some("Bob Smith".to_owned()), Some("bob@acme.com")),
            (Some("Ana García".to_owned()), Some("ana@x.de")),
            (None, Some("sales@x.de")),
            (Some("Caroline".to_owned()), None),
        ];
        assert_eq!(names, expected);
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
}
