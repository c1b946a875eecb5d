//! A panic ends what panicked, and nothing else.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tracing::error;

/// A task that ended by a panic, which is a bug of ours. It has been reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} ended by a panic")]
pub struct Panicked(&'static str);

/// Runs `task` to its end, or to its panic.
///
/// This is the one place where panics are reported; `what` is the kind of task and `whose` says which. What the
/// task held is dropped before this returns, so nothing broken stays behind.
pub fn isolated<T>(
    what: &'static str,
    whose: impl Display,
    task: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Panicked>> {
    // A block that awaits would hold the task twice.
    AssertUnwindSafe(task).catch_unwind().map(move |ended| {
        ended.map_err(|_| {
            error!(%whose, "{what} ended by a panic, others go on: this is a bug, please report it");
            Panicked(what)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error() {
        assert_eq!(isolated("a task", "mine", async { 7 }).await, Ok(7));
        let broken = isolated("a task", "mine", async { panic!("a bug that this test made") });
        assert_eq!(broken.await.map(|()| 0), Err(Panicked("a task")));
    }
}
