//! Smooth Streaming: its manifest, and what that waits for.

use std::sync::Arc;
use std::time::SystemTime;

use axum::response::Response;
use http::{HeaderMap, Uri};
use media::{MediaTime, Timescale, WallTime};
use packager::manifest::{Options, smooth};
use packager::names::Resource;
use stream::{Found, View, Viewer};
use tokio::time::timeout;

use crate::manifest::{Key, Which};
use crate::problem::Problem;
use crate::route::{Origin, Wanted, timely};
use crate::target::Query;
use crate::{answer, target};

/// After so long nobody is left who watched it live: a player has played what it had in its buffer, which is no more than
/// the window that live manifests list, half a minute as it comes.
const LEAVING: MediaTime = MediaTime::new(60_000, Timescale::MILLIS);

impl Origin {
    /// A manifest of a stream that has something to play, but not for Smooth yet, is waited for: a client that gets none
    /// gives up.
    pub(crate) async fn await_smooth(&self, uri: &Uri, viewer: Viewer) {
        if let Ok((entry, Resource::Smooth)) = target::parse(uri.path())
            && let Ok(Query { session, .. }) = self.query(entry, uri, viewer)
        {
            // Started or not, the answer says.
            let _ = timeout(self.start_hold, self.smooth_started(entry, session, viewer)).await;
        }
    }

    async fn smooth_started(&self, entry: &str, session: Option<u64>, viewer: Viewer) {
        while let Found::View(view) = self.source.find(entry, session, viewer) {
            let Some((rendition, version)) = lacking(&view) else { return };
            self.source.changed(entry, session, viewer, &rendition, version).await;
        }
    }

    /// The client manifest. That there is none yet is found out once for all who ask, too.
    pub(crate) fn smooth(&self, wanted: &Wanted<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let presentation = &view.presentation;
        if !smooth::suits(presentation) {
            return Err(Problem::NotForSmooth);
        }
        let options = Options { from_zero: self.is_from_zero(wanted, &view), ..wanted.query.options };
        let key = Key { version: view.version, which: Which::Smooth, options };
        let write = || smooth::manifest(presentation, &key.options).unwrap_or_default();
        let rendered = self.renderings.get(key, write);
        if rendered.plain().body.is_empty() {
            return Err(Problem::Starting);
        }
        Ok(answer::manifest(&rendered, answer::SMOOTH, timely(presentation.ended, &view), headers))
    }

    /// What is stored of a session does not tell how long its encoder was waited for; the stream does, while it keeps it.
    fn is_from_zero(&self, wanted: &Wanted<'_>, view: &Arc<View>) -> bool {
        let mut seen = self.source.sessions(wanted.entry, wanted.viewer);
        seen.push(view.clone());
        let since = seen.iter().map(|view| over_since(view)).max().unwrap_or_default();
        is_from_zero(view, &wanted.query, since, SystemTime::now().into())
    }
}

/// Whether a manifest counts its times from zero. A player with a clock of its own begins there, and would wait half a
/// century for what stands at Unix time. Who watched it live goes on asking for the manifest that he has, with its
/// session named or without, and must not see another timeline; so this is for what nobody had live, and for what has
/// been over for a while.
fn is_from_zero(view: &View, query: &Query, over_since: WallTime, now: WallTime) -> bool {
    let plain = query.session.is_none() && query.asked.is_none();
    view.presentation.ended && plain && (view.on_demand || now >= over_since.plus(LEAVING))
}

/// When the last of it was on air, or its stream said that nothing more comes, whichever was later.
fn over_since(view: &View) -> WallTime {
    let ends = view.presentation.renditions.iter().filter_map(|rendition| rendition.last());
    ends.map(|last| last.wall_end()).chain([view.presentation.published]).max().unwrap_or_default()
}

/// The rendition that has to go on before there is a manifest, with its version.
fn lacking(view: &View) -> Option<(Arc<str>, u64)> {
    let presentation = &view.presentation;
    if presentation.ended || smooth::playable(presentation) || !smooth::suits(presentation) {
        return None;
    }
    let newest = |rendition: &&Arc<packager::Rendition>| rendition.last().map(|last| last.number);
    let slowest = smooth::living(presentation).min_by_key(newest)?;
    view.rendition(&slowest.name).map(|(rendition, version)| (rendition.name.clone(), version))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use packager::Presentation;
    use packager::presentation::{Record, Retention, Session};
    use packager::window::{Asked, At};

    use super::*;

    const START: WallTime = WallTime::from_millis(1_795_309_432_000);

    fn seconds(seconds: i64) -> WallTime {
        START.plus(MediaTime::new(seconds * 1000, Timescale::MILLIS))
    }

    fn view(ended: bool) -> View {
        let minute = Duration::from_secs(60);
        let retention = Retention { live: minute, dvr: minute, dvr_bytes: 0, max_bytes: 0 };
        let session = Session {
            id: 1,
            target_duration: 2,
            part_target: Duration::from_millis(500),
            low_latency: true,
            window: minute,
            retention,
            burnt: None,
        };
        let mut presentation = Presentation::new(Arc::new(session), START);
        if ended {
            presentation.apply(Record::End, seconds(30));
        }
        View::new(Arc::new(presentation), stream::Air::Live, None)
    }

    fn from_zero(view: &View, query: Query, now: i64) -> bool {
        is_from_zero(view, &query, over_since(view), seconds(now))
    }

    #[test]
    fn an_entry_counts_from_zero_when_it_has_been_over_for_a_minute() {
        let (live, over) = (view(false), view(true));
        assert_eq!(over_since(&over), seconds(30), "its encoder was waited for");
        let plain = Query::default();
        assert!([31, 61, 89].iter().all(|&now| !from_zero(&over, plain, now)));
        assert!([90, 91, 1_000_000].iter().all(|&now| from_zero(&over, plain, now)));
        assert!(!from_zero(&live, plain, 1_000_000));
    }

    #[test]
    fn what_nobody_had_live_does_so_at_once() {
        let plain = Query::default();
        for on_demand in [view(true).on_demand(), view(true).for_good()] {
            assert!(from_zero(&on_demand, plain, 31));
        }
        assert!(!from_zero(&view(false).on_demand(), plain, 31), "it is not over");
    }

    #[test]
    fn whoever_names_a_session_or_a_window_stays_on_its_timeline() {
        let since = Asked { start: Some(At::Since(0)), end: None };
        let query = Query::default();
        for asked in [Query { session: Some(1), ..query }, Query { asked: Some(since), ..query }] {
            assert!(!from_zero(&view(true), asked, 1000));
            assert!(!from_zero(&view(true).for_good(), asked, 1000));
        }
    }
}
