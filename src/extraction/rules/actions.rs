//! Action items: lines that say so ("TODO: …", "Action item: …", "- [ ] …"), with the person and the date
//! they name.

use super::Kind;
use super::mention::{Mention, Mentions};
use super::sentence::Doc;
use super::token::{Shape, Token};

const LABELS: &[&str] =
    &["todo", "to do", "to-do", "action item", "action", "action required", "next action"];
const MAX_VALUE: usize = 200;
const DUE: &[&str] = &["by", "before", "due", "until", "deadline"];
#[rustfmt::skip]
const DAYS: &[&str] = &[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "tonight",
    "tomorrow", "noon", "eod", "eow", "eom",
];
#[rustfmt::skip]
const MONTHS: &[&str] = &[
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov",
    "dec",
];
const PERIODS: &[&str] = &["day", "week", "month", "quarter", "year"];

/// Runs after the people are found: an assignee at the start of an item is one of them.
pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    let mut at = 0;
    for line in doc.text.split_inclusive('\n') {
        if let Some((label_owner, item)) = item_of(line) {
            let start = at + (item.as_ptr() as usize - line.as_ptr() as usize);
            let found = mention(doc, out, start, start + item.len(), label_owner);
            out.list.extend(found);
        }
        at += line.len();
    }
}

/// The text after the label, and the owner inside it ("TODO(bob): …").
fn item_of(line: &str) -> Option<(Option<&str>, &str)> {
    let bare = line.trim().trim_start_matches(['-', '*', '•', '#', ' ', '\t']);
    let (owner, item) = match bare.strip_prefix("[ ]") {
        Some(item) => (None, item),
        None => labelled(bare)?,
    };
    let item = item.trim();
    item.contains(char::is_alphabetic).then_some((owner, item))
}

fn labelled(line: &str) -> Option<(Option<&str>, &str)> {
    let (label, item) = line.split_once(':')?;
    let (label, owner) = match label.strip_suffix(')').and_then(|l| l.split_once('(')) {
        Some((label, owner)) => (label, Some(owner.trim()).filter(|o| !o.is_empty())),
        None => (label, None),
    };
    let label = label.trim_matches(|c: char| c.is_whitespace() || c == '*');
    let known = LABELS.iter().any(|known| known.eq_ignore_ascii_case(label));
    known.then_some((owner, item.trim_start_matches('*')))
}

fn mention(doc: &Doc<'_>, out: &Mentions, start: usize, end: usize, owner: Option<&str>) -> Option<Mention> {
    let first = doc.tokens.partition_point(|t| t.start < start);
    let last = doc.tokens.partition_point(|t| t.start < end);
    let tokens = doc.tokens.get(first..last).filter(|tokens| !tokens.is_empty())?;
    let value: String = doc.text[start..end].chars().take(MAX_VALUE).collect();
    Some(Mention {
        kind: Kind::ActionItem,
        value: value.split_whitespace().collect::<Vec<_>>().join(" "),
        confidence: 0.9,
        tokens: first..last,
        address: None,
        assignee: owner.map(str::to_owned).or_else(|| assignee(doc, out, first, last)),
        deadline: deadline(doc, tokens),
    })
}

/// "Bob to send …", "… (owner: Bob)", "… @bob".
fn assignee(doc: &Doc<'_>, out: &Mentions, first: usize, last: usize) -> Option<String> {
    let opening = out.at(first).filter(|m| m.kind == Kind::Person);
    let acts = opening
        .and_then(|m| doc.tokens.get(m.tokens.end))
        .is_some_and(|t| matches!(&*t.folded, "to" | "will" | "should"));
    if let Some(person) = opening.filter(|_| acts) {
        return Some(person.value.clone());
    }
    (first..last).find_map(|at| {
        let (token, next) = (&doc.tokens[at], doc.tokens.get(at + 1).filter(|_| at + 1 < last)?);
        if token.is('@') && next.start == token.end() && next.shape != Shape::Mark {
            return Some(next.text.to_owned());
        }
        let labelled = matches!(&*token.folded, "owner" | "assignee") && next.is(':');
        let assigned = token.folded == "assigned" && next.folded == "to";
        (labelled || assigned).then(|| name_at(doc, out, at + 2, last))?
    })
}

/// The person found at `at`, or else the capitalised words there: after "owner:" they need no further cue.
fn name_at(doc: &Doc<'_>, out: &Mentions, at: usize, last: usize) -> Option<String> {
    if let Some(person) = out.at(at).filter(|m| m.kind == Kind::Person && at < last) {
        return Some(person.value.clone());
    }
    let words = (at..last.min(at + 3)).take_while(|i| doc.tokens[*i].shape == Shape::Capital).count();
    (words > 0).then(|| doc.value(&(at..at + words)))
}

/// The date after "by", "due" and their like, as it is written.
fn deadline(doc: &Doc<'_>, tokens: &[Token<'_>]) -> Option<String> {
    (0..tokens.len()).filter(|i| DUE.contains(&&*tokens[*i].folded)).find_map(|i| {
        let skipped =
            tokens[i + 1..].iter().take_while(|t| t.is(':') || matches!(&*t.folded, "on" | "the")).count();
        let date = &tokens[i + 1 + skipped..];
        let len = date_len(date).filter(|len| *len > 0)?;
        Some(doc.text[date[0].start..date[len - 1].end()].to_owned())
    })
}

/// How many tokens of a date the slice begins with.
fn date_len(tokens: &[Token<'_>]) -> Option<usize> {
    let word = |i: usize| tokens.get(i).map_or("", |t| &*t.folded);
    let is_number =
        |i: usize| tokens.get(i).is_some_and(|t| t.text.starts_with(|c: char| c.is_ascii_digit()));
    match word(0) {
        day if DAYS.contains(&day) => Some(1),
        "next" | "this" if DAYS.contains(&word(1)) || PERIODS.contains(&word(1)) => Some(2),
        "end" if word(1) == "of" && (PERIODS.contains(&word(2)) || MONTHS.contains(&word(2))) => Some(3),
        "end" if word(1) == "of" && PERIODS.contains(&word(3)) => Some(4),
        month if MONTHS.contains(&month) && is_number(1) => Some(2),
        _ if is_number(0) && MONTHS.contains(&word(1)) => Some(2),
        _ if is_number(0) && tokens[0].text.contains(['-', '.']) => Some(1),
        _ => None,
    }
}
