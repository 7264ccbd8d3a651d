//! Projects and tools that a plain cue names: "Project Apollo", "the Apollo migration", "codenamed Falcon",
//! "the Figma app".

use std::ops::Range;

use super::Kind;
use super::mention::Mentions;
use super::sentence::{Doc, Style};
use super::tables::{Certainty, first_name, is_not_project, is_stop_word, place};
use super::token::{Shape, Token, folded};

#[rustfmt::skip]
const PROJECT_NOUNS: &[&str] = &[
    "project", "initiative", "programme", "program", "roadmap", "launch", "migration", "rollout",
    "workstream", "campaign", "release", "rewrite", "pilot",
];
const TOOL_NOUNS: &[&str] = &["app", "tool", "plugin", "cli", "sdk", "ide"];
const DETERMINERS: &[&str] = &["the", "our", "their", "your", "my", "his", "her", "its"];
/// Words after which a lower-case "project" introduces a name ("for project Apollo").
#[rustfmt::skip]
const BEFORE_PROJECT: &[&str] = &[
    "on", "for", "of", "about", "to", "with", "in", "from", "codenamed", "called", "joined", "leads", "via",
    "and", "out", "start", "started", "launch", "launched",
];
const CODENAMED: &[&str] = &["codenamed", "code-named"];

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    for at in 0..doc.tokens.len() {
        if !out.is_free(at) || doc.style(at) == Style::AllCaps {
            continue;
        }
        if let Some(name) = after_project(doc, out, at) {
            let value = format!("Project {}", doc.value(&name));
            out.claim(Kind::Project, at..name.end, value, 0.9);
        } else if let Some(name) = codename(doc, out, at) {
            let value = doc.value(&name);
            out.claim(Kind::Project, name, value, 0.9);
        } else if let Some((kind, name)) = between_determiner_and_noun(doc, out, at) {
            let value = doc.value(&name);
            out.claim(kind, name.start..name.end + 1, value, 0.8);
        } else if let Some(name) = called_tool(doc, out, at) {
            let value = doc.value(&name);
            out.claim(Kind::Tool, name, value, 0.8);
        }
    }
}

/// "Project X", where X is one or two capitalised words.
fn after_project(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let token = &doc.tokens[at];
    let named_in_lower_case = || {
        let before = doc.before(at);
        before.is_none_or(|t| BEFORE_PROJECT.contains(&&*t.folded))
            && doc.tokens.get(at + 1).is_some_and(|t| first_name(&t.folded).is_none())
    };
    let introduces = token.folded == "project"
        && !token.possessive
        && (token.shape == Shape::Capital || named_in_lower_case());
    let name = introduces.then(|| name_from(doc, out, at + 1, 2))?;
    (!name.is_empty()).then_some(name)
}

/// "codenamed X", "code name X".
fn codename(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let marks = doc.before(at).filter(|t| t.is_one_of(&['"', '“', '\'', '‘'])).map_or(0, |_| 1);
    let cue_end = at - marks;
    let cue = doc.before(cue_end)?;
    let two_words = doc.words_before(cue_end, "code name") || doc.words_before(cue_end, "code named");
    let cued = CODENAMED.contains(&&*cue.folded) || two_words;
    let name = cued.then(|| name_at(doc, out, at, 2))?;
    (!name.is_empty()).then_some(name)
}

/// "the X project", "our X app".
fn between_determiner_and_noun(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<(Kind, Range<usize>)> {
    let determiner = doc.before(at)?;
    let determined = DETERMINERS.contains(&&*determiner.folded) || determiner.possessive;
    if !determined || doc.style(at) == Style::TitleCase {
        return None;
    }
    let name = name_from(doc, out, at, 2);
    let noun = doc
        .tokens
        .get(name.end)
        .filter(|t| !name.is_empty() && doc.follows_word(name.end) && t.shape == Shape::Lower)?;
    let words = &doc.tokens[name.clone()];
    let about_other = words.iter().any(|t| first_name(&t.folded).is_some() || t.possessive)
        || place(&folded(words)) == Some(Certainty::Plain);
    match &*noun.folded {
        word if PROJECT_NOUNS.contains(&word) && !about_other => Some((Kind::Project, name)),
        word if TOOL_NOUNS.contains(&word) && !about_other => Some((Kind::Tool, name)),
        _ => None,
    }
}

/// "a tool called X", "an app named X".
fn called_tool(doc: &Doc<'_>, out: &Mentions, at: usize) -> Option<Range<usize>> {
    let introduced = doc.words_before(at, "called") || doc.words_before(at, "named");
    let cued = introduced
        && at >= 2
        && TOOL_NOUNS.contains(&&*doc.tokens[at - 2].folded)
        && doc.follows_word(at - 1);
    let name = cued.then(|| name_at(doc, out, at, 2))?;
    (!name.is_empty()).then_some(name)
}

/// As [`name_at`], when only white space stands before `at`.
fn name_from(doc: &Doc<'_>, out: &Mentions, at: usize, max: usize) -> Range<usize> {
    if doc.follows_word(at) || doc.before(at).is_some_and(|t| t.possessive) {
        name_at(doc, out, at, max)
    } else {
        at..at
    }
}

/// The words of a name that begins at `at`, at most `max`.
fn name_at(doc: &Doc<'_>, out: &Mentions, at: usize, max: usize) -> Range<usize> {
    let is_word = |i: &usize| {
        let joined = *i == at || doc.follows_word(*i);
        joined && out.is_free(*i) && doc.tokens.get(*i).is_some_and(is_name_word)
    };
    at..at + (at..at + max).take_while(is_word).count()
}

fn is_name_word(token: &Token<'_>) -> bool {
    let named = matches!(token.shape, Shape::Capital | Shape::Upper | Shape::Mixed | Shape::Initial);
    named
        && !is_stop_word(&token.folded)
        && !is_not_project(&token.folded)
        && !PROJECT_NOUNS.contains(&&*token.folded)
}
