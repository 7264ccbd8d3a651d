//! Why one attempt failed, and whether and when another one makes sense.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::Task;
use crate::error::Error;

const MAX_ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TOO_LONG: &str = "the text is longer than the model takes";

/// What one attempt gave.
pub(crate) type Attempt<T> = Result<T, Failure>;

#[derive(Debug)]
pub(crate) struct Failure {
    problem: Problem,
    retry: Retry,
    /// A text was refused for its length.
    too_long: bool,
}

#[derive(Debug)]
enum Problem {
    Told(String),
    Status(u16),
    /// An answer that came whole but is refused.
    Refused(Error),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Retry {
    /// The same request would fail again.
    Never,
    /// Perhaps an accident on the way, perhaps a server that always answers so.
    Once,
    /// Expected to pass, not before the time that the provider named.
    After(Duration),
}

impl Failure {
    fn new(problem: Problem, retry: Retry) -> Self {
        Self { problem, retry, too_long: false }
    }

    /// Of a text that is refused for its length, if it is: it will be so tomorrow.
    pub(super) fn of_length(mut self, too_long: bool) -> Self {
        if too_long {
            self.too_long = true;
            self.retry = Retry::Never;
        }
        self
    }

    pub(crate) fn lasting(problem: impl fmt::Display) -> Self {
        Self::new(Problem::Told(problem.to_string()), Retry::Never)
    }

    pub(crate) fn doubtful(problem: impl fmt::Display) -> Self {
        Self::new(Problem::Told(problem.to_string()), Retry::Once)
    }

    pub(crate) fn passing(problem: impl fmt::Display) -> Self {
        Self::new(Problem::Told(problem.to_string()), Retry::After(Duration::ZERO))
    }

    /// The request or its answer was lost on the way.
    pub(super) fn transport(error: reqwest::Error) -> Self {
        Self::passing(root_cause(&error))
    }

    /// The provider said no.
    pub(crate) fn status(status: u16, headers: &HeaderMap) -> Self {
        let retry = match status {
            408 | 429 | 500.. => Retry::After(retry_after(headers, Utc::now()).unwrap_or_default()),
            _ => Retry::Never,
        };
        Self::new(Problem::Status(status), retry)
    }

    /// How long to wait before the next attempt; none if there shall be no other.
    pub(super) fn pause(&self, attempts: u32) -> Option<Duration> {
        let asked = match self.retry {
            Retry::After(asked) if attempts < MAX_ATTEMPTS => asked,
            Retry::Once if attempts < 2 => Duration::ZERO,
            _ => return None,
        };
        // Full jitter, also on top of Retry-After, so that waiting callers do not come back all at once.
        let own = FIRST_PAUSE * 2_u32.pow(attempts - 1);
        Some(asked.saturating_add(own.mul_f64(rand::random_range(0.0..=1.0))))
    }

    pub(super) fn into_error(self, task: Task, host: &str, attempts: u32) -> Error {
        let problem = self.to_string();
        let error = match self.problem {
            Problem::Refused(error) => error,
            Problem::Status(status) => task.failed(problem).with("status", status),
            Problem::Told(_) => task.failed(problem),
        };
        let mut error = error.with("attempts", attempts).with("retryable", self.retry != Retry::Never);
        if self.too_long {
            error = error.with("tooLong", true);
        }
        error.message = format!("{} (host {host}, attempt {attempts})", error.message);
        match self.retry {
            Retry::After(asked) if !asked.is_zero() => {
                error.with("retryAfterMs", u64::try_from(asked.as_millis()).unwrap_or(u64::MAX))
            }
            _ => error,
        }
    }
}

/// An error that says already what was asked for.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Problem::Refused(error), Retry::Never)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, self.too_long) {
            (Problem::Status(status), true) => write!(out, "the provider answered {status} ({TOO_LONG})"),
            (problem, true) => write!(out, "{problem}: {TOO_LONG}"),
            (problem, false) => problem.fmt(out),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(problem) => problem.fmt(out),
            Self::Status(status) => write!(out, "the provider answered {status} ({})", meaning(*status)),
            Self::Refused(error) => error.fmt(out),
        }
    }
}

/// The innermost message, such as "Connection refused". The outer ones of reqwest name the URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn StdError = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => "the key is refused",
        402 => "no credit left",
        404 => "no such path or model",
        429 => "rate or quota limit",
        300..=399 => "redirects are not followed",
        500.. => "the provider is in trouble",
        _ => "the request is refused",
    }
}

/// Seconds or an HTTP date; a date that has passed means at once.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    Some((at.to_utc() - now).to_std().unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use super::*;

    fn parsed(value: &'static str) -> Option<Duration> {
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]), now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(parsed("7"), Some(Duration::from_secs(7)));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(parsed("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parsed("soon"), None);
        assert_eq!(parsed("-3"), None);
        assert_eq!(parsed("18446744073709551615"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn pauses_grow_and_end() {
        let passing = Failure::passing("x");
        let longest = |attempts| (0..200).filter_map(|_| passing.pause(attempts)).max().unwrap();
        let (first, second) = (longest(1), longest(2));
        assert!(first > FIRST_PAUSE / 2 && first <= FIRST_PAUSE, "{first:?}");
        assert!(second > FIRST_PAUSE && second <= FIRST_PAUSE * 2, "{second:?}");
        assert_eq!(passing.pause(MAX_ATTEMPTS), None);

        assert!(Failure::doubtful("x").pause(1).is_some());
        assert_eq!(Failure::doubtful("x").pause(2), None);
        assert_eq!(Failure::lasting("x").pause(1), None);
    }

    #[test]
    fn the_pause_is_never_shorter_than_asked() {
        let headers = |value: &str| HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        assert!(Failure::status(429, &headers("9")).pause(1).unwrap() >= Duration::from_secs(9));
        assert!(Failure::status(503, &headers("9")).pause(2).unwrap() >= Duration::from_secs(9));
        let endless = Failure::status(429, &headers("18446744073709551615"));
        assert!(endless.pause(1).unwrap() >= Duration::from_secs(u64::MAX), "must not overflow");
    }
}
