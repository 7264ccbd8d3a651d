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
    /// Byte ranges whose words say nothing else.
    spans: Vec<Range<usize>>,
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
                times.spans.push(words.range(place, found.words));
            }
            place += found.words.max(1);
        }
        let surplus = times.periods.len().saturating_sub(MOST_PERIODS);
        times.periods.drain(..surplus);
        times
    }

    /// The question without the words of times.
    pub fn rest(&self, question: &str) -> String {
        let mut rest = String::with_capacity(question.len());
        let mut end = 0;
        for span in &self.spans {
            rest.push_str(&question[end..span.start]);
            rest.push(' ');
            end = span.end;
        }
        rest.push_str(&question[end..]);
        rest
    }
}

#[cfg(test)]
mod tests;
