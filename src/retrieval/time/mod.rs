//! Times that a question speaks of: "last week", "before May 2025", "on 8.5.2025", "eleven days ago". English, in UTC.
//!
//! A time says when a memory was made. The words of it are no content then. What has not come yet ("tomorrow", "next
//! week") is no time, for no memory was made then, but content.

mod absolute;
mod numbers;
mod numeric;
mod period;
mod phrase;
mod relative;
mod weekday;
mod words;

use std::ops::Range;

use chrono::{DateTime, Utc};

pub use period::{Period, closeness, within};
use words::Words;

/// So many times of a question count, the last ones. A long text may be full of dates.
const MOST_PERIODS: usize = 200;

/// The periods that a question names, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times {
    pub periods: Vec<Period>,
    spans: Vec<Span>,
}

/// Words that say nothing but a time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    bytes: Range<usize>,
    is_date: bool,
}

impl Times {
    pub fn of(question: &str, now: DateTime<Utc>) -> Self {
        let (words, today) = (Words::of(question), now.date_naive());
        let mut times = Self::default();
        let mut place = 0;
        while place < words.len() {
            let Some(found) = phrase::phrase(words.from(place), today) else {
                place += 1;
                continue;
            };
            times.periods.extend(found.periods);
            if !found.is_content {
                let bytes = words.range(place, found.words);
                times.spans.push(Span { bytes, is_date: found.is_date });
            }
            place += found.words.max(1);
        }
        let surplus = times.periods.len().saturating_sub(MOST_PERIODS);
        times.periods.drain(..surplus);
        times
    }

    /// The words of dates: "8 May 2023", not "last week". A memory that answers otherwise is the better for having them.
    pub fn dates(&self, question: &str) -> String {
        let dates = self.spans.iter().filter(|span| span.is_date);
        dates.map(|span| &question[span.bytes.clone()]).collect::<Vec<_>>().join(" ")
    }

    /// The question without the words of times.
    pub fn rest(&self, question: &str) -> String {
        let mut rest = String::with_capacity(question.len());
        let mut end = 0;
        for Span { bytes, .. } in &self.spans {
            rest.push_str(&question[end..bytes.start]);
            rest.push(' ');
            end = bytes.end;
        }
        rest.push_str(&question[end..]);
        rest
    }
}

#[cfg(test)]
mod tests;
