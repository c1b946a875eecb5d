//! The catalog's rows of recordings follow what the recorder knows. Nobody who records waits for them: while the
//! database is away they are behind, and nothing queues up, because a round writes what is different and nothing else.

use std::collections::HashMap;
use std::time::Duration;

use catalog::recordings::{Progress, Recording, RecordingState};
use catalog::{Caller, Catalog, EntryId, Error, RecordingId};
use recorder::{About, Recorder, State, Told};
use stream::Quiet;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// So often rows are brought up to date of recordings that grow.
const ROUND: Duration = Duration::from_secs(5);

/// Keeps rows until told to stop, and brings them up to date once more when everything is in its files.
pub(crate) async fn keep(catalog: Catalog, recorder: Recorder, stop: CancellationToken) {
    let mut events = recorder.events();
    let mut rows = Rows { catalog, recorder, written: None, quiet: Quiet::default() };
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            told = events.recv() => match told {
                Ok(Told::Lost { .. } | Told::Resumed { .. }) => continue,
                Ok(Told::Removed { recording, .. } | Told::Hidden { recording, .. }) => {
                    rows.forget(&recording);
                    continue;
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            () = stop.cancelled() => break,
        }
        rows.bring_up_to_date().await;
    }
    rows.bring_up_to_date().await;
}

struct Rows {
    catalog: Catalog,
    recorder: Recorder,
    /// What the rows say; `None` while nobody has read them.
    written: Option<HashMap<RecordingId, Recording>>,
    quiet: Quiet,
}

impl Rows {
    async fn bring_up_to_date(&mut self) {
        if let Err(error) = self.try_to().await
            && let Some(unsaid) = self.quiet.may_say("rows")
        {
            tracing::warn!(%error, unsaid, "recordings go on; what the catalog says of them comes later");
        }
    }

    /// Who removed a recording has removed its row.
    fn forget(&mut self, recording: &str) {
        let written = self.written.iter_mut();
        written.for_each(|written| written.retain(|id, _| id.as_str() != recording));
    }

    async fn try_to(&mut self) -> Result<(), Error> {
        if self.written.is_none() {
            let rows = self.catalog.recordings().all().await?;
            self.written = Some(rows.into_iter().map(|row| (row.id.clone(), row)).collect());
        }
        let there: Vec<Recording> = self.recorder.all().iter().filter_map(row).collect();
        for recording in &there {
            self.write(recording).await?;
        }
        self.mark_missing(&there).await
    }

    async fn write(&mut self, recording: &Recording) -> Result<(), Error> {
        let Some(written) = &mut self.written else { return Ok(()) };
        if written.get(&recording.id).is_some_and(|row| same(row, recording)) {
            return Ok(());
        }
        match self.catalog.recordings().note(&Caller::server(), recording).await {
            Ok(()) => {}
            // Of an entry that the catalog does not have: one of the configuration, or one that was deleted.
            Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        written.insert(recording.id.clone(), recording.clone());
        Ok(())
    }

    /// Rows of recordings whose files are not there say so. Nothing is deleted: a disk may be missing.
    async fn mark_missing(&mut self, there: &[Recording]) -> Result<(), Error> {
        let Some(written) = &mut self.written else { return Ok(()) };
        let missing = written.values().filter(|row| {
            row.progress.state != RecordingState::Missing && there.iter().all(|it| it.id != row.id)
        });
        let missing: Vec<Recording> = missing.cloned().collect();
        for row in missing {
            tracing::warn!(entry = %row.entry, recording = %row.id, "the files of this recording are not there");
            let progress = Progress { state: RecordingState::Missing, ..row.progress };
            match self.catalog.recordings().progress(&Caller::server(), &row.id, progress).await {
                Ok(()) => drop(written.insert(row.id.clone(), Recording { progress, ..row })),
                // Somebody deleted it, files and row.
                Err(Error::NotFound(_)) => drop(written.remove(&row.id)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether a row says what is so; whether it is protected is not ours.
fn same(row: &Recording, recording: &Recording) -> bool {
    row.progress == recording.progress && row.started == recording.started && row.session == recording.session
}

/// The row of a recording; `None` of an entry that cannot be in the catalog.
fn row(about: &About) -> Option<Recording> {
    Some(Recording {
        id: RecordingId::parse(&about.id)?,
        entry: EntryId::parse(&about.entry)?,
        session: about.session,
        progress: Progress { state: state(about.state), ended: about.ended, bytes: about.bytes },
        started: about.started,
        protected: false,
    })
}

fn state(state: State) -> RecordingState {
    match state {
        State::Open => RecordingState::Open,
        State::Finished => RecordingState::Finished,
        State::Interrupted => RecordingState::Interrupted,
    }
}
