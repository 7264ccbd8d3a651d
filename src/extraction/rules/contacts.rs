//! E-mail addresses in a text, with the display name beside them ("Bob Smith <bob@acme.com>").

use std::ops::Range;

use super::Kind;
use super::address::{name_in, original};
use super::departments::is_machine;
use super::display_names::display_name;
use super::mention::Mentions;
use super::name_words::{is_particle, is_suffix};
use super::sentence::Doc;
use super::token::Shape;

const MAX_NAME: usize = 4;

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    for at in 0..doc.tokens.len() {
        let token = &doc.tokens[at];
        if token.shape != Shape::Address {
            continue;
        }
        let address = original(token.text);
        if is_machine(&address) {
            continue;
        }
        let inside = name_in(&address);
        if let Some((range, name)) = named_before(doc, at, &address) {
            let fuller = inside.filter(|full| full.starts_with(&format!("{name} ")));
            out.claim_addressed(range.start..at + 1, fuller.unwrap_or(name), 0.95, &address);
        } else if let Some(name) = inside {
            out.claim(Kind::Person, at..at + 1, name, 0.8);
        } else {
            out.claim(Kind::Person, at..at + 1, address.into_owned(), 0.7);
        }
    }
}

/// The display name before `<address>` or `(address)`.
fn named_before(doc: &Doc<'_>, at: usize, address: &str) -> Option<(Range<usize>, String)> {
    let bracket = at.checked_sub(1).filter(|_| doc.before(at).is_some_and(|t| t.is_one_of(&['<', '('])))?;
    let quote = usize::from(doc.before(bracket).is_some_and(|t| t.is('"')));
    let end = bracket - quote;
    let in_name = |i: &usize| {
        let token = &doc.tokens[*i];
        let word = matches!(token.shape, Shape::Capital | Shape::Initial) && !token.possessive;
        let particle = token.shape == Shape::Lower && is_particle(token.text);
        // "Bob Smith, Jr."
        let comma = token.is(',') && doc.tokens.get(*i + 1).is_some_and(|next| is_suffix(next.text, true));
        (word || particle || comma || token.is('.')) && (*i + 1 == end || doc.before(*i + 1).is_some())
    };
    let count = (end.saturating_sub(2 * MAX_NAME)..end).rev().take_while(in_name).count();
    (1..=count).rev().find_map(|len| {
        let range = end - len..end;
        display_name(&doc.value(&range), Some(address)).map(|name| (range, name))
    })
}
