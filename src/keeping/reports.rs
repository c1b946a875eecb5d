//! Reports of what recordings have and lack, read on threads that may block, and from the object store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use archive::files::Disk;
use archive::integrity::{self, Damaged, Elsewhere, RenditionReport, Verification};
use archive::recover::{self, Error};
use archive::times::Times;
use catalog::{EntryId, RecordingId};
use control_api::archive::{DamagedSegment, Gap, Integrity, OfRendition, Place, Unreadable, Verified};
use depot::Depot;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

/// Indices that are read at once: one of a long recording takes tens of megabytes.
const AT_ONCE: usize = 2;

/// Makes reports.
pub(super) struct Reports {
    root: PathBuf,
    depot: Option<Depot>,
    reading: Arc<Semaphore>,
    /// For who reads all of a recording.
    verifying: Arc<Semaphore>,
}

impl Reports {
    pub(super) fn new(root: PathBuf, depot: Option<Depot>) -> Reports {
        let (reading, verifying) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(1)));
        Reports { root, depot, reading, verifying }
    }

    /// Reads what a recording has and lacks. Verifying stops when nobody waits for it any more.
    pub(super) async fn make(
        &self,
        entry: &EntryId,
        recording: &RecordingId,
        verify: bool,
    ) -> Result<Integrity, Unreadable> {
        let permit = self.permit(verify).await?;
        let wanted = Wanted::default();
        let store = format!("{entry}/{recording}");
        let (folder, alive) = (self.root.join(&store), wanted.0.clone());
        let reading = spawn_blocking(move || {
            let found = report(&folder, verify, &|| !alive.load(Ordering::Relaxed));
            // Who went away lets the next one in when reading has come to its end.
            found.map(|found| (found, permit))
        });
        let read = reading.await.unwrap_or_else(|panic| Err(Unreadable::Failed(panic.to_string())));
        let ((mut found, elsewhere), _permit) = read?;
        if let Some(verified) = &mut found.verified {
            let damaged = self.elsewhere(&store, &elsewhere).await?;
            verified.checked += elsewhere.len() as u64;
            verified.damaged.extend(damaged.into_iter().map(|it| of_damaged(it, Place::ObjectStore)));
        }
        Ok(found)
    }

    /// What was moved is read where it is. Without a store nobody has it.
    async fn elsewhere(&self, store: &str, segments: &[Elsewhere]) -> Result<Vec<Damaged>, Unreadable> {
        match &self.depot {
            Some(depot) => {
                let checked = depot.check(store, segments).await;
                checked.map_err(|error| Unreadable::Failed(error.to_string()))
            }
            None => Ok(segments.iter().filter_map(|it| it.judge(None)).collect()),
        }
    }

    async fn permit(&self, verify: bool) -> Result<OwnedSemaphorePermit, Unreadable> {
        if verify {
            return self.verifying.clone().try_acquire_owned().map_err(|_| Unreadable::Busy);
        }
        self.reading.clone().acquire_owned().await.map_err(|_| Unreadable::Busy)
    }
}

/// Somebody waits for it until this is dropped.
#[derive(Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What a recording has and lacks, and what of it is to be verified elsewhere.
fn report(
    folder: &Path,
    verify: bool,
    is_wanted: &dyn Fn() -> bool,
) -> Result<(Integrity, Vec<Elsewhere>), Unreadable> {
    let contents = recover::read(&Disk, folder).map_err(unreadable)?;
    let (report, times) = (integrity::report(&contents), Times::of(&contents));
    let mut verified = verify.then(|| integrity::verify_while(&Disk, folder, &contents, is_wanted));
    let elsewhere = verified.as_mut().map(|it| std::mem::take(&mut it.elsewhere)).unwrap_or_default();
    let renditions = report.renditions.into_iter().map(|it| of_rendition(it, &times)).collect();
    let verified = verified.map(of_verification);
    Ok((Integrity { renditions, estimated: report.estimated, verified }, elsewhere))
}

fn of_rendition(report: RenditionReport, times: &Times) -> OfRendition {
    let gap = |gap: archive::contents::Gap| {
        let (from, until) = times.of_gap(&gap);
        Gap { first: gap.first, last: gap.last, from, until, reason: gap.reason.as_str(), note: gap.note }
    };
    OfRendition {
        name: report.name,
        expected: report.expected,
        stored: report.stored,
        partial: report.partial,
        silent: report.silent,
        bytes: report.bytes,
        gaps: report.gaps.into_iter().map(gap).collect(),
    }
}

fn of_verification(found: Verification) -> Verified {
    let damaged = found.damaged.into_iter().map(|it| of_damaged(it, Place::Disk));
    Verified { checked: found.checked, damaged: damaged.collect() }
}

fn of_damaged(found: Damaged, place: Place) -> DamagedSegment {
    DamagedSegment { rendition: found.rendition, number: found.number, place, missing: found.missing }
}

fn unreadable(error: Error) -> Unreadable {
    match error {
        Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Unreadable::Missing,
        error => Unreadable::Failed(error.to_string()),
    }
}
