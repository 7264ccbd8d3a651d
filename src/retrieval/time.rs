//! Times that a question speaks of: "last week", "in May", "on 8 May 2023", "three days ago". English, in UTC.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc, Weekday};

/// From the first day to the day before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// A month without a year means any of the last years.
const YEARS_BACK: i32 = 10;
/// What is said of a time is said then or soon after: so far from a period, in its own lengths but at least these days,
/// a memory is half as close.
const LEAST_SLACK_DAYS: f64 = 3.0;
const LONGEST_QUESTION: usize = 200;

impl Period {
    fn days(from: NaiveDate, days: u64) -> Option<Self> {
        Some(Self { from, until: from.checked_add_days(Days::new(days))? })
    }

    fn month(year: i32, month: u32) -> Option<Self> {
        let from = NaiveDate::from_ymd_opt(year, month, 1)?;
        Some(Self { from, until: from.checked_add_months(Months::new(1))? })
    }

    fn year(year: i32) -> Option<Self> {
        Some(Self {
            from: NaiveDate::from_ymd_opt(year, 1, 1)?,
            until: NaiveDate::from_ymd_opt(year + 1, 1, 1)?,
        })
    }

    /// 1 within, and less the farther away. Seconds since 1970.
    fn closeness(&self, moment: f64) -> f64 {
        let (from, until) = (seconds(self.from), seconds(self.until));
        let slack = (until - from).max(LEAST_SLACK_DAYS * 86_400.0);
        let away = (from - moment).max(moment - until).max(0.0);
        (-away / slack).exp2()
    }
}

/// How well a moment fits the nearest of the periods, 0 to 1.
pub fn closeness(periods: &[Period], moment: f64) -> f64 {
    periods.iter().map(|period| period.closeness(moment)).fold(0.0, f64::max)
}

#[expect(clippy::cast_precision_loss, reason = "dates are far below 2^53 seconds")]
fn seconds(date: NaiveDate) -> f64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() as f64
}

/// The periods that a question names.
pub fn periods(question: &str, now: DateTime<Utc>) -> Vec<Period> {
    let lower = question.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(LONGEST_QUESTION)
        .collect();
    let today = now.date_naive();
    let mut periods = Vec::new();
    let mut place = 0;
    while place < words.len() {
        let rest = Words { all: &words, place };
        let found = calendar(rest, today).or_else(|| relative(rest, today)).or_else(|| bare(rest, today));
        match found {
            Some((found, length)) => {
                periods.extend(found);
                place += length;
            }
            None => place += 1,
        }
    }
    periods
}

/// Periods, and how many words name them.
type Found = Option<(Vec<Period>, usize)>;

#[derive(Clone, Copy)]
struct Words<'a> {
    all: &'a [&'a str],
    place: usize,
}

impl<'a> Words<'a> {
    fn at(&self, offset: usize) -> &'a str {
        self.all.get(self.place + offset).copied().unwrap_or_default()
    }

    fn before(&self) -> &'a str {
        self.place.checked_sub(1).map_or("", |place| self.all[place])
    }
}

fn one(period: Option<Period>, words: usize) -> Found {
    Some((vec![period?], words))
}

/// Dates with a year or a day: 2023-05-08, 8 May 2023, May 8, the 8th of May, May 2023.
fn calendar(words: Words, today: NaiveDate) -> Found {
    if let (Some(year), Ok(month), Ok(day)) = (year(words.at(0)), words.at(1).parse(), words.at(2).parse()) {
        return one(NaiveDate::from_ymd_opt(year, month, day).and_then(|date| Period::days(date, 1)), 3);
    }
    if let Some(first) = day(words.at(0)) {
        let of = usize::from(words.at(1) == "of");
        let month = month(words.at(1 + of))?;
        return dated(month, first, year(words.at(2 + of)), 2 + of, today);
    }
    let month = month(words.at(0))?;
    if let Some(year) = year(words.at(1)) {
        return one(Period::month(year, month), 2);
    }
    dated(month, day(words.at(1))?, year(words.at(2)), 2, today)
}

/// A day of a month, of one year or any.
fn dated(month: u32, day: u32, year: Option<i32>, words: usize, today: NaiveDate) -> Found {
    let on = |year| NaiveDate::from_ymd_opt(year, month, day).and_then(|date| Period::days(date, 1));
    match year {
        Some(year) => one(on(year), words + 1),
        None => {
            let years = today.year() - YEARS_BACK..=today.year();
            Some((years.filter_map(on).collect(), words))
        }
    }
}

/// Today, yesterday, last week, this month, three days ago.
fn relative(words: Words, today: NaiveDate) -> Found {
    let back = |days: u64| today.checked_sub_days(Days::new(days));
    match words.at(0) {
        "today" | "tonight" => one(Period::days(today, 1), 1),
        "yesterday" => one(Period::days(back(1)?, 1), 1),
        "last" | "past" | "previous" => named(words.at(1), today, 1).map(|period| (vec![period], 2)),
        "this" => named(words.at(1), today, 0).map(|period| (vec![period], 2)),
        number if words.at(2) == "ago" => one(ago(amount(number)?, words.at(1), today), 3),
        _ => None,
    }
}

/// This week, month or year, or the one before; the last Monday.
fn named(unit: &str, today: NaiveDate, back: u32) -> Option<Period> {
    let monday = today.week(Weekday::Mon).first_day();
    match unit {
        "night" => Period::days(today.checked_sub_days(Days::new(u64::from(back)))?, 1),
        "week" => Period::days(monday.checked_sub_days(Days::new(7 * u64::from(back)))?, 7),
        "weekend" => {
            let saturday = monday.checked_add_days(Days::new(5))?;
            // The weekend that is or comes is "this" one.
            Period::days(saturday.checked_sub_days(Days::new(7 * u64::from(back)))?, 2)
        }
        "month" => {
            let first = today.with_day(1)?.checked_sub_months(Months::new(back))?;
            Period::month(first.year(), first.month())
        }
        "year" => Period::year(today.year() - i32::try_from(back).ok()?),
        day => {
            let weekday: Weekday = day.parse().ok()?;
            let since = today.weekday().days_since(weekday);
            let since = if back > 0 && since == 0 { 7 } else { since };
            Period::days(today.checked_sub_days(Days::new(u64::from(since)))?, 1)
        }
    }
}

fn ago(amount: u32, unit: &str, today: NaiveDate) -> Option<Period> {
    let days = |each: u64| today.checked_sub_days(Days::new(u64::from(amount) * each));
    match unit.trim_end_matches('s') {
        "day" => Period::days(days(1)?, 1),
        "week" => Period::days(days(7)?.week(Weekday::Mon).first_day(), 7),
        "month" => {
            let then = today.checked_sub_months(Months::new(amount))?;
            Period::month(then.year(), then.month())
        }
        "year" => Period::year(today.year() - i32::try_from(amount).ok()?),
        _ => None,
    }
}

/// A year or a month alone. Months are also names and verbs, so a word of time must stand before one.
fn bare(words: Words, today: NaiveDate) -> Found {
    if let Some(year) = year(words.at(0)) {
        return one(Period::year(year), 1);
    }
    let month = month(words.at(0))?;
    let told = ["in", "of", "last", "this", "since", "until", "during", "early", "late", "mid", "end"];
    if !told.contains(&words.before()) {
        return None;
    }
    let years = today.year() - YEARS_BACK..=today.year();
    Some((
        years.filter_map(|year| Period::month(year, month)).filter(|period| period.from <= today).collect(),
        1,
    ))
}

fn year(word: &str) -> Option<i32> {
    word.parse().ok().filter(|year| word.len() == 4 && (1900..=2100).contains(year))
}

fn month(word: &str) -> Option<u32> {
    // The full names and those of three letters; "sept" is common, too.
    let word = if word == "sept" { "sep" } else { word };
    word.parse::<chrono::Month>().ok().map(|month| month.number_from_month())
}

fn day(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    ["", "st", "nd", "rd", "th"]
        .contains(&suffix)
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|day| (1..=31).contains(day))
}

fn amount(word: &str) -> Option<u32> {
    let words = ["a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    let spelled = words.iter().position(|spelled| {
        *spelled == word || word == "an" && *spelled == "a" || word == "one" && *spelled == "a"
    });
    match spelled {
        Some(index) => u32::try_from(index + 1).ok(),
        None => word.parse().ok().filter(|amount| (1..=1000).contains(amount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Thursday.
    const NOW: &str = "2024-05-16T10:00:00Z";

    fn found(question: &str) -> Vec<String> {
        let now = NOW.parse().expect("a moment");
        periods(question, now).iter().map(|period| format!("{} {}", period.from, period.until)).collect()
    }

    #[test]
    fn dates_with_a_year_are_one_period() {
        for (question, expected) in [
            ("What happened on 8 May 2023?", "2023-05-08 2023-05-09"),
            ("What happened on the 8th of May, 2023?", "2023-05-08 2023-05-09"),
            ("What happened on May 8, 2023?", "2023-05-08 2023-05-09"),
            ("notes of 2023-05-08", "2023-05-08 2023-05-09"),
            ("Where was she in May 2023?", "2023-05-01 2023-06-01"),
            ("Where was she in Sept 2023?", "2023-09-01 2023-10-01"),
            ("Where did he live in 2021?", "2021-01-01 2022-01-01"),
        ] {
            assert_eq!(found(question), [expected], "{question}");
        }
    }

    #[test]
    fn relative_times_are_seen_from_now() {
        for (question, expected) in [
            ("What did I do today?", "2024-05-16 2024-05-17"),
            ("What did I do yesterday?", "2024-05-15 2024-05-16"),
            ("Whom did I meet last week?", "2024-05-06 2024-05-13"),
            ("Whom do I meet this week?", "2024-05-13 2024-05-20"),
            ("What was last weekend?", "2024-05-11 2024-05-13"),
            ("What did we decide last month?", "2024-04-01 2024-05-01"),
            ("Where was I last year?", "2023-01-01 2024-01-01"),
            ("What did she say last Monday?", "2024-05-13 2024-05-14"),
            ("What did she say last Thursday?", "2024-05-09 2024-05-10"),
            ("What did I eat three days ago?", "2024-05-13 2024-05-14"),
            ("Where was I 2 weeks ago?", "2024-04-29 2024-05-06"),
            ("Where was I a month ago?", "2024-04-01 2024-05-01"),
        ] {
            assert_eq!(found(question), [expected], "{question}");
        }
    }

    #[test]
    fn a_month_without_a_year_is_that_of_any_year_that_has_come() {
        let mays = found("What did we plan in May?");
        assert_eq!(mays.len(), 11);
        assert_eq!(mays.last().map(String::as_str), Some("2024-05-01 2024-06-01"));
        let junes = found("What did we plan in June?");
        assert_eq!(junes.last().map(String::as_str), Some("2023-06-01 2023-07-01"));
    }

    #[test]
    fn words_that_only_look_like_times_are_none() {
        for question in [
            "What may I eat?",
            "Did June call?",
            "Who won the march?",
            "Room 2101",
            "the last of us",
            "31 bottles",
            "99999999999999999999 days ago",
            "",
        ] {
            assert_eq!(found(question), Vec::<String>::new(), "{question}");
        }
    }

    #[test]
    fn closeness_is_whole_within_and_fades_outside() {
        let day = Period::days(NaiveDate::from_ymd_opt(2023, 5, 8).expect("a day"), 1).expect("a period");
        let noon = seconds(day.from) + 43_200.0;
        assert!((closeness(&[day], noon) - 1.0).abs() < 1e-9);
        let half = closeness(&[day], seconds(day.until) + LEAST_SLACK_DAYS * 86_400.0);
        assert!((half - 0.5).abs() < 1e-9);
        assert!(closeness(&[day], noon + 365.0 * 86_400.0) < 1e-6);
        assert!(closeness(&[], noon).abs() < 1e-9);
    }
}
