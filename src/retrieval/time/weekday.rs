//! Days of the week. Alone, one is the last of its name, today included.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::period::Period;
use super::phrase::{Cue, Phrase};
use super::words::At;

/// What makes of a weekday another thing, or one that is to come.
const BEFORE_OTHERS: [&str; 22] = [
    "next",
    "coming",
    "upcoming",
    "following",
    "every",
    "each",
    "any",
    "some",
    "most",
    "black",
    "good",
    "ash",
    "ruby",
    "fat",
    "cyber",
    "palm",
    "easter",
    "super",
    "girl",
    "man",
    "casual",
    "bloody",
];

/// The last day of this name: `back` 0 with today, else the so many-th before today.
pub fn last(day: Weekday, today: NaiveDate, back: u32) -> Option<Period> {
    let since = today.weekday().days_since(day);
    let since = match back {
        0 => since,
        _ if since == 0 => 7 * back,
        _ => since + 7 * (back - 1),
    };
    Period::days(today.checked_sub_days(Days::new(u64::from(since)))?, 1)
}

pub fn of_week(week: Period, day: Weekday) -> Option<Period> {
    Period::days(week.from.checked_add_days(Days::new(u64::from(day.num_days_from_monday())))?, 1)
}

/// "Tuesday", "on Tuesday": behind "last week".
pub fn inside(at: At) -> Option<(Weekday, usize)> {
    let on = usize::from(at.word(0) == "on");
    let day = full(at.word(on)).filter(|_| at.gap(0).trim().is_empty())?;
    Some((day, on + 1))
}

/// Monday, 5 May 2025: the date tells.
pub fn of_date<'a>(at: At<'a>, date: impl Fn(At<'a>) -> Option<Phrase>) -> Option<Phrase> {
    at.word(0)
        .parse::<Weekday>()
        .ok()
        .filter(|_| at.begins(0) && matches!(at.gap(1).trim(), "" | "," | "."))?;
    let the = 1 + usize::from(at.word(1) == "the");
    let found =
        date(at.skip(the)).filter(|_| at.word(the).starts_with(|c: char| c.is_ascii_digit()) || the == 1)?;
    Some(Phrase { words: the + found.words, ..found })
}

pub fn alone(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    let day = full(at.word(0)).or_else(|| short(at, cue))?;
    if !at.begins(0) || !at.ends(1) || BEFORE_OTHERS.contains(&at.before()) {
        return None;
    }
    let of = 1 + usize::from(at.word(1) == "of");
    if at.word(of + 1) == "week" && matches!(at.word(of), "last" | "this") {
        let week = super::relative::named("week", today, u32::from(at.word(of) == "last"))?;
        return Phrase::one(of_week(week, day), of + 2);
    }
    let words = 1 + part_of_day(at.skip(1));
    let told = cue != Cue::None && !at.genitive(1) || words > 1 || at.closes(1) && !at.genitive(1);
    Some(Phrase::one(last(day, today, 0), words)?.content_if(!told))
}

/// 1 where a part of a day stands here.
pub fn part_of_day(at: At) -> usize {
    let part = matches!(at.word(0), "morning" | "noon" | "afternoon" | "evening" | "night");
    usize::from(part && at.gap(0).trim().is_empty())
}

fn full(word: &str) -> Option<Weekday> {
    word.ends_with("day").then(|| word.parse().ok()).flatten()
}

/// "on Wed"; "sun" and "sat" are other words.
fn short(at: At, cue: Cue) -> Option<Weekday> {
    let told = cue == Cue::In && matches!(at.before(), "on" | "since" | "until") && at.capital(0);
    told.then(|| at.word(0).parse().ok()).flatten()
}
