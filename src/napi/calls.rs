//! Running calls by number, so that an AbortSignal on the JavaScript side can stop them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

#[derive(Default)]
pub struct Calls {
    running: Mutex<HashMap<u32, CancellationToken>>,
}

impl Calls {
    pub fn begin(self: &Arc<Self>, id: u32) -> Call {
        let token = CancellationToken::new();
        self.lock().insert(id, token.clone());
        Call { calls: Arc::clone(self), id, token }
    }

    /// Stops the call if it still runs.
    pub fn cancel(&self, id: u32) {
        if let Some(token) = self.lock().get(&id) {
            token.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets its number when it is dropped.
pub struct Call {
    calls: Arc<Calls>,
    id: u32,
    pub token: CancellationToken,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.id);
    }
}
