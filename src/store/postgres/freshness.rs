//! Which pooled connections may be used as they are, which are asked first, and which are let go.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnectionMetadata;

/// A connection that idled this long is pinged before use: servers, poolers and NATs end silent ones.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

/// What is done with a connection before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    None,
    Ping,
    LetGo,
}

/// What became of connections of the same pool tells about the others.
#[derive(Debug, Default)]
pub(super) struct Freshness {
    /// One was lost then.
    lost: Mutex<Option<Instant>>,
    /// One was found then to lead to a server that takes no writes.
    read_only: Mutex<Option<Instant>>,
}

impl Freshness {
    /// The server or the pooler may have been restarted: connections not used since then are asked first.
    pub fn one_was_lost(&self) {
        set(&self.lost);
    }

    /// After a failover new connections lead to the new primary.
    pub fn one_was_read_only(&self) {
        set(&self.read_only);
    }

    pub fn check(&self, meta: &PoolConnectionMetadata) -> Check {
        self.judge(Instant::now(), meta.age, meta.idle_for)
    }

    fn judge(&self, now: Instant, age: Duration, idle_for: Duration) -> Check {
        let since = |moment: &Mutex<Option<Instant>>| get(moment).map(|then| now.duration_since(then));
        if since(&self.read_only).is_some_and(|since| age > since) {
            Check::LetGo
        } else if idle_for >= PING_AFTER_IDLE || since(&self.lost).is_some_and(|since| idle_for > since) {
            Check::Ping
        } else {
            Check::None
        }
    }
}

fn set(moment: &Mutex<Option<Instant>>) {
    *moment.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

fn get(moment: &Mutex<Option<Instant>>) -> Option<Instant> {
    *moment.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn connections_in_use_are_believed_and_idle_ones_are_asked() {
        let fresh = Freshness::default();
        assert_eq!(fresh.judge(Instant::now(), LONG, SHORT), Check::None);
        assert_eq!(fresh.judge(Instant::now(), LONG, LONG), Check::Ping);
    }

    #[test]
    fn after_a_loss_those_not_used_since_are_asked() {
        let fresh = Freshness::default();
        fresh.one_was_lost();
        let later = Instant::now() + SHORT;
        assert_eq!(fresh.judge(later, LONG, SHORT * 2), Check::Ping);
        assert_eq!(fresh.judge(later, LONG, Duration::ZERO), Check::None);
    }

    #[test]
    fn after_a_failover_older_sessions_are_let_go() {
        let fresh = Freshness::default();
        fresh.one_was_read_only();
        let later = Instant::now() + SHORT;
        assert_eq!(fresh.judge(later, LONG, Duration::ZERO), Check::LetGo);
        assert_eq!(fresh.judge(later, Duration::ZERO, Duration::ZERO), Check::None);
    }
}
