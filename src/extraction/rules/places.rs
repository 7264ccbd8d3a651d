//! Places: known cities and countries after a preposition, "City, ST", and streets.

use std::ops::Range;

use super::Kind;
use super::mention::Mentions;
use super::sentence::{Doc, Style};
use super::tables::{Certainty, country, first_name, is_stop_word, place};
use super::token::{Gap, Shape, Token, folded};

#[rustfmt::skip]
const PREPOSITIONS: &[&str] = &[
    "in", "at", "from", "to", "near", "via", "around", "across", "outside", "inside", "through", "toward",
    "towards", "throughout", "within", "visit", "visited", "visiting", "leaving", "left", "reached",
];
/// Those after which a name of a person hardly stands.
const CERTAIN_PREPOSITIONS: &[&str] = &["in", "near", "via", "throughout", "outside", "within"];
const STREETS: &[&str] = &["street", "avenue", "ave", "boulevard", "blvd", "road", "lane", "square"];
const STREET_PREPOSITIONS: &[&str] = &["on", "at", "in", "near", "from", "to", "off", "along", "down", "of"];
const STATES: &[&str] = &[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS", "KY",
    "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC", "ND",
    "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC",
];
/// Codes that are also words or abbreviations.
const WORDLIKE_STATES: &[&str] =
    &["HI", "IN", "ME", "OH", "OK", "OR", "PA", "MA", "LA", "ID", "AL", "DE", "CO", "MS", "MD"];
const MAX_WORDS: usize = 4;

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    for at in 0..doc.tokens.len() {
        let named = matches!(doc.tokens[at].shape, Shape::Capital | Shape::Upper | Shape::Number);
        if !named || !out.is_free(at) || doc.style(at) == Style::AllCaps {
            continue;
        }
        let found = street(doc, out, at).map(|r| (r, 0.9));
        let found = found.or_else(|| city_and_state(doc, out, at).map(|r| (r, 0.9)));
        if let Some((range, confidence)) = found.or_else(|| known(doc, out, at)) {
            let value = doc.value(&range);
            out.claim(Kind::Location, range, value, confidence);
        }
    }
}

/// "221B Baker Street", "on Market Street".
fn street(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let numbered =
        doc.tokens[at].text.starts_with(|c: char| c.is_ascii_digit()) && doc.tokens[at].text.len() <= 5;
    let name = at + usize::from(numbered);
    let is_word = |i: &usize| out.is_free(*i) && (*i == at || doc.follows_word(*i)) && is_capital(doc, *i);
    let end = name + (name..name + MAX_WORDS).take_while(is_word).count();
    let words = doc.tokens.get(name..end)?;
    let kind_at = words.iter().position(|t| STREETS.contains(&&*t.folded)).filter(|i| *i > 0)?;
    let cued = numbered || before_is(doc, at, STREET_PREPOSITIONS);
    (cued && !is_stop_word(&words[0].folded)).then_some(at..name + kind_at + 1)
}

/// "Springfield, IL".
fn city_and_state(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let is_word = |i: &usize| out.is_free(*i) && (*i == at || doc.follows_word(*i)) && is_capital(doc, *i);
    let end = at + (at..at + 3).take_while(is_word).count();
    let state = doc.tokens.get(end + 1).filter(|_| end > at && doc.tokens[end].is(','))?;
    let code = state.text;
    if state.sentence != doc.tokens[at].sentence || !STATES.contains(&code) {
        return None;
    }
    let is_known = place(&folded(&doc.tokens[at..end])).is_some();
    let cued = before_is(doc, at, PREPOSITIONS)
        && !WORDLIKE_STATES.contains(&code)
        && first_name(&doc.tokens[at].folded) != Some(Certainty::Plain);
    let stop = doc.tokens[at..end].iter().any(|t| is_stop_word(&t.folded));
    ((is_known || cued) && !stop).then_some(at..end + 2)
}

/// A place of the tables that stands for itself, not as part of a longer name.
fn known(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<(Range<usize>, f64)> {
    let (end, certainty, is_country) = (1..=MAX_WORDS).rev().find_map(|len| {
        let tokens = doc.tokens.get(at..at + len)?;
        let spaced = (at + 1..at + len).all(|i| doc.follows_word(i) && out.is_free(i));
        let name = spaced.then(|| folded(tokens))?;
        place(&name).map(|certainty| (at + len, certainty, country(&name).is_some()))
    })?;
    if !stands_alone(doc, at, end) {
        return None;
    }
    let listed = follows_place(doc, out, at);
    let cued = match certainty {
        Certainty::Plain => listed || before_is(doc, at, PREPOSITIONS) || followed_by_country(doc, end),
        Certainty::Ambiguous => before_is(doc, at, CERTAIN_PREPOSITIONS) || followed_by_country(doc, end),
    };
    let confidence = match (cued, is_country) {
        (true, _) => 0.9,
        (false, true) => 0.8,
        (false, false) => 0.7,
    };
    (cued || certainty == Certainty::Plain).then_some((at..end, confidence))
}

/// "London Bridge", "Deutsche Bank Berlin" and "Europe/Berlin" are not about the place alone.
pub(super) fn stands_alone(doc: &Doc<'_>, start: usize, end: usize) -> bool {
    let names = |t: &Token<'_>| {
        let capital = matches!(t.shape, Shape::Capital | Shape::Upper | Shape::Mixed | Shape::Initial);
        capital && !is_stop_word(&t.folded)
    };
    let before = doc.follows_word(start) && doc.before(start).is_some_and(names);
    let after = doc.follows_word(end) && doc.after(end - 1).is_some_and(names);
    let in_path = doc.tokens[start].gap == Gap::None
        && doc.before(start).is_some_and(|t| t.is_one_of(&['/', '-', '_', '#', '@', '.', '\\']));
    !before && !after && !in_path && !starts_path(doc, end)
}

/// "Germany/Berlin", "Sweden.txt".
fn starts_path(doc: &Doc<'_>, end: usize) -> bool {
    let mark = doc.tokens.get(end).is_some_and(|t| t.gap == Gap::None && t.is_one_of(&['/', '_', '.', '\\']));
    mark && doc.tokens.get(end + 1).is_some_and(|t| t.gap == Gap::None && t.shape != Shape::Mark)
}

/// In a list or an address after another place: "Paris, London and Rome", "Lyon, France".
fn follows_place(doc: &Doc<'_>, out: &Mentions, at: usize) -> bool {
    let steps = match doc.before(at) {
        Some(t) if t.is(',') => 2,
        Some(t) if t.folded == "and" && doc.before(at - 1).is_some_and(|t| t.is(',')) => 3,
        Some(t) if matches!(&*t.folded, "and" | "or" | "&") => 2,
        _ => return false,
    };
    let earlier = at.checked_sub(steps).and_then(|i| out.at(i).zip(doc.tokens.get(i)));
    earlier.is_some_and(|(m, t)| m.kind == Kind::Location && t.sentence == doc.tokens[at].sentence)
}

fn followed_by_country(doc: &Doc<'_>, end: usize) -> bool {
    let (comma, name) = (doc.tokens.get(end), doc.tokens.get(end + 1));
    comma.is_some_and(|t| t.is(','))
        && name.is_some_and(|t| t.shape != Shape::Lower && country(&t.folded) == Some(Certainty::Plain))
}

fn is_capital(doc: &Doc<'_>, at: usize) -> bool {
    doc.tokens.get(at).is_some_and(|t| t.shape == Shape::Capital)
}

fn before_is(doc: &Doc<'_>, at: usize, words: &[&str]) -> bool {
    let the = doc.before(at).is_some_and(|t| t.folded == "the");
    doc.before(at - usize::from(the)).is_some_and(|t| t.shape != Shape::Mark && words.contains(&&*t.folded))
}
