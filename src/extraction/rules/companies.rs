//! Companies: a capitalised name with a legal suffix ("Nordwind GmbH") or a word for a business ("Pinecrest Consulting"),
//! or one that a cue names as an employer ("works at Google", "CEO of Acme").

use std::ops::Range;

use super::Kind;
use super::mention::Mentions;
use super::sentence::{Doc, Style};
use super::tables::{first_name, is_not_name, is_stop_word, place};
use super::token::{Gap, Shape, Token, folded};

#[rustfmt::skip]
const LONG_SUFFIXES: &[&str] = &[
    "inc", "incorporated", "ltd", "limited", "llc", "l.l.c.", "l.l.c", "llp", "plc", "corp", "corporation", "gmbh",
    "mbh", "ggmbh", "kgaa", "ohg", "s.a.", "s.a", "s.p.a.", "s.p.a", "spa", "s.r.l.", "s.r.l", "srl",
    "s.l.", "s.l", "s.a.s.", "s.a.s", "sarl", "b.v.", "b.v", "n.v.", "n.v", "oy", "oyj", "aps", "a/s", "asa", "s.r.o.", "s.r.o",
    "a.s.", "a.s", "d.o.o.", "d.o.o", "kft", "pty", "pvt", "co",
];
/// Two capitals that are also words, states or products ("PROCEED AS", "Reno NV", "Watch SE").
const SHORT_SUFFIXES: &[&str] = &["ag", "ab", "se", "sa", "nv", "bv", "kg", "as"];
#[rustfmt::skip]
const EMPLOYED: &[&str] = &[
    "works at", "works for", "work at", "working at", "worked at", "worked for", "job at", "employed by",
    "employed at", "intern at", "engineer at", "designer at", "developer at", "manager at", "director at",
    "consultant at", "analyst at", "lawyer at", "scientist at", "president at", "ceo of", "ceo at",
    "cto of", "cto at", "cfo of", "cfo at", "coo of", "coo at", "founder of", "co-founder of",
    "cofounder of",
];
/// Words for a business that end its name.
#[rustfmt::skip]
const BUSINESSES: &[&str] = &[
    "logistics", "capital", "holdings", "ventures", "consulting", "analytics", "electronics", "pharmaceuticals",
    "pharma", "therapeutics", "airlines", "airways", "motors", "insurance", "technologies", "robotics", "studios",
    "advisors", "industries", "partners",
];
/// Organisations that are no companies.
#[rustfmt::skip]
const PUBLIC: &[&str] = &[
    "university", "college", "school", "institute", "hospital", "clinic", "church", "museum", "ministry",
    "department", "council", "foundation", "association", "society", "faculty", "academy", "union",
    "committee", "board",
];
const MAX_WORDS: usize = 5;

pub(super) fn is_legal_suffix(folded: &str) -> bool {
    LONG_SUFFIXES.contains(&folded) || SHORT_SUFFIXES.contains(&folded)
}

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    find_by(doc, out, with_suffix, 0.95);
    find_by(doc, out, employer, 0.8);
    find_by(doc, out, described, 0.8);
}

type Rule = fn(&Doc<'_>, &Mentions, usize) -> Option<Range<usize>>;

fn find_by(doc: &Doc<'_>, out: &mut Mentions, rule: Rule, confidence: f64) {
    for at in 0..doc.tokens.len() {
        if !out.is_free(at) || doc.style(at) == Style::AllCaps {
            continue;
        }
        if let Some(range) = rule(doc, out, at) {
            let value = doc.value(&range);
            out.claim(Kind::Company, range, value, confidence);
        }
    }
}

/// The company whose first legal suffix stands at `at`.
fn with_suffix(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    if !is_suffix_token(&doc.tokens[at]) {
        return None;
    }
    let name_end = name_end(doc, at)?;
    let start = name_start(doc, out, name_end);
    let range = start..suffix_end(doc, at);
    let name = doc.tokens.get(start..name_end)?;
    let shouted = doc.tokens[at].text.len() == 2
        && doc.after(at).is_some_and(|t| t.shape == Shape::Upper && !is_suffix_token(t));
    let whole = !is_cut_by_line(doc, &range);
    (!name.is_empty() && whole && !shouted && is_plausible(name, &doc.tokens[at])).then_some(range)
}

/// "Sun⏎Microsystems, Inc. and others": the name began on the line before. A line of its own, as in a
/// signature, is whole.
fn is_cut_by_line(doc: &Doc<'_>, range: &Range<usize>) -> bool {
    let before =
        range.start.checked_sub(1).and_then(|i| doc.tokens.get(i)).filter(|_| doc.starts_line(range.start));
    let open = before.is_some_and(|t| is_name_word(t) || matches!(&*t.folded, "and" | "of" | "&"));
    let alone = (range.end..range.end + 2).any(|i| i >= doc.tokens.len() || doc.starts_line(i));
    open && !alone && doc.tokens[range.start].gap == Gap::Line
}

fn is_suffix_token(token: &Token<'_>) -> bool {
    let folded = &*token.folded;
    let written = match token.shape {
        Shape::Upper if SHORT_SUFFIXES.contains(&folded) => true,
        Shape::Capital => true,
        Shape::Upper | Shape::Mixed => folded != "co" && folded != "spa",
        Shape::Lower => matches!(token.text, "plc" | "mbh" | "s.r.o." | "a.s." | "d.o.o."),
        _ => false,
    };
    written
        && (LONG_SUFFIXES.contains(&folded)
            || token.shape == Shape::Upper && SHORT_SUFFIXES.contains(&folded))
}

/// Where the name before the suffix ends: directly before it, before a comma ("Acme, Inc.") or before "& Co".
fn name_end(doc: &Doc<'_>, at: usize) -> Option<usize> {
    let before = doc.before(at)?;
    if doc.follows_word(at) {
        return Some(at);
    }
    let comma =
        before.is(',') && matches!(&*doc.tokens[at].folded, "inc" | "ltd" | "llc" | "llp" | "corp" | "plc");
    let ampersand = before.is('&') && matches!(&*doc.tokens[at].folded, "co");
    (comma || ampersand).then(|| at - 1).filter(|end| *end > 0)
}

/// Goes back over the capitalised words before `end`, and forward again over those that only begin a sentence.
fn name_start(doc: &Doc<'_>, out: &Mentions, end: usize) -> usize {
    let mut start = end;
    while start > 0 && end - start < MAX_WORDS && out.is_free(start - 1) {
        let token = &doc.tokens[start - 1];
        let joined = start == end || is_joined(doc, start);
        let inner = start < end && is_connector(doc, start - 1);
        if !joined || token.possessive || !(is_name_word(token) || inner) {
            break;
        }
        start -= 1;
    }
    let heading = doc.style(end - 1) == Style::TitleCase && doc.starts_sentence(start);
    let skip = |t: &Token<'_>| {
        let is_year = t.shape == Shape::Number && t.text.len() == 4;
        !is_name_word(t) || is_stop_word(&t.folded) || is_year || heading && is_not_name(&t.folded)
    };
    start + doc.tokens[start..end].iter().take_while(|t| skip(t)).count()
}

fn is_joined(doc: &Doc<'_>, at: usize) -> bool {
    doc.follows_word(at) || doc.before(at).is_some_and(|t| t.is('&') || t.is('-')) || doc.tokens[at].is('&')
}

/// `&`, `of` ("Bank of …", not "Daniel Okafor of …"), and `and` before words that only companies end in
/// ("Smith and Sons").
fn is_connector(doc: &Doc<'_>, at: usize) -> bool {
    let (token, next) = (&doc.tokens[at], doc.after(at));
    match &*token.folded {
        "&" => true,
        "of" => doc.before(at).is_some_and(|t| is_not_name(&t.folded)),
        "and" => next.is_some_and(|n| {
            matches!(&*n.folded, "sons" | "company" | "partners" | "associates" | "daughters")
        }),
        _ => false,
    }
}

fn is_name_word(token: &Token<'_>) -> bool {
    let digits_and_letters = token.shape == Shape::Number && token.text.len() <= 4;
    matches!(token.shape, Shape::Capital | Shape::Upper | Shape::Mixed | Shape::Initial) || digits_and_letters
}

fn is_plausible(name: &[Token<'_>], suffix: &Token<'_>) -> bool {
    let last = &name[name.len() - 1];
    let has_word =
        name.iter().any(|t| t.shape != Shape::Number && t.text.len() >= 2 && !is_stop_word(&t.folded));
    let short = SHORT_SUFFIXES.contains(&&*suffix.folded) && suffix.shape == Shape::Upper;
    let product =
        matches!(&*last.folded, "watch" | "phone" | "type" | "vitamin" | "group" | "galaxy" | "class");
    let is_place = place(&folded(name)).is_some();
    let connects = matches!(&*last.folded, "&" | "of" | "de" | "and");
    has_word
        && !connects
        && !(short && (product || is_place))
        && !(name.len() == 1 && is_legal_suffix(&last.folded))
}

/// Further suffixes: "GmbH & Co. KG", "Pty Ltd", "Co., Ltd.".
fn suffix_end(doc: &Doc<'_>, first: usize) -> usize {
    let mut end = first + 1;
    let mut at = end;
    while let Some(token) = doc.after(at - 1).filter(|_| at < first + 6) {
        if token.shape != Shape::Mark && is_suffix_token(token) {
            end = at + 1;
        } else if !token.is_one_of(&['.', ',', '&']) {
            break;
        }
        at += 1;
    }
    end
}

/// The company whose word for a business stands at `at`, after a name that is no everyday word ("Human Capital").
fn described(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let token = &doc.tokens[at];
    let is_last = !doc.after(at).is_some_and(is_name_word) || !doc.follows_word(at + 1);
    if token.shape != Shape::Capital
        || doc.style(at) != Style::Prose
        || !BUSINESSES.contains(&&*token.folded)
        || !is_last
    {
        return None;
    }
    let start = name_start(doc, out, at + 1);
    let name = doc.tokens.get(start..at).filter(|name| !name.is_empty())?;
    let own = name
        .iter()
        .all(|t| t.is('&') || is_name_word(t) && !is_stop_word(&t.folded) && !is_not_name(&t.folded));
    let is_place = place(&folded(name)).is_some();
    (own && !is_place).then_some(start..at + 1)
}

/// A capitalised name right after "works at", "CEO of" and their like.
fn employer(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    if !is_name_word(&doc.tokens[at]) {
        return None;
    }
    let cued = EMPLOYED.iter().any(|cue| doc.words_before(at, cue));
    let style = doc.style(at);
    if !cued || style == Style::TitleCase {
        return None;
    }
    let named = |at: &usize| {
        let joined = doc.follows_word(*at);
        let token = doc.tokens.get(*at).filter(|_| joined && out.is_free(*at));
        token.is_some_and(|t| is_name_word(t) && t.shape != Shape::Number && !is_stop_word(&t.folded))
    };
    let end = at + (at..at + 4).take_while(named).count();
    let name = doc.tokens.get(at..end).filter(|name| (1..=3).contains(&name.len()))?;
    let public = name.iter().any(|t| PUBLIC.contains(&&*t.folded));
    let person = first_name(&name[0].folded).is_some();
    let is_place = place(&folded(name)).is_some();
    let adjective =
        doc.after(end - 1).is_some_and(|t| t.shape == Shape::Lower && !is_stop_word(&t.folded) || t.is('-'));
    let owner = name[name.len() - 1].possessive;
    let single_noun = name.len() == 1 && name[0].shape == Shape::Initial;
    (!public && !person && !is_place && !adjective && !owner && !single_noun).then_some(at..end)
}
