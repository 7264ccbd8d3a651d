//! Companies and tools that are known by name, where the name stands for itself.

use std::ops::Range;

use super::Kind;
use super::mention::Mentions;
use super::places::stands_alone;
use super::sentence::{Doc, Style};
use super::tables::{Certainty, company, tool};
use super::token::{Shape, folded};

const MAX_WORDS: usize = 3;

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    for at in 0..doc.tokens.len() {
        let named = matches!(doc.tokens[at].shape, Shape::Capital | Shape::Upper | Shape::Mixed);
        if !named || !out.is_free(at) || doc.style(at) != Style::Prose {
            continue;
        }
        if let Some((kind, range)) = known(doc, out, at) {
            let value = doc.value(&range);
            out.claim(kind, range, value, 0.8);
        }
    }
}

/// The longest known name that begins at `at`. A word that is also an everyday one is believed where its capital is not
/// that of the sentence.
fn known(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<(Kind, Range<usize>)> {
    let (kind, certainty, end) = (1..=MAX_WORDS).rev().find_map(|len| {
        let tokens = doc.tokens.get(at..at + len)?;
        let whole = (at + 1..at + len).all(|i| doc.follows_word(i) && out.is_free(i));
        let name = whole.then(|| folded(tokens))?;
        let known = company(&name).map(|certainty| (Kind::Company, certainty));
        let (kind, certainty) = known.or_else(|| tool(&name).map(|certainty| (Kind::Tool, certainty)))?;
        Some((kind, certainty, at + len))
    })?;
    let believed = certainty == Certainty::Plain || !doc.starts_sentence(at);
    (believed && stands_alone(doc, at, end)).then_some((kind, at..end))
}
