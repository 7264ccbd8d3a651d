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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_rejects_its_call_and_no_other() {
        async fn broken() -> Result<()> {
            panic!("a bug")
        }
        let going_on = tokio::spawn(run(async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            Ok(2)
        }));
        for _ in 0..8 {
            assert_eq!(run(broken()).await.expect_err("it panicked").reason, Reason::Internal);
        }
        assert_eq!(going_on.await.expect("it lives").expect("it did not panic"), 2);
        assert_eq!(run(async { Ok(1) }).await.expect("more threads than panics are left"), 1);
    }
}
