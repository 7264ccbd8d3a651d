//! Times seen from now: yesterday, last week, the last 7 days, eleven days ago, this month.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::absolute::{month, season};
use super::numbers::amount;
use super::period::{Period, of_any_year};
use super::phrase::{Cue, Phrase};
use super::weekday;
use super::words::At;

pub fn relative(at: At, cue: Cue, today: NaiveDate) -> Option<Phrase> {
    let the = usize::from(at.word(0) == "the");
    let rest = at.skip(the);
    let found = match (rest.word(0), rest.word(1)) {
        ("earlier" | "later", "today" | "this") => {
            let found = relative(rest.skip(1), cue, today)?;
            return Some(Phrase { words: the + 1 + found.words, ..found });
        }
        ("today", _) if at.before() != "usa" => Phrase::one(Period::days(today, 1), 1),
        ("tonight", _) => Phrase::one(Period::days(today, 1), 1),
        ("yesterday", _) => Phrase::one(days_back(1, today), 1 + weekday::part_of_day(rest.skip(1))),
        ("day" | "night" | "evening", "before") if rest.word(2) == "yesterday" => {
            Phrase::one(days_back(2, today), 3)
        }
        ("night" | "week" | "weekend" | "month" | "quarter" | "year", "before")
            if rest.word(2) == "last" && rest.closes(3) =>
        {
            Phrase::one(named(rest.word(0), today, 2), 3)
        }
        ("other", "day" | "night" | "evening") if the == 1 => {
            Phrase::one(today.checked_sub_days(Days::new(7)).map(|from| Period { from, until: today }), 2)
        }
        ("weekend", _) if the == 1 && cue == Cue::In => {
            let begun = named("weekend", today, 0).filter(|weekend| weekend.from <= today);
            Phrase::one(begun.or_else(|| named("weekend", today, 1)), 1)
        }
        ("current", unit) => Phrase::one(calendar_unit(unit).then(|| named(unit, today, 0)).flatten(), 2),
        ("this", _) => this(rest, today),
        ("last" | "past" | "previous" | "preceding", _) => last(rest, today),
        _ => ago(rest, today),
    }?;
    Some(Phrase { words: the + found.words, ..found })
}

fn days_back(days: u64, today: NaiveDate) -> Option<Period> {
    Period::days(today.checked_sub_days(Days::new(days))?, 1)
}

fn this(at: At, today: NaiveDate) -> Option<Phrase> {
    let unit = at.word(1);
    if !at.gap(1).trim().is_empty() || at.word(2) == "of" {
        return None;
    }
    let found = match unit {
        "morning" | "afternoon" | "evening" => Period::days(today, 1),
        // What is not yet is content.
        _ if month(unit).is_some() || season(unit).is_some() => {
            named(unit, today, 0).filter(|period| period.from <= today)
        }
        _ => named(unit, today, 0),
    };
    Phrase::one(found, 2 + weekday::part_of_day(at.skip(2)))
}

/// last week, the last 7 days, past two weeks, last Friday night, last week on Tuesday
fn last(at: At, today: NaiveDate) -> Option<Phrase> {
    if !at.gap(1).trim().is_empty() {
        return None;
    }
    if let Some(amount) = amount(at.skip(1)) {
        let unit = at.word(1 + amount.words);
        return Phrase::one(rolling(amount.most, unit, today), 2 + amount.words);
    }
    let unit = at.word(1);
    if at.word(2) == "of" {
        return None; // the last day of school, the last week of May
    }
    if unit == "week"
        && let Some((weekday, words)) = weekday::inside(at.skip(2))
    {
        return Phrase::one(weekday::of_week(named("week", today, 1)?, weekday), 2 + words);
    }
    let period = match at.word(0) {
        "past" if calendar_unit(unit) => rolling(1, unit, today),
        _ if matches!(unit, "hour" | "minute") => rolling(1, unit, today),
        _ => named(unit, today, 1),
    };
    Phrase::one(period, 2 + weekday::part_of_day(at.skip(2)))
}

fn calendar_unit(unit: &str) -> bool {
    matches!(unit, "week" | "month" | "quarter" | "year")
}

/// This week, month, quarter or year, or one before; the last Monday, May or summer.
pub fn named(unit: &str, today: NaiveDate, back: u32) -> Option<Period> {
    let monday = today.week(Weekday::Mon).first_day();
    let weeks = Days::new(7 * u64::from(back));
    match unit {
        "night" | "evening" | "afternoon" => days_back(u64::from(back), today),
        "week" => Period::days(monday.checked_sub_days(weeks)?, 7),
        // The weekend that is or comes is "this" one.
        "weekend" => Period::days(monday.checked_add_days(Days::new(5))?.checked_sub_days(weeks)?, 2),
        "month" => {
            let first = today.with_day(1)?.checked_sub_months(Months::new(back))?;
            Period::months(first.year(), first.month(), 1)
        }
        "quarter" => {
            let first = NaiveDate::from_ymd_opt(today.year(), today.month0() / 3 * 3 + 1, 1)?;
            let first = first.checked_sub_months(Months::new(3 * back))?;
            Period::months(first.year(), first.month(), 3)
        }
        "year" => Period::year(today.year() - i32::try_from(back).ok()?),
        other => match (month(other), season(other), other.parse()) {
            (Some(month), ..) => recurring(today, back, |year| Period::months(year, month, 1)),
            (_, Some(month), _) => recurring(today, back, |year| Period::months(year, month, 3)),
            (.., Ok(day)) => weekday::last(day, today, back),
            _ => None,
        },
    }
}

/// The one of this year, or the last that has ended.
fn recurring(today: NaiveDate, back: u32, of: impl Fn(i32) -> Option<Period>) -> Option<Period> {
    let begun = of_any_year(today, of);
    if back == 0 {
        begun.last().filter(|period| period.from.year() == today.year() || period.until > today).copied()
    } else {
        begun.iter().rfind(|period| period.until <= today).copied()
    }
}

/// three days ago, a couple of weeks ago, two Fridays ago, a year ago today
fn ago(at: At, today: NaiveDate) -> Option<Phrase> {
    let amount = amount(at)?;
    let unit = at.word(amount.words);
    let words = amount.words + 2;
    if at.word(words - 1) != "ago" {
        return None;
    }
    if at.word(words) == "today" {
        let day = before(amount.least, unit, today)?;
        return Phrase::one(Period::days(day, 1), words + 1);
    }
    let (most, least) = (whole(amount.most, unit, today)?, whole(amount.least, unit, today)?);
    Phrase::one(most.through(least), words)
}

/// The day, week, month or year that lies so far back.
fn whole(amount: u32, unit: &str, today: NaiveDate) -> Option<Period> {
    if let Ok(day) = unit.trim_end_matches('s').parse() {
        return weekday::last(day, today, amount);
    }
    let day = before(amount, unit, today)?;
    match unit.trim_end_matches('s') {
        "week" | "fortnight" => Period::week(day),
        "month" | "quarter" => {
            Period::months(day.year(), day.month(), if unit.starts_with('q') { 3 } else { 1 })
        }
        "year" => Period::year(day.year()),
        "decade" => Period::year(day.year() - 5)?.through(Period::year(day.year() + 4)?),
        _ => Period::days(day, 1),
    }
}

/// From so long ago until now.
pub fn rolling(amount: u32, unit: &str, today: NaiveDate) -> Option<Period> {
    let until = today.succ_opt()?;
    Some(Period { from: before(amount, unit, today)?, until })
}

/// The day so long ago. Hours and less are of today, or of as many whole days.
fn before(amount: u32, unit: &str, today: NaiveDate) -> Option<NaiveDate> {
    let days = |days: u64| today.checked_sub_days(Days::new(u64::from(amount) * days));
    let months = |months: u32| today.checked_sub_months(Months::new(amount.checked_mul(months)?));
    match unit.trim_end_matches('s') {
        "second" | "sec" | "minute" | "min" => Some(today),
        "hour" | "hr" => {
            today.checked_sub_days(Days::new(u64::from(amount.div_ceil(24)) - u64::from(amount < 12)))
        }
        "day" | "night" | "morning" | "evening" => days(1),
        "week" | "weekend" => days(7),
        "fortnight" => days(14),
        "month" => months(1),
        "quarter" => months(3),
        "year" => months(12),
        "decade" => months(120),
        _ => None,
    }
}
