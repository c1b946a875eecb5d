//! MPEG-TS: playlists of a snapshot, and files that are made when they are asked for.
//!
//! A file costs a copy of everything in it, so it is made once however many ask, away from the threads that serve
//! connections, only some at a time, and kept for a while within a limit.

use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use moka::sync::Cache;
use packager::Rendition;
use packager::manifest::hls_ts;
use packager::names::Ts;
use packager::ts::{Absent, Program, carries, program};
use stream::{View, Viewer};
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tracing::error;

use crate::answer;
use crate::cache_control::Class;
use crate::immutable::Immutable;
use crate::loading::Loading;
use crate::lookup::{search, within};
use crate::manifest::{Key, Which};
use crate::problem::Problem;
use crate::route::{Origin, Wanted, settled, timely};
use crate::settings::Settings;

impl Origin {
    /// Answers what is named below `ts/`.
    pub(crate) async fn ts(
        &self,
        entry: &str,
        name: Ts,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        viewer: Viewer,
    ) -> Result<Response, Problem> {
        let child = matches!(name, Ts::Playlist { .. });
        let wanted = || self.wanted(entry, uri, child, viewer);
        match name {
            Ts::Multivariant => self.ts_multivariant(&wanted()?, headers),
            Ts::Playlist { rendition } => self.ts_playlist(&wanted()?, &rendition, headers),
            Ts::Segment { rendition, number } => {
                let program = self.program(entry, &rendition, number, viewer)?;
                let file = self.muxed.get((entry.into(), rendition, number), program, &self.loading).await?;
                answer::immutable(&file, method, headers)
            }
        }
    }

    fn ts_multivariant(&self, wanted: &Wanted<'_>, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let presentation = &view.presentation;
        if !hls_ts::suits(presentation) {
            return Err(Problem::NotForTs);
        }
        let key = Key { version: view.version, which: Which::TsMultivariant, options: wanted.query.options };
        let rendered = self.renderings.get(key, || hls_ts::multivariant(presentation, &key.options));
        let class = settled(&view).unwrap_or(Class::Multivariant { unsettled: true });
        Ok(answer::manifest(&rendered, answer::HLS, class, headers))
    }

    fn ts_playlist(&self, wanted: &Wanted<'_>, name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
        let view = self.view(wanted)?;
        let (rendition, version) = playable(&view, name)?;
        let options = wanted.query.options;
        let key = Key { version: view.version, which: Which::TsPlaylist(version), options };
        let rendered = self.renderings.get(key, || hls_ts::media(&view.presentation, rendition, &options));
        Ok(answer::manifest(&rendered, answer::HLS, timely(rendition.ended, &view), headers))
    }

    fn program(&self, entry: &str, rendition: &str, number: u64, viewer: Viewer) -> Result<Program, Problem> {
        let found = search(&self.source.sessions(entry, viewer), |presentation, newest| {
            let rendition = presentation.rendition(rendition)?;
            let of = || program(presentation, rendition, number).map_err(problem);
            within(rendition, number, newest).then(of)
        });
        found.unwrap_or_else(|| Err(self.why_no_media(entry, viewer)))
    }
}

fn problem(absent: Absent) -> Problem {
    match absent {
        Absent::NotYet => Problem::NotYet,
        Absent::Gone => Problem::Gone,
    }
}

/// The rendition of a playlist that lists something, and its version.
fn playable<'a>(view: &'a View, name: &str) -> Result<(&'a Arc<Rendition>, u64), Problem> {
    let (rendition, version) = view.rendition(name).ok_or(Problem::NoSuchRendition)?;
    if rendition.init().is_some_and(|init| !carries(init)) {
        return Err(Problem::NotForTs);
    }
    let listed = hls_ts::playable(&view.presentation, rendition);
    if listed { Ok((rendition, version)) } else { Err(Problem::Starting) }
}

/// An entry, a rendition of it and N. Numbers are burnt, so this names one file.
type Name = (String, String, u64);

/// A file that is being made or is there.
type File = Arc<OnceCell<Bytes>>;

/// The files that were made lately.
pub(crate) struct Muxed {
    cache: Cache<Name, (File, u32)>,
    places: Arc<Semaphore>,
}

impl Muxed {
    pub(crate) fn new(settings: &Settings) -> Muxed {
        let cache = Cache::builder()
            .max_capacity(settings.ts_cache_bytes)
            .weigher(|_: &Name, (_, weight): &(File, u32)| *weight)
            .time_to_idle(settings.ts_cache_idle)
            .build();
        Muxed { cache, places: Arc::new(Semaphore::new(settings.max_ts_muxing)) }
    }

    /// The file of that name, made of `program`. Those who ask while it is being made wait for it.
    async fn get(&self, name: Name, program: Program, loading: &Loading) -> Result<Immutable, Problem> {
        let (period, number) = (program.main.period.number, program.main.number);
        let (file, _) = self.cache.get_with(name, || (File::default(), weight(&program)));
        let bytes = file.get_or_try_init(|| self.make(program, loading)).await?.clone();
        Ok(Immutable::Transport { period, number, bytes })
    }

    async fn make(&self, program: Program, loading: &Loading) -> Result<Bytes, Problem> {
        let program = in_memory(program, loading).await?;
        let place = self.places.clone().acquire_owned().await;
        let made = spawn_blocking(move || {
            // Whoever asked may be gone: the place is free when the work is done.
            let _place = place;
            program.mux()
        });
        match made.await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(failed(&error)),
            Err(error) => Err(failed(&error)),
        }
    }
}

async fn in_memory(program: Program, loading: &Loading) -> Result<Program, Problem> {
    let main = loading.load(&program.main).await?;
    let sound = match &program.sound {
        Some(sound) => Some(loading.load(sound).await?),
        None => None,
    };
    Ok(Program { main, sound })
}

/// Bytes held, about: it is asked for before the file is there.
fn weight(program: &Program) -> u32 {
    const OVERHEAD: u64 = 32 << 10;
    let len = program.payload_len();
    u32::try_from(len + len / 16 + OVERHEAD).unwrap_or(u32::MAX)
}

/// What the packager made can be read; if not, it is not the viewer's fault and will be no better later.
fn failed(why: &dyn std::error::Error) -> Problem {
    error!("a segment cannot be made into MPEG-TS: {why}");
    Problem::Gone
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use media::codec::Avc;
    use media::{Codec, Timescale, Track, WallTime};
    use packager::presentation::{Content, Init, Period, Segment};
    use stream::NoStorage;

    use super::*;
    use crate::metrics::Loads;

    /// A segment of a video with no part: an empty file, which is enough to be made.
    fn empty(number: u64) -> Program {
        let avc = Avc {
            record: Bytes::from_static(&[1, 0x64, 0, 0x1f]),
            width: 1280,
            height: 720,
            pixel_aspect: (1, 1),
            length_size: 4,
            interlaced: false,
            color: None,
            in_band: false,
        };
        let track = Track::new(Codec::Avc(avc), Timescale::VIDEO);
        let init = Arc::new(Init { period: 1, track, bytes: Bytes::new() });
        let main = Segment {
            number,
            period: Arc::new(Period {
                number: 1,
                discontinuity: 0,
                start: WallTime::from_millis(0),
                elapsed: Duration::ZERO,
            }),
            start: 0,
            duration: 180_000,
            scale: Timescale::VIDEO,
            content: Content::Media { init, parts: Vec::new() },
        };
        Program { main: Arc::new(main), sound: None }
    }

    fn name(number: u64) -> Name {
        ("x".to_owned(), "video-1".to_owned(), number)
    }

    fn nothing_stored() -> Loading {
        Loading::new(&Settings::default(), Arc::new(NoStorage), &Loads::default())
    }

    #[tokio::test]
    async fn many_viewers_of_a_segment_cost_one_muxing() {
        let loading = nothing_stored();
        let muxed = Muxed::new(&Settings { max_ts_muxing: 1, ..Settings::default() });
        let asking = (0..100).map(|_| muxed.get(name(7), empty(7), &loading));
        let answers = futures_util::future::join_all(asking).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(muxed.cache.iter().count(), 1);
        let (file, _) = muxed.cache.get(&name(7)).expect("it is kept");
        assert!(file.initialized());
    }

    #[tokio::test]
    async fn bytes_held_are_bounded() {
        let settings = Settings { ts_cache_bytes: 1 << 20, ..Settings::default() };
        let loading = nothing_stored();
        let muxed = Muxed::new(&settings);
        for number in 0..100 {
            muxed.get(name(number), empty(number), &loading).await.expect("a file");
        }
        muxed.cache.run_pending_tasks();
        assert!(muxed.cache.weighted_size() <= 1 << 20);
        assert!(muxed.cache.entry_count() > 0);
    }

    #[tokio::test]
    async fn a_viewer_who_leaves_does_not_keep_others_from_it() {
        let loading = nothing_stored();
        let muxed = Muxed::new(&Settings { max_ts_muxing: 1, ..Settings::default() });
        let busy = muxed.places.clone().acquire_owned().await.expect("a place");
        let left =
            tokio::time::timeout(Duration::from_millis(10), muxed.get(name(7), empty(7), &loading)).await;
        assert!(left.is_err(), "there was no place");
        drop(busy);
        assert!(muxed.get(name(7), empty(7), &loading).await.is_ok());
    }
}
