//! A circuit breaker: after some failures in a row, calls fail at once until a probe succeeds.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::graph::Circuit;

/// When to open, and for how long. The pause doubles with every failed probe.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub threshold: u32,
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Policy {
    fn doubled(self, pause: Duration) -> Duration {
        pause.saturating_mul(2).min(self.longest_pause)
    }
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, pause: Duration },
    Probing { pause: Duration },
}

#[derive(Debug)]
pub(super) struct CircuitBreaker {
    policy: Policy,
    state: Mutex<State>,
}

/// The leave to make one call. Tell it how the call went; a permit that is merely dropped says nothing about the
/// other side and hands a probe to the next caller.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    probe: bool,
    told: bool,
}

impl CircuitBreaker {
    pub fn new(policy: Policy) -> Self {
        Self { policy, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    /// `None` while the circuit is open or another caller's probe is under way.
    pub fn admit(&self) -> Option<Permit<'_>> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<Permit<'_>> {
        let mut state = self.lock();
        let probe = match *state {
            State::Closed { .. } => false,
            State::Open { until, pause } if now >= until => {
                *state = State::Probing { pause };
                true
            }
            State::Open { .. } | State::Probing { .. } => return None,
        };
        Some(Permit { breaker: self, probe, told: false })
    }

    pub fn circuit(&self) -> Circuit {
        match *self.lock() {
            State::Closed { .. } => Circuit::Closed,
            State::Open { .. } => Circuit::Open,
            State::Probing { .. } => Circuit::Probing,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is replaced whole, so it is sound even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// The other side answered, be it with a refusal.
    pub fn succeeded(mut self) {
        self.told = true;
        let mut state = self.breaker.lock();
        if self.probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
    }

    /// The other side could not be reached.
    pub fn failed(self) {
        self.failed_at(Instant::now());
    }

    fn failed_at(mut self, now: Instant) {
        self.told = true;
        let policy = self.breaker.policy;
        let mut state = self.breaker.lock();
        *state = match *state {
            State::Closed { failures } if failures + 1 < policy.threshold => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => {
                State::Open { until: now + policy.first_pause, pause: policy.first_pause }
            }
            State::Probing { pause } if self.probe => {
                let pause = policy.doubled(pause);
                State::Open { until: now + pause, pause }
            }
            // A straggler from before the circuit opened.
            other => other,
        };
    }

    /// The other side will not have us for a while, whatever we try (a wrong password): opens at once for the longest pause.
    pub fn barred(mut self) {
        self.told = true;
        let pause = self.breaker.policy.longest_pause;
        *self.breaker.lock() = State::Open { until: Instant::now() + pause, pause };
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.told || !self.probe {
            return;
        }
        let mut state = self.breaker.lock();
        if let State::Probing { pause } = *state {
            *state = State::Open { until: Instant::now(), pause };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn breaker() -> CircuitBreaker {
        CircuitBreaker::new(Policy { threshold: 2, first_pause: PAUSE, longest_pause: PAUSE * 3 })
    }

    fn fail(breaker: &CircuitBreaker, now: Instant) {
        breaker.admit_at(now).expect("admitted").failed_at(now);
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, now);
        breaker.admit_at(now).expect("still closed").succeeded();
        fail(&breaker, now);
        assert!(breaker.admit_at(now).is_some());
        fail(&breaker, now);
        assert!(breaker.admit_at(now).is_none());
    }

    #[test]
    fn lets_one_probe_through_and_closes_on_its_success() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, now);
        fail(&breaker, now);
        let later = now + PAUSE;
        let probe = breaker.admit_at(later).expect("a probe after the pause");
        assert!(breaker.admit_at(later).is_none(), "one probe at a time");
        probe.succeeded();
        assert!(breaker.admit_at(later).is_some());
    }

    #[test]
    fn doubles_the_pause_up_to_the_longest() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, now);
        fail(&breaker, now);
        let second = now + PAUSE;
        fail(&breaker, second);
        assert!(breaker.admit_at(second + PAUSE).is_none());
        let third = second + PAUSE * 2;
        fail(&breaker, third);
        assert!(breaker.admit_at(third + PAUSE * 3).is_some(), "three, not four pauses");
    }

    #[test]
    fn a_dropped_probe_makes_room_for_the_next() {
        let (breaker, now) = (breaker(), Instant::now());
        fail(&breaker, now);
        fail(&breaker, now);
        let later = now + PAUSE;
        drop(breaker.admit_at(later).expect("a probe"));
        assert!(breaker.admit_at(later).is_some());
    }

    #[test]
    fn stragglers_do_not_touch_an_open_circuit() {
        let (breaker, now) = (breaker(), Instant::now());
        let (early, late) = (breaker.admit_at(now).expect("closed"), breaker.admit_at(now).expect("closed"));
        fail(&breaker, now);
        fail(&breaker, now);
        early.succeeded();
        late.failed_at(now);
        assert!(breaker.admit_at(now).is_none());
        assert!(breaker.admit_at(now + PAUSE).is_some());
    }

    #[test]
    fn barred_opens_at_once() {
        let breaker = breaker();
        breaker.admit().expect("closed").barred();
        assert!(breaker.admit().is_none());
    }
}
