//! A phrase: a point in time by itself, behind a preposition, from one to another, or open to one side.

use chrono::{Days, NaiveDate};

use super::numbers::Amount;
use super::period::Period;
use super::words::At;
use super::{absolute, numbers, numeric, relative, weekday};

/// What a phrase means, and how many words it has.
#[derive(Debug, Clone)]
pub struct Phrase {
    pub periods: Vec<Period>,
    pub words: usize,
    /// It may mean something else as well, so that its words stay content.
    pub is_content: bool,
    /// It names a date, which a memory may name as well.
    pub is_date: bool,
}

impl Phrase {
    pub fn one(period: Option<Period>, words: usize) -> Option<Self> {
        Self::of(vec![period?], words)
    }

    pub fn of(periods: Vec<Period>, words: usize) -> Option<Self> {
        (!periods.is_empty()).then_some(Self { periods, words, is_content: false, is_date: false })
    }

    pub fn content_if(self, is_content: bool) -> Self {
        Self { is_content: self.is_content || is_content, ..self }
    }

    pub fn date(self) -> Self {
        Self { is_date: true, ..self }
    }

    fn longer(self, words: usize) -> Self {
        Self { words: self.words + words, ..self }
    }
}

/// What stands before a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cue {
    None,
    /// in, on, during
    In,
    /// before, since
    Edge,
}

/// The phrase that begins here.
pub fn phrase(at: At, today: NaiveDate) -> Option<Phrase> {
    let found = range(at, today)
        .or_else(|| edge(at, today))
        .or_else(|| behind_preposition(at, today))
        .or_else(|| point(at, Cue::None, today))?;
    // a title
    (!at.quoted(found.words)).then_some(found)
}

fn point(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    apart(at, today)
        .or_else(|| date(at, cue, today).map(Phrase::date))
        .or_else(|| relative::relative(at, cue, today))
        .or_else(|| weekday::alone(at, cue, today))
        .or_else(|| absolute::year_alone(at, cue).map(Phrase::date))
}

/// two days before yesterday, a week after May 8, 2023, the day before last Friday
fn apart(at: At, today: NaiveDate) -> Option<Phrase> {
    let amount = match (at.word(0), at.word(1)) {
        ("the", "day") => Amount { least: 1, most: 1, words: 1 },
        _ => numbers::amount(at)?,
    };
    let unit = match at.word(amount.words).trim_end_matches('s') {
        "day" => 1,
        "week" => 7,
        "fortnight" => 14,
        _ => return None,
    };
    let days = |count: u32| Days::new(u64::from(count) * unit);
    let begin = amount.words + 2 + lead_in(at.skip(amount.words + 2));
    let found = point(at.skip(begin), Cue::Edge, today)?;
    let [from] = found.periods[..] else { return None };
    let (first, last) = match at.word(amount.words + 1) {
        "before" => {
            (from.from.checked_sub_days(days(amount.most))?, from.from.checked_sub_days(days(amount.least))?)
        }
        "after" => {
            let end = from.until.pred_opt()?;
            (end.checked_add_days(days(amount.least))?, end.checked_add_days(days(amount.most))?)
        }
        _ => return None,
    };
    let period = Period::days(first, 1)?.through(Period::days(last, 1)?)?;
    Some(Phrase { is_content: found.is_content, ..Phrase::one(Some(period), begin + found.words)? })
}

fn date(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    numeric::numeric(at, cue != Cue::None, today)
        .or_else(|| {
            weekday::of_date(at, |date| {
                numeric::numeric(date, true, today).or_else(|| absolute::calendar(date, Cue::None, today))
            })
        })
        .or_else(|| absolute::calendar(at, cue, today))
        .or_else(|| absolute::part_of_year(at, cue, today))
}

/// between March and May 2023, from Monday to Friday
fn range(at: At, today: NaiveDate) -> Option<Phrase> {
    let joints: &[&str] = match at.word(0) {
        "between" => &["and"],
        "from" => &["to", "until", "till", "through"],
        _ => return None,
    };
    let begin = 1 + lead_in(at.skip(1));
    let first = point(at.skip(begin), Cue::In, today)?;
    let joint = begin + first.words;
    if !joints.contains(&at.word(joint)) {
        return None;
    }
    let end = joint + 1 + lead_in(at.skip(joint + 1));
    let last = point(at.skip(end), Cue::In, today)?;
    let period = joined(&first.periods, &last.periods)?;
    Some(Phrase {
        periods: vec![period],
        words: end + last.words,
        is_content: first.is_content || last.is_content,
        is_date: first.is_date || last.is_date,
    })
}

/// One of them without a year is the nearest to the other; of two, the last one to end tells.
fn joined(first: &[Period], last: &[Period]) -> Option<Period> {
    let end = match first {
        [first] => last.iter().find(|last| last.from >= first.from).or(last.last()),
        _ => last.last(),
    }?;
    let begin = first.iter().rfind(|first| first.from <= end.from)?;
    begin.through(*end)
}

/// before May 2025, since March, until last week, after 2023, by Friday
fn edge(at: At, today: NaiveDate) -> Option<Phrase> {
    let (word, preposition) = match (at.word(0), at.word(1)) {
        (word @ ("before" | "until" | "till" | "by" | "after" | "since"), _) => (word, 1),
        ("prior", "to") => ("before", 2),
        ("up", "to") => ("until", 2),
        _ => return None,
    };
    let rest = at.skip(preposition);
    if word == "since"
        && let Some(found) = lasting(rest, today)
    {
        return Some(found.longer(preposition));
    }
    let lead = lead_in(rest);
    let found = point(rest.skip(lead), Cue::Edge, today)?;
    let period = *found.periods.last()?;
    let open = match word {
        "before" => Period::before(period.from),
        "after" => Period::since(period.until),
        "since" => Period::since(period.from),
        _ => Period::before(period.until),
    };
    Some(Phrase { periods: vec![open], ..found }.longer(preposition + lead))
}

/// since two weeks
fn lasting(at: At, today: NaiveDate) -> Option<Phrase> {
    let amount = numbers::amount(at)?;
    if at.word(amount.words + 1) == "ago" {
        return None;
    }
    Phrase::one(relative::rolling(amount.most, at.word(amount.words), today), amount.words + 1)
}

fn behind_preposition(at: At, today: NaiveDate) -> Option<Phrase> {
    const PREPOSITIONS: [&str; 14] = [
        "in",
        "on",
        "during",
        "at",
        "over",
        "within",
        "throughout",
        "of",
        "for",
        "around",
        "from",
        "early",
        "late",
        "mid",
    ];
    let preposition = usize::from(PREPOSITIONS.contains(&at.word(0)));
    let lead = preposition + lead_in(at.skip(preposition));
    if lead == 0 || lead == 1 && at.word(0) == "the" {
        return None;
    }
    let found = point(at.skip(lead), Cue::In, today)?;
    Some(found.longer(lead))
}

/// the, early, the end of, the beginning of the
fn lead_in(at: At) -> usize {
    let the = |words: usize| words + usize::from(at.word(words) == "the");
    let words = the(0);
    match at.word(words) {
        "early" | "late" | "mid" => words + 1,
        "middle" | "end" | "beginning" | "start" | "half" if at.word(words + 1) == "of" => the(words + 2),
        // Relative times say "the" themselves.
        _ if matches!(at.word(words), "day" | "night" | "week" | "month" | "year" | "other" | "weekend") => 0,
        _ => words,
    }
}
