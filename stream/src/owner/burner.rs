//! Numbers are stored before anything with them can be seen.

use std::sync::Arc;
use std::time::Duration;

use media::WallTime;
use packager::Numbers;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::warn;

use crate::Ledger;

/// Live goes on without the ledger when that takes longer.
const PATIENCE: Duration = Duration::from_millis(500);
/// What the end of the process waits for the ledger.
const LAST_PATIENCE: Duration = Duration::from_secs(4);

/// Stores the numbers of one entry.
pub(super) struct Burner {
    entry: Arc<str>,
    ledger: Arc<dyn Ledger>,
    stored: Option<Numbers>,
    storing: Option<JoinHandle<std::io::Result<()>>>,
}

impl Burner {
    pub(super) fn new(entry: Arc<str>, ledger: Arc<dyn Ledger>) -> Burner {
        Burner { entry, ledger, stored: None, storing: None }
    }

    /// What an earlier life left, or numbers that lie beyond whatever it can have used.
    pub(super) async fn load(&self, now: WallTime) -> Numbers {
        let (ledger, entry) = (self.ledger.clone(), self.entry.clone());
        let loaded = tokio::task::spawn_blocking(move || ledger.load(&entry)).await;
        let known = match loaded {
            Ok(Ok(known)) => known,
            Ok(Err(error)) => {
                warn!(entry = %self.entry, %error, "numbering state is not readable: numbers go on from the clock");
                None
            }
            Err(error) => {
                warn!(entry = %self.entry, %error, "numbering state could not be read: numbers go on from the clock");
                None
            }
        };
        known.unwrap_or_else(|| Numbers::unknown(now))
    }

    /// Stores the numbers if they changed. Live does not wait for a disk that hangs or fails.
    pub(super) async fn burn(&mut self, numbers: &Numbers) {
        if self.knows(numbers) || self.storing.as_ref().is_some_and(|storing| !storing.is_finished()) {
            return;
        }
        if self.store(numbers, PATIENCE).await.is_err() {
            warn!(entry = %self.entry, "numbering state is slow to store: live goes on");
        }
    }

    /// Stores the numbers as they stay, behind what is being stored: with older ones the next start would take them for
    /// those of a process that died. Nobody watches any more, so this has longer.
    pub(super) async fn settle(&mut self, numbers: &Numbers) {
        let settled = async {
            if let Some(storing) = self.storing.take() {
                self.look_at(storing.await);
            }
            match self.knows(numbers) {
                true => Ok(()),
                false => self.store(numbers, LAST_PATIENCE).await,
            }
        };
        if !matches!(timeout(LAST_PATIENCE, settled).await, Ok(Ok(()))) {
            warn!(entry = %self.entry, "numbering state was not stored in time: the next start takes this for a crash");
        }
    }

    fn knows(&self, numbers: &Numbers) -> bool {
        self.stored.as_ref().is_some_and(|stored| same(stored, numbers))
    }

    async fn store(&mut self, numbers: &Numbers, patience: Duration) -> Result<(), Elapsed> {
        let (ledger, entry, numbers) = (self.ledger.clone(), self.entry.clone(), numbers.clone());
        self.stored = Some(numbers.clone());
        let mut storing = tokio::task::spawn_blocking(move || ledger.store(&entry, &numbers));
        let stored = timeout(patience, &mut storing).await.inspect_err(|_| self.storing = Some(storing))?;
        self.look_at(stored);
        Ok(())
    }

    fn look_at(&self, stored: Result<std::io::Result<()>, JoinError>) {
        match stored {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(entry = %self.entry, %error, "numbering state could not be stored: live goes on");
            }
            Err(error) => warn!(entry = %self.entry, %error, "numbering state could not be stored"),
        }
    }
}

/// Whether nothing changed that a later process must know. What grows with each sample is stored with the next number.
fn same(stored: &Numbers, numbers: &Numbers) -> bool {
    let Numbers { at, until, longest_gop, elapsed, .. } = *numbers;
    Numbers { at, until, longest_gop, elapsed, ..stored.clone() } == *numbers
}
