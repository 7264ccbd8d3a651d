//! Dates with names: 8 May 2023, May 8th, the 8th of May, May 2023, in May, Q2 2025, summer 2024, in 2023.

use chrono::{Datelike, NaiveDate};

use super::numbers::ordinal;
use super::numeric::year;
use super::period::{Period, of_any_year};
use super::phrase::{Cue, Phrase};
use super::words::At;

/// Months that are also names, verbs or other words.
const OTHER_WORDS: [u32; 5] = [3, 4, 5, 6, 8];
/// What a number of four digits is called where it is no year.
const NUMBERED: [&str; 26] = [
    "room",
    "number",
    "no",
    "page",
    "flight",
    "chapter",
    "invoice",
    "order",
    "ticket",
    "bus",
    "route",
    "model",
    "version",
    "office",
    "windows",
    "code",
    "pin",
    "apartment",
    "suite",
    "building",
    "section",
    "port",
    "id",
    "line",
    "article",
    "top",
];

pub fn calendar(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    day_first(at, today).or_else(|| month_first(at, cue, today))
}

fn day_first(at: At, today: NaiveDate) -> Option<Phrase> {
    let the = usize::from(at.word(0) == "the");
    let first = day(at.word(the)).filter(|_| at.begins(the))?;
    let of = the + 1 + usize::from(at.word(the + 1) == "of");
    let month = month(at.word(of))?;
    let year = year_at(at, of + 1);
    // "Room 5. May I come?" is two sentences.
    let joined = at.gap(of).trim();
    if !(joined.is_empty() || joined == "-" || joined == "." && year.is_some()) {
        return None;
    }
    dated(at, month, first, year, of, today)
}

fn month_first(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    let number = month(at.word(0)).filter(|_| at.begins(0) || at.gap(0).ends_with(['-', '–']))?;
    if let Some((year, words)) = year_at(at, 1) {
        return Phrase::one(Period::months(year, number, 1), words);
    }
    let of = 1 + usize::from(at.word(1) == "of");
    if at.word(of + 1) == "year" && matches!(at.word(of), "last" | "this" | "previous") {
        let year = today.year() - i32::from(at.word(of) != "this");
        return Phrase::one(Period::months(year, number, 1), of + 2);
    }
    let the = 1 + usize::from(at.word(1) == "the");
    let apart = at.gap(the).trim();
    if let Some(day) = day(at.word(the)).filter(|_| matches!(apart, "" | "." | "-"))
        && at.ends(the + 1)
        && !at.gap(the + 1).starts_with(':')
    {
        let year = year_at(at, the + 1);
        let verb = cue == Cue::None && year.is_none() && OTHER_WORDS.contains(&number) && !at.capital(0);
        return Some(dated(at, number, day, year, the, today)?.content_if(verb));
    }
    month_alone(at, number, cue, today)
}

/// A day of a month, of one year or any; `last` is the place of its last word before the year.
fn dated(
    at: At,
    month: u32,
    day: u32,
    year: Option<(i32, usize)>,
    last: usize,
    today: NaiveDate,
) -> Option<Phrase> {
    let on = |year| Period::days(NaiveDate::from_ymd_opt(year, month, day)?, 1);
    match year {
        Some((year, words)) => Phrase::one(on(year), words),
        None if is_question(at, month, last) => None,
        None => Phrase::of(of_any_year(today, on), last + 1),
    }
}

/// "… 5 may I …"
fn is_question(at: At, month: u32, last: usize) -> bool {
    const PRONOUNS: [&str; 9] = ["i", "we", "you", "he", "she", "they", "it", "one", "be"];
    month == 5 && self::month(at.word(last)).is_some() && PRONOUNS.contains(&at.word(last + 1))
}

/// A month without a year. Months are also names and verbs, so a word of time must stand before one.
fn month_alone(at: At, month: u32, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    if cue == Cue::None || matches!(at.before(), "the" | "a") || !at.ends(1) || is_question(at, month, 0) {
        return None;
    }
    let name = OTHER_WORDS.contains(&month) && (cue == Cue::Edge && !at.closes(1) || at.genitive(1));
    let months = of_any_year(today, |year| Period::months(year, month, 1));
    Some(Phrase::of(months, 1)?.content_if(name))
}

/// Q2 2025, the second quarter of 2025, H1 2025, summer 2024, in summer.
pub fn part_of_year(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    let the = usize::from(at.word(0) == "the");
    let rest = at.skip(the);
    let (first, months, words) = quarter(rest).or_else(|| season(rest.word(0)).map(|first| (first, 3, 1)))?;
    if !rest.begins(0) {
        return None;
    }
    if let Some((year, all)) = year_at(rest, words) {
        return Phrase::one(Period::months(year, first, months), the + all);
    }
    // Spring and fall are also other words, and so may be Q2 by itself.
    let told = cue != Cue::None
        && rest.ends(words)
        && !matches!(rest.word(0), "spring" | "fall")
        && !rest.word(0).starts_with('h');
    let parts = of_any_year(today, |year| Period::months(year, first, months));
    if !told {
        return None;
    }
    match season(rest.word(0)) {
        Some(_) => Phrase::of(parts, the + words),
        None => Phrase::one(parts.last().copied(), the + words),
    }
}

/// First month, how many months, how many words.
fn quarter(at: At) -> Option<(u32, u32, usize)> {
    if let Some(number) = ordinal(at.word(0)).filter(|_| at.word(1) == "quarter") {
        return Some((3 * number - 2, 3, 2));
    }
    if let Some(number) = ordinal(at.word(0)).filter(|number| *number <= 2 && at.word(1) == "half") {
        return Some((6 * number - 5, 6, 2));
    }
    match at.word(0) {
        "q1" => Some((1, 3, 1)),
        "q2" => Some((4, 3, 1)),
        "q3" => Some((7, 3, 1)),
        "q4" => Some((10, 3, 1)),
        "h1" => Some((1, 6, 1)),
        "h2" => Some((7, 6, 1)),
        _ => None,
    }
}

/// The first month of a season of the northern half of the earth.
pub fn season(word: &str) -> Option<u32> {
    match word {
        "spring" => Some(3),
        "summer" => Some(6),
        "autumn" | "fall" => Some(9),
        "winter" => Some(12),
        _ => None,
    }
}

/// A year alone is a number as well, so a word of time must stand before it, or it stays content.
pub fn year_alone(at: At, cue: Cue) -> Option<Phrase> {
    let year = year(at.word(0))?;
    let quarter = at.skip(1);
    if let Some((first, months, words)) = self::quarter(quarter).filter(|_| at.begins(0)) {
        return Phrase::one(Period::months(year, first, months), 1 + words);
    }
    if !at.begins(0) || !at.ends(1) || NUMBERED.contains(&at.before()) || matches!(at.gap(1), "." | ",") {
        return None;
    }
    let counted = at.gap(1).trim().is_empty() && is_plural(at.word(1));
    Some(Phrase::one(Period::year(year), 1)?.content_if(cue == Cue::None || counted))
}

/// "… of 2000 people", "… in 2000 steps"
fn is_plural(word: &str) -> bool {
    matches!(word, "people" | "km" | "kg" | "kcal")
        || word.len() > 4 && word.ends_with('s') && !word.ends_with("ss")
}

/// A year at a place, with the number of words up to its end: "2023", ", 2023", "of 2023".
fn year_at(at: At, place: usize) -> Option<(i32, usize)> {
    let place = place
        + usize::from(at.word(place) == "of" || at.word(place) == "in" && year(at.word(place + 1)).is_some());
    let year = year(at.word(place))?;
    let joined = at.gap(place).trim();
    let glued = matches!(at.gap(place), "." | "/");
    ((matches!(joined, "" | "," | "-") || glued) && at.ends(place + 1)).then_some((year, place + 1))
}

pub fn month(word: &str) -> Option<u32> {
    // The full names and those of three letters; "sept" is common, too.
    let word = if word == "sept" { "sep" } else { word };
    word.parse::<chrono::Month>().ok().map(|month| month.number_from_month())
}

fn day(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    let day = ["", "st", "nd", "rd", "th"].contains(&suffix).then(|| digits.parse().ok()).flatten();
    day.filter(|day| (1..=31).contains(day) && digits.len() <= 2)
}
