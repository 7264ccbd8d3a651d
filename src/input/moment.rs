//! Moments as callers write them: ISO 8601, of which the time and the zone may be missing.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

const DATE_LENGTH: usize = "2026-03-02".len();
const TIMES: &[&str] = &["%H:%M:%S%.f", "%H:%M"];
const ZONED_MINUTES: &str = "%Y-%m-%dT%H:%M%#z";

/// A day without a time is its beginning, a time without a zone is UTC. Nothing where there is no such day.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    text.parse().ok().or_else(|| local(text)).or_else(|| to_the_minute(text))
}

fn local(text: &str) -> Option<DateTime<Utc>> {
    let (day, rest) = text.split_at_checked(DATE_LENGTH)?;
    let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
    let time = match rest.strip_prefix(['T', 't', ' ']) {
        None => rest.is_empty().then_some(NaiveTime::MIN),
        Some(time) => TIMES.iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok()),
    };
    Some(NaiveDateTime::new(day, time?).and_utc())
}

/// `2026-03-02T10:13+01:00`, `2026-03-02T10:13Z`.
fn to_the_minute(text: &str) -> Option<DateTime<Utc>> {
    let zoned = text.replacen([' ', 't'], "T", 1).replace(['Z', 'z'], "+00:00");
    DateTime::parse_from_str(&zoned, ZONED_MINUTES).ok().map(|date| date.to_utc())
}

pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    moment(&text).ok_or_else(|| D::Error::custom("is not a date of ISO 8601"))
}

pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| moment(&text).ok_or_else(|| D::Error::custom("is not a date of ISO 8601"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_midnight_and_utc() {
        for (text, expected) in [
            ("2026-03-02", "2026-03-02T00:00:00Z"),
            ("2026-03-02T10:13", "2026-03-02T10:13:00Z"),
            ("2026-03-02 10:13:20", "2026-03-02T10:13:20Z"),
            ("2026-03-02T10:13:20.5", "2026-03-02T10:13:20.5Z"),
            ("2026-03-02T10:13Z", "2026-03-02T10:13:00Z"),
            ("2026-03-02T10:13+01:00", "2026-03-02T09:13:00Z"),
            ("2026-03-02T10:13:20.123456+01:00", "2026-03-02T09:13:20.123456Z"),
            ("2024-02-29", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(moment(text), expected.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_does_not_exist_is_none() {
        let none = [
            "",
            "yesterday",
            "2026-02-30",
            "2026-13-01",
            "2026-03-02T25:00",
            "2026-03-02 and 5",
            "5",
            "2026",
            "2026-3-2",
            "éééééé",
            "2026-03-02T",
            "2026-03-02T10:13+99:00",
        ];
        for text in none {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
