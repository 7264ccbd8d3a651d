//! E-mail addresses in a text, and the names inside them.

use std::borrow::Cow;
use std::ops::Range;

use super::people_cues::is_surname;
use super::tables::{first_name, is_not_name, is_stop_word};

const MAX_LOCAL: usize = 64;
const MAX_DOMAIN: usize = 255;
/// Forwarders and bounce handlers write the sender's address into a local part of their own, which is longer.
const MAX_REWRITTEN: usize = 255;
const REWRITERS: &[&str] = &["srs0=", "srs0+", "srs0-", "srs1=", "srs1+", "srs1-", "prvs=", "btv1="];

/// Byte ranges of the addresses in `text`, from left to right, without overlap.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('@') {
        let floor = found.last().map_or(0, |last| last.end);
        if at >= floor
            && let Some(span) = span_around(text, at, floor)
        {
            found.push(span);
        }
    }
    found
}

fn span_around(text: &str, at: usize, floor: usize) -> Option<Range<usize>> {
    let start = rewritten_start(text, at, floor).or_else(|| local_start(text, at, floor))?;
    let bytes = text.as_bytes();
    let domain = bytes[at + 1..].iter().take_while(|b| is_domain(**b)).take(MAX_DOMAIN).count();
    let end = at + 1 + bytes[at + 1..at + 1 + domain].iter().rposition(u8::is_ascii_alphanumeric)? + 1;
    let valid = start < at && bytes[at - 1] != b'.' && is_host(&bytes[at + 1..end]);
    valid.then_some(start..end)
}

/// Where the local part begins: with a letter or a digit, of any script that writes spaces between words.
fn local_start(text: &str, at: usize, floor: usize) -> Option<usize> {
    let mut first = at;
    for (i, c) in text[floor..at].char_indices().rev().take_while(|(_, c)| is_local(*c)) {
        let start = floor + i;
        if at - start > MAX_LOCAL {
            return None;
        }
        first = if c.is_alphanumeric() { start } else { first };
    }
    (first < at).then_some(first)
}

/// `SRS0=hash=day=example.com=ann`, before the `@` of a forwarder.
fn rewritten_start(text: &str, at: usize, floor: usize) -> Option<usize> {
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || b"._%+-'=/".contains(*b);
    let local = text.as_bytes()[floor..at].iter().rev().take(MAX_REWRITTEN).take_while(is_part).count();
    let start = at - local;
    REWRITERS.iter().any(|prefix| has_prefix(&text[start..at], prefix)).then_some(start)
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether all of `text` is one address.
pub(super) fn is_whole(text: &str) -> bool {
    matches!(spans(text).as_slice(), [span] if span.start == 0 && span.end == text.len())
}

/// The address as its owner writes it: what a forwarder (SRS) or a bounce handler (BATV) made of it is undone.
pub(super) fn original(address: &str) -> Cow<'_, str> {
    let Some((local, _)) = address.rsplit_once('@') else { return Cow::Borrowed(address) };
    let restored = || {
        let mut parts = local.split('=');
        let scheme = parts.next()?.to_ascii_lowercase();
        let rest: Vec<&str> = parts.collect();
        match (scheme.as_str(), rest.as_slice()) {
            // SRS0=hash=day=domain=local, also with + or - behind the name; SRS1 has the first forwarder before.
            (srs, [.., domain, user]) if srs.starts_with("srs") && domain.contains('.') => {
                Some(format!("{user}@{domain}"))
            }
            ("prvs", [first, second]) => {
                let user = if is_tag(first) { second } else { first };
                Some(format!("{user}@{}", &address[local.len() + 1..]))
            }
            ("btv1", [.., user]) if !user.is_empty() => {
                Some(format!("{user}@{}", &address[local.len() + 1..]))
            }
            _ => None,
        }
    };
    restored().filter(|found| is_whole(found)).map_or(Cow::Borrowed(address), Cow::Owned)
}

/// Of BATV: a digit of the key, three of the day, six of the hash.
fn is_tag(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_local(c: char) -> bool {
    match c {
        '.' | '_' | '%' | '+' | '-' | '\'' => true,
        '\u{300}'..='\u{36f}' => true,
        _ => c.is_alphanumeric() && !is_unspaced(c),
    }
}

/// Letters of scripts that put no spaces between words: an address may stand right behind them.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}')
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
        assert_eq!(found("an jörg@acme.com, иван@acme.ru"), ["jörg@acme.com", "иван@acme.ru"]);
        assert_eq!(found("mail=bob@acme.com"), ["bob@acme.com"]);
        assert_eq!(found("<SRS0=a=b=x.de=bob@fwd.de>"), ["SRS0=a=b=x.de=bob@fwd.de"]);
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
}
