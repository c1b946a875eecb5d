//! The numbering state of an entry: what must outlive the process so that no number is used twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use media::WallTime;

use crate::timeline::Timeline;

/// The numbering state of an entry. Stored before anything with these numbers becomes visible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbers {
    /// The session that is on or was last.
    pub session: u64,
    /// Whether that session was ended; otherwise a restart may find it inside its reconnect window.
    pub ended: bool,
    /// The largest segment number that may have been visible.
    pub segment: u64,
    /// Whether segment number `segment` was finished; if not, it is burnt after an unclean start.
    pub closed: bool,
    /// The largest period number that may have been visible.
    pub period: u64,
    /// Discontinuity sequence number of the next period.
    pub discontinuity: u64,
    /// When this was written.
    pub at: WallTime,
    /// Media time up to which wall-clock fields were published: a new period starts no earlier.
    pub until: WallTime,
    /// EXT-X-TARGETDURATION of the session in seconds, once fixed.
    pub target_duration: Option<u32>,
    /// PART-TARGET of the session, once fixed.
    pub part_target: Option<Duration>,
    /// The longest GOP seen in the session.
    pub longest_gop: Duration,
    /// How much media the session had so far, over all its periods.
    pub elapsed: Duration,
    /// The largest number that a session or a timeline of one was named by.
    pub named: u64,
    /// The timelines that the session is shown on. Whoever shows them writes this; here it is only kept.
    pub shown: Arc<[Shown]>,
    /// By which bitrate Smooth URLs name each rendition, in bits per second: given once, for the life of the entry.
    pub bitrates: Arc<BTreeMap<Arc<str>, u32>>,
}

/// A timeline on which a session is shown: what must be known of it to go on with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Its name.
    pub name: Arc<str>,
    /// What names it in URLs, as the session's own id does: no other session or timeline ever has it.
    pub id: u64,
    /// Number of its first segment.
    pub first: u64,
    /// How long the session had gone on there.
    pub origin: Duration,
}

impl Shown {
    /// The name of the timeline that everybody sees who may watch the entry at all.
    pub const PUBLIC: &str = "public";
    /// The name of the whole of a session, which its own people see.
    pub const PREVIEW: &str = "preview";

    /// A session of which the public sees all.
    pub fn whole(session: u64) -> Shown {
        Shown { name: Shown::PUBLIC.into(), id: session, first: 0, origin: Duration::ZERO }
    }
}

impl Numbers {
    /// The state of an entry of which nothing is known.
    ///
    /// Segment and period numbers are the Unix time in seconds: they grow by less than one a second, so whatever
    /// an earlier, forgotten life of the entry used lies below.
    pub fn unknown(now: WallTime) -> Numbers {
        let seconds = now.unix_seconds().max(1) as u64;
        Numbers {
            session: seconds,
            ended: true,
            segment: seconds - 1,
            closed: true,
            period: seconds - 1,
            discontinuity: 0,
            at: now,
            until: WallTime::default(),
            target_duration: None,
            part_target: None,
            longest_gop: Duration::ZERO,
            elapsed: Duration::ZERO,
            named: 0,
            shown: Arc::default(),
            bitrates: Arc::default(),
        }
    }

    /// Beyond whatever may have been used after this was stored: numbers grow by less than one a second.
    pub fn beyond(self, now: WallTime) -> Numbers {
        // Enough even where the clock was wrong before, or is now.
        const MARGIN: u64 = 1000;
        let seconds = now.unix_seconds().max(1) as u64;
        let segment = seconds.max(self.segment + MARGIN);
        let period = seconds.max(self.period.max(self.named) + MARGIN);
        let named = seconds.max(self.named + MARGIN);
        let discontinuity = self.discontinuity + MARGIN;
        Numbers { segment, period, discontinuity, named, closed: true, ..self }
    }

    /// What may be visible of a period in the making.
    pub(crate) fn reach(&mut self, timeline: &Timeline) {
        self.segment = timeline.number();
        self.closed = false;
        self.until = timeline.period().start.plus(timeline.reached());
        self.elapsed = timeline.period().elapsed + timeline.end().duration().unwrap_or_default();
    }
}
