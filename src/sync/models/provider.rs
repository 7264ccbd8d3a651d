//! How a model has behaved lately: whom a failure is to be charged to, and how long to leave a provider in peace.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;

const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Statuses that speak of the text that was sent. Any other refusal (the key, the credit, the model's name) meets every
/// text alike.
const TEXT_REFUSED: [u64; 3] = [400, 413, 422];

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// No memory's: nothing is charged, and the provider is asked again later.
    Provider,
    /// That of one of the memories that were sent.
    Memory,
    /// The error does not say. It is a memory's if others go through.
    Unknown,
}

impl Blame {
    pub fn of(error: &Error) -> Self {
        let retryable = error.details.get("retryable").and_then(serde_json::Value::as_bool);
        let status = error.details.get("status").and_then(serde_json::Value::as_u64);
        match (retryable, status) {
            _ if error.details.contains_key("tooLong") => Self::Memory,
            (Some(true), _) => Self::Provider,
            (_, Some(status)) if TEXT_REFUSED.contains(&status) => Self::Memory,
            (_, Some(_)) => Self::Provider,
            _ => Self::Unknown,
        }
    }
}

/// The pause that all work of this process grants a provider, and when it last worked.
#[derive(Debug, Default)]
pub(super) struct Provider(Mutex<Behaviour>);

#[derive(Debug, Default)]
struct Behaviour {
    failures: u32,
    until: Option<Instant>,
    worked: Option<Instant>,
}

impl Provider {
    pub fn worked(&self) {
        let mut behaviour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *behaviour = Behaviour { failures: 0, until: None, worked: Some(Instant::now()) };
    }

    pub fn worked_since(&self, begun: Instant) -> bool {
        let behaviour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        behaviour.worked.is_some_and(|worked| worked >= begun)
    }

    /// Grows the pause: exponential with full jitter, and never shorter than the provider asked for. Answers it without
    /// the jitter, as (least, on top).
    pub fn failed(&self, error: &Error, base: Duration) -> (Duration, Duration) {
        let mut behaviour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = base.saturating_mul(2_u32.saturating_pow(behaviour.failures)).min(LONGEST_PAUSE);
        let asked = error.details.get("retryAfterMs").and_then(serde_json::Value::as_u64);
        let least = Duration::from_millis(asked.unwrap_or_default()).min(LONGEST_PAUSE);
        behaviour.failures = behaviour.failures.saturating_add(1);
        behaviour.until = Some(Instant::now() + least + longest.mul_f64(rand::random_range(0.0..1.0)));
        (least, longest)
    }

    /// Whether it is to be left in peace now.
    pub fn pauses(&self) -> bool {
        let behaviour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        behaviour.until.is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Reason;

    fn error(details: &[(&str, serde_json::Value)]) -> Error {
        let error = Error::persistence(Reason::EmbeddingFailed, "x");
        details.iter().fold(error, |error, (key, value)| error.with(key, value.clone()))
    }

    #[test]
    fn only_what_is_said_of_the_text_is_charged_to_a_memory() {
        let refused = |status: u64| error(&[("retryable", false.into()), ("status", status.into())]);
        assert_eq!(Blame::of(&refused(400)), Blame::Memory);
        assert_eq!(Blame::of(&refused(413)), Blame::Memory);
        assert_eq!(
            Blame::of(&error(&[("retryable", false.into()), ("tooLong", true.into())])),
            Blame::Memory
        );
        assert_eq!(Blame::of(&refused(401)), Blame::Provider);
        assert_eq!(Blame::of(&refused(404)), Blame::Provider);
        assert_eq!(Blame::of(&error(&[("retryable", true.into()), ("status", 429.into())])), Blame::Provider);
        assert_eq!(Blame::of(&error(&[("retryable", true.into())])), Blame::Provider);
        assert_eq!(Blame::of(&error(&[("retryable", false.into())])), Blame::Unknown);
        assert_eq!(Blame::of(&error(&[])), Blame::Unknown);
    }

    #[test]
    fn pauses_grow_respect_what_was_asked_for_and_end_with_success() {
        let provider = Provider::default();
        let base = Duration::from_secs(1);
        let pauses: Vec<u64> = (0..10).map(|_| provider.failed(&error(&[]), base).1.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        let asked = provider.failed(&error(&[("retryAfterMs", 7000.into())]), base);
        assert_eq!(asked.0, Duration::from_secs(7));
        let begun = Instant::now();
        assert!(provider.pauses() && !provider.worked_since(begun));
        provider.worked();
        assert!(!provider.pauses() && provider.worked_since(begun));
        assert_eq!(provider.failed(&error(&[]), base).1, base);
    }
}
