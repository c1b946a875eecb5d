//! Waiting for something to become true, with a deadline and a name for what did not come.

use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(25);

/// Looks until there is something to see, which it returns; panics with `what` after `seconds`.
pub fn within<T>(seconds: u64, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {seconds} s: {what}");
        pause();
    }
}

/// Lets `duration` pass, because the passing of time is what is tested, while `holds` says what must not change.
pub fn throughout(duration: Duration, mut holds: impl FnMut()) {
    let end = Instant::now() + duration;
    while Instant::now() < end {
        holds();
        pause();
    }
    holds();
}

/// Between two looks at something that cannot be waited for otherwise.
#[expect(
    clippy::disallowed_methods,
    reason = "a pause between two looks, not a guess how long something takes"
)]
pub fn pause() {
    thread::sleep(PAUSE);
}
