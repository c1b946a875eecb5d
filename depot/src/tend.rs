//! Looking after one recording until nothing is left to do.

use std::sync::Arc;
use std::time::Duration;

use stream::Quiet;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::backoff::Backoff;
use crate::book::Stage;
use crate::end::until;
use crate::part;
use crate::trouble::Trouble;
use crate::upload::Recording;

/// So often it is looked whether a recording has grown.
const LOOK: Duration = Duration::from_secs(2);
/// By so many bytes, before its index is read again.
const GROWN: u64 = part::SIZE / 2;

/// What follows.
enum Next {
    /// Nothing: all is where it should be.
    Nothing,
    /// It grows, and had so many bytes.
    Grows(u64),
    /// Its media here goes after a while.
    Leaves(Duration),
}

/// A recording with what is wanted for it.
pub(crate) struct Tended {
    pub recording: Recording,
    /// How long its media stays here when all of it is there; `None` for ever.
    pub keep_local: Option<Duration>,
    pub quiet: Arc<Quiet>,
}

impl Tended {
    /// Looks after it until all of it is where it should be, or it is gone. Then, and if nobody has begun to write to it
    /// meanwhile, it leaves the book.
    pub async fn tend(self, mut live: watch::Receiver<bool>) {
        let mut backoff = Backoff::default();
        loop {
            let growing = *live.borrow_and_update();
            let wait = match self.round(growing).await {
                Ok(next) => {
                    backoff.reset();
                    self.well();
                    next
                }
                Err(_) if self.is_gone().await => Next::Nothing,
                Err(error) => {
                    self.failed(&error);
                    tokio::select! {
                        () = sleep(backoff.next()) => {}
                        _ = live.changed() => {}
                    }
                    continue;
                }
            };
            match wait {
                Next::Nothing if self.closes(&live) => return,
                // Somebody writes, or says so of what is gone.
                Next::Nothing => sleep(LOOK).await,
                Next::Grows(bytes) => tokio::select! {
                    () = self.grown(bytes) => {}
                    _ = live.changed() => {}
                },
                Next::Leaves(wait) => tokio::select! {
                    () = sleep(wait) => {}
                    _ = live.changed() => {}
                },
            }
        }
    }

    async fn round(&self, growing: bool) -> Result<Next, Trouble> {
        let recording = &self.recording;
        let line = &recording.line;
        line.stage(if growing { Stage::Growing } else { Stage::Uploading });
        let bytes = recording.blocking(|folder| folder.media_bytes()).await?;
        let survey = recording.upload(!growing).await?;
        if growing {
            return Ok(Next::Grows(bytes));
        }
        recording.verify(&survey).await?;
        let complete = recording.complete().await?;
        line.stage(Stage::Complete);
        let Some(keep) = self.keep_local else { return Ok(Next::Nothing) };
        let wait = until(complete.at, keep);
        if !wait.is_zero() {
            return Ok(Next::Leaves(wait));
        }
        match recording.leave().await? {
            true => line.stage(Stage::Moved),
            false => warn!(recording = %recording.store, "what is here is damaged: it stays beside its copy"),
        }
        Ok(Next::Nothing)
    }

    /// Resolves when there are so many more bytes that a part may be final.
    async fn grown(&self, since: u64) {
        loop {
            sleep(LOOK).await;
            match self.recording.blocking(|folder| folder.media_bytes()).await {
                Ok(bytes) if bytes < since.saturating_add(GROWN) => {}
                _ => return,
            }
        }
    }

    /// Whether the folder is not there any more.
    async fn is_gone(&self) -> bool {
        let looked = self.recording.blocking(|folder| folder.media_bytes()).await;
        matches!(looked, Err(Trouble::Disk(_, error)) if error.kind() == std::io::ErrorKind::NotFound)
    }

    /// Leaves the book, if nobody writes.
    fn closes(&self, live: &watch::Receiver<bool>) -> bool {
        let mut slots = self.recording.line.book.slots();
        // Whoever begins to write says so under this lock.
        let closes = !*live.borrow() && !live.has_changed().unwrap_or(false);
        if closes {
            slots.remove(&self.recording.store);
        }
        closes
    }

    fn failed(&self, error: &Trouble) {
        if self.recording.line.failed(error.to_string())
            && let Some(unsaid) = self.quiet.may_say("upload failed")
        {
            let recording = &self.recording.store;
            warn!(%recording, unsaid, "{error}; it is tried again until it is there, the recording stays here");
        }
    }

    fn well(&self) {
        if self.recording.line.went_well()
            && let Some(unsaid) = self.quiet.may_say("upload goes on")
        {
            info!(recording = %self.recording.store, unsaid, "the object store takes recordings again");
        }
    }
}
