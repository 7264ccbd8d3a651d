//! Our own runtime. napi shuts its down when the last environment of the process exits, and pools that lived on it
//! would fail in the worker thread that comes next.

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Reason, Result};

static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).thread_name("izzie-memory").enable_all().build()
});

pub fn runtime() -> Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|error| Error::persistence(Reason::Internal, format!("no runtime: {}", error.kind())))
}

/// Runs work on our runtime. A panic becomes an error; the process lives on.
pub async fn run<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let task = runtime()?.spawn(AssertUnwindSafe(work).catch_unwind());
    match task.await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) | Err(_) => {
            Err(Error::persistence(Reason::Internal, "a bug in izzie-memory: the call panicked"))
        }
    }
}
