//! A log that a peer cannot fill: of each topic a few lines, then how many there would have been.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lines of one topic in one [`WINDOW`].
const LINES: u32 = 10;
/// After this a topic may be spoken of again.
const WINDOW: Duration = Duration::from_secs(60);

/// Decides which lines are written. Topics are the program's own words, so there are only so many of them.
#[derive(Debug, Default)]
pub struct Quiet(Mutex<HashMap<&'static str, Topic>>);

#[derive(Debug)]
struct Topic {
    since: Instant,
    lines: u32,
    unsaid: u64,
}

impl Quiet {
    /// Whether a line about `topic` may be written now: with how many were not, since the last one that was.
    pub fn may_say(&self, topic: &'static str) -> Option<u64> {
        let now = Instant::now();
        // Plain numbers, whole at every step: a panic elsewhere cannot have broken them.
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let topic = topics.entry(topic).or_insert(Topic { since: now, lines: 0, unsaid: 0 });
        if now.duration_since(topic.since) >= WINDOW {
            (topic.since, topic.lines) = (now, 0);
        }
        if topic.lines >= LINES {
            topic.unsaid += 1;
            return None;
        }
        topic.lines += 1;
        Some(std::mem::take(&mut topic.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_a_few_lines_and_a_number() {
        let quiet = Quiet::default();
        let said: Vec<_> = (0..1000).filter_map(|_| quiet.may_say("flood")).collect();
        assert_eq!(said, [0; 10]);
        assert_eq!(quiet.may_say("another"), Some(0), "each topic for itself");
        tokio::time::advance(WINDOW).await;
        assert_eq!((quiet.may_say("flood"), quiet.may_say("flood")), (Some(990), Some(0)));
    }
}
