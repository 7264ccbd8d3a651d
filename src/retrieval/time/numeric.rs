//! Dates in digits. A year first: year, month, day. Slashes: month, day, year. Dots and hyphens: day, month, year. Where
//! that is no date, the other order. ISO 8601 with a time of day is its day.

use chrono::NaiveDate;

use super::period::{Period, of_any_year};
use super::phrase::Phrase;
use super::words::At;

pub fn numeric(at: At, cued: bool, today: NaiveDate) -> Option<Phrase> {
    if !at.begins(0) || !at.word(0).starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let separator = one_of(at.gap(1))?;
    full(at, separator)
        .or_else(|| of_month(at, separator))
        .or_else(|| without_year(at, separator, cued, today))
}

fn one_of(gap: &str) -> Option<char> {
    let mut gap = gap.chars();
    let separator = gap.next().filter(|c| "-/.".contains(*c))?;
    gap.next().is_none().then_some(separator)
}

fn full(at: At, separator: char) -> Option<Phrase> {
    if one_of(at.gap(2)) != Some(separator) {
        return None;
    }
    let (last, mut words) = match at.word(2).split_once('t') {
        // 08T10:30:00.000+02:00
        Some((day, hour)) if digits(hour, 2).is_some() => (day, 3 + time_of_day(at.skip(3), true)),
        _ => (at.word(2), 3),
    };
    let date = ordered(at.word(0), at.word(1), last, separator)?;
    if words == 3 {
        if !at.ends(3) {
            return None;
        }
        words += time_of_day(at.skip(3), false);
    }
    Phrase::one(Period::days(date, 1), words)
}

fn ordered(first: &str, second: &str, third: &str, separator: char) -> Option<NaiveDate> {
    if let Some(year) = year(first) {
        return NaiveDate::from_ymd_opt(year, number(second)?, number(third)?);
    }
    let year = year(third).or_else(|| short_year(third))?;
    let (first, second) = (number(first)?, number(second)?);
    let (month, day) = if separator == '/' { (first, second) } else { (second, first) };
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| NaiveDate::from_ymd_opt(year, day, month))
}

/// 2025-05, 2025/05, 05/2025, 05.2025.
fn of_month(at: At, separator: char) -> Option<Phrase> {
    if !at.ends(2) {
        return None;
    }
    let (first, second) = (at.word(0), at.word(1));
    let (year, month) = match (year(first), year(second)) {
        (Some(year), None) => (year, digits(second, 2)?),
        (None, Some(year)) if separator == '/' => (year, number(first)?),
        (None, Some(year)) => (year, digits(first, 2)?),
        _ => return None,
    };
    Phrase::one(Period::months(year, month, 1), 2)
}

/// on 5/8
fn without_year(at: At, separator: char, cued: bool, today: NaiveDate) -> Option<Phrase> {
    if separator != '/' || !cued || at.before() != "on" || !at.ends(2) {
        return None;
    }
    let (first, second) = (number(at.word(0))?, number(at.word(1))?);
    let on = |year| {
        let date = NaiveDate::from_ymd_opt(year, first, second)
            .or_else(|| NaiveDate::from_ymd_opt(year, second, first))?;
        Period::days(date, 1)
    };
    Phrase::of(of_any_year(today, on), 2)
}

/// How many words a time of day has that stands here: 10:30, 10:30:00, and inside of a timestamp all that is glued on.
fn time_of_day(at: At, inside: bool) -> usize {
    let glued =
        |offset: usize| matches!(at.gap(offset), ":" | "." | "+" | "-") && !at.word(offset).is_empty();
    let begins = if inside { glued(0) } else { digits(at.word(0), 2).is_some() && at.gap(1) == ":" };
    if begins { 1 + (1..8).take_while(|offset| glued(*offset)).count() } else { 0 }
}

pub fn year(word: &str) -> Option<i32> {
    word.parse().ok().filter(|year| word.len() == 4 && (1900..=2100).contains(year))
}

fn short_year(word: &str) -> Option<i32> {
    Some(2000 + i32::try_from(digits(word, 2)?).ok()?)
}

/// Of one digit or two.
fn number(word: &str) -> Option<u32> {
    (word.len() <= 2).then(|| digits(word, word.len())).flatten()
}

fn digits(word: &str, length: usize) -> Option<u32> {
    (word.len() == length && word.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| word.parse().ok())
        .flatten()
}
