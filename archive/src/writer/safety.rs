//! Making safe what was written, and leaving room.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use container::index::Reason;

use super::Writer;
use crate::lane::{Loss, MediaOut, Unsafe, reason_of};
use crate::policy::Sync;

/// The room on the file system is looked at so often at most.
const SPACE_CHECK: Duration = Duration::from_secs(1);
/// What renditions close within this time is made safe together.
const TOGETHER: Duration = Duration::from_millis(250);

impl Writer {
    /// Whether there is a place for more, and if not, why.
    pub(super) fn room(&mut self, now: Instant) -> Result<(), Loss> {
        if let Some((at, room)) = &self.room
            && now.saturating_duration_since(*at) < SPACE_CHECK
        {
            return room.clone();
        }
        let room = match self.files.space(&self.folder) {
            Ok(space) if space.free <= self.policy.keep_free => {
                Err((Reason::NoSpace, "what is to stay free is all that is left".to_owned()))
            }
            // What is open can still be written, and nobody would ever find it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err((Reason::Failed, "the folder of the recording is gone".to_owned()))
            }
            // Where nobody knows, writing will tell.
            _ => Ok(()),
        };
        self.room = Some((now, room.clone()));
        room
    }

    /// A rendition closed a segment: it is made safe once all have, because each sync costs about as much as writing a
    /// second of media does.
    pub(super) fn sync_with_others(&mut self, number: u64, now: Instant) {
        if self.policy.sync != Sync::Segment {
            return;
        }
        let by = *self.due_by.get_or_insert(now + TOGETHER);
        self.due |= by <= now || self.lanes.values().all(|lane| lane.has_closed(number));
    }

    pub(super) fn sync_if_due(&mut self, now: Instant) {
        self.due |= self.due_by.is_some_and(|by| by <= now);
        if let Sync::Interval(interval) = self.policy.sync {
            self.due |= !self.index.is_safe() && now.saturating_duration_since(self.synced) >= interval;
        }
        if self.due {
            // A failure leaves it due; what could not be made safe is lost and said so.
            self.due = self.sync(now).is_err();
        }
    }

    pub(super) fn sync(&mut self, now: Instant) -> io::Result<()> {
        self.synced = now;
        self.due_by = None;
        if self.new_names {
            self.files.sync_folder(&self.folder)?;
            self.new_names = false;
        }
        for name in self.lanes.keys().cloned().collect::<Vec<_>>() {
            let file = self.lanes.get_mut(&name).and_then(|lane| lane.file.take());
            if let Some(mut file) = file
                && self.sync_file(&name, &mut file)
            {
                self.with(&name, |lane| lane.file = Some(file));
            }
        }
        if self.index.is_safe() {
            return Ok(());
        }
        self.index.sync()?;
        self.index.mark()
    }

    /// Makes a file safe. Where that fails nobody knows what of it reached the disk, and asking again would not tell:
    /// what is not known to be safe is lost.
    pub(super) fn sync_file(&mut self, name: &Arc<str>, file: &mut MediaOut) -> bool {
        let (not_safe, next) = (file.not_safe, file.next);
        let Err(error) = file.sync() else { return true };
        if let Some(Unsafe { number: first, offset }) = not_safe {
            // Best effort, so that no player of the file alone shows what is said to be lost.
            let _ = self.files.cut(&file.path, offset);
            let reason = reason_of(&error);
            if next > first {
                self.lose(name, first, next - 1, reason, &error.to_string());
            }
            self.with(name, |lane| {
                if let Some(making) = &mut lane.making {
                    making.state = Err((reason, error.to_string()));
                }
            });
        }
        false
    }
}
