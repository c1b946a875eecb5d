//! Where a live entry stands, and how its encoders do.

use std::time::SystemTime;

use catalog::EntryId;
use media::WallTime;
use serde::Serialize;
use stream::{Directory, Report, State};
use utoipa::ToSchema;

use super::health::HealthView;
use super::link::LinkView;
use super::metadata::{self, MetadataView};
use super::recording::RecordingView;
use crate::control::Control;
use crate::times;
use crate::words::Leg;

/// Where a live entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// Nobody publishes to it, nor did lately.
    Offline,
    /// Its own people can watch.
    Preview,
    /// Everybody can watch who may at all.
    Live,
    /// It was on and is over; what is left of it can still be watched.
    Ended,
}

impl Status {
    pub(crate) fn of(directory: &Directory, entry: &EntryId) -> Status {
        Status::reported(directory.report(entry.as_str()).as_ref())
    }

    fn reported(report: Option<&Report>) -> Status {
        let Some(report) = report else { return Status::Offline };
        match (report.state, report.air) {
            (State::Ended, _) => Status::Ended,
            (State::Waiting, _) if report.session.is_none() => Status::Offline,
            (_, stream::Air::Preview) => Status::Preview,
            (_, stream::Air::Live) => Status::Live,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Offline => "offline",
            Status::Preview => "preview",
            Status::Live => "live",
            Status::Ended => "ended",
        }
    }
}

/// A live entry as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveStatus)]
pub(crate) struct StatusView {
    /// Where it stands.
    status: Status,
    /// Since when its stream is published to, waits for its encoder, or is over.
    #[schema(required, format = DateTime)]
    since: Option<String>,
    /// Its encoder went away, and may come back within the reconnect window.
    waiting: bool,
    /// Whether there is something to play.
    playable: bool,
    /// Whether that is a recording, in place of what was live.
    vod: bool,
    /// The session that is on, or was last: what `s` in playlist URLs names.
    #[schema(required)]
    session: Option<u64>,
    /// Who publishes.
    legs: Vec<LegView>,
    /// What came in and went out since the stream began, over all of its sessions.
    counters: Counters,
    /// The publisher that left last.
    #[schema(required)]
    last: Option<LastView>,
    /// How many were seen watching in the last half minute; those whom a cache in front answers are not.
    viewers: u64,
    /// The newest timed metadata that its encoders sent, newest last: at most sixteen pieces.
    metadata: Vec<MetadataView>,
    /// What the recorder does.
    recording: RecordingView,
}

/// A publisher that is on.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveLeg)]
struct LegView {
    /// Which leg it is.
    leg: Leg,
    /// The rendition of a switching set that it publishes: `720p` of a push to `KEY_720p`. `null` of a push to `KEY`.
    #[schema(required, example = "720p")]
    rendition: Option<String>,
    /// How it publishes.
    #[schema(example = "rtmp")]
    protocol: &'static str,
    /// Where it comes from.
    #[schema(example = "192.0.2.7:50412")]
    peer: String,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// The same in seconds.
    uptime: f64,
    /// What it sends, and whether it is ready to go on air.
    health: HealthView,
    /// How the network to it does, as SRT measures that; `null` of other protocols.
    #[schema(required)]
    link: Option<LinkView>,
}

/// A publisher that was on.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveLastLeg)]
struct LastView {
    /// Which leg it was.
    leg: Leg,
    /// The rendition of a switching set that it published.
    #[schema(required)]
    rendition: Option<String>,
    /// Where it came from.
    peer: String,
    /// When it left.
    #[schema(format = DateTime)]
    at: String,
    /// Why, in words.
    reason: String,
}

/// What came in and went out.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = LiveCounters)]
struct Counters {
    /// Pictures and audio frames that came in.
    samples: u64,
    /// Bytes of them.
    bytes: u64,
    /// Parts that went out.
    parts: u64,
    /// Segments that went out.
    segments: u64,
    /// Unbroken timelines.
    periods: u64,
    /// Samples that came and could not be used.
    dropped: u64,
    /// Segments that were cut without a keyframe.
    forced_cuts: u64,
    /// Timed metadata that came in.
    metadata: u64,
    /// Seconds that the newest part lies behind now; `null` before the first.
    #[schema(required)]
    lag: Option<f64>,
}

impl StatusView {
    pub(crate) fn of(control: &Control, entry: &EntryId) -> StatusView {
        let report = control.directory().report(entry.as_str());
        let recording = RecordingView::of(control, entry);
        let now = SystemTime::now().into();
        let view = StatusView::new(report.as_ref(), control.viewers(entry), recording, now);
        let vod = matches!(view.status, Status::Ended | Status::Offline) && control.has_recording(entry);
        StatusView { vod, playable: view.playable || vod, ..view }
    }

    fn new(report: Option<&Report>, viewers: u64, recording: RecordingView, now: WallTime) -> StatusView {
        let status = Status::reported(report);
        let known = report.filter(|_| status != Status::Offline);
        StatusView {
            status,
            since: times::show(known.map(|report| report.since)),
            waiting: known.is_some_and(|report| report.state == State::Waiting),
            playable: known.is_some_and(|report| report.playable),
            vod: false,
            session: known.and_then(|report| report.session),
            legs: known.map(|report| legs(report, now)).unwrap_or_default(),
            counters: known.map(|report| Counters::new(&report.status, now)).unwrap_or_default(),
            last: report.and_then(|report| report.last.as_ref()).map(LastView::new),
            viewers,
            metadata: known.map(|report| metadata::newest(&report.metadata)).unwrap_or_default(),
            recording,
        }
    }
}

fn legs(report: &Report, now: WallTime) -> Vec<LegView> {
    let view = |on: &stream::LegReport| LegView {
        leg: leg(on.leg),
        rendition: on.rendition.as_deref().map(str::to_owned),
        protocol: protocol(on.protocol),
        peer: peer(on.peer),
        since: on.since.to_string(),
        uptime: seconds(now, on.since),
        health: HealthView::new(&on.health),
        link: on.link.as_deref().map(LinkView::new),
    };
    report.legs.iter().map(view).collect()
}

impl LastView {
    fn new(last: &stream::LastLeg) -> LastView {
        LastView {
            leg: leg(last.leg),
            rendition: last.rendition.as_deref().map(str::to_owned),
            peer: peer(last.peer),
            at: last.at.to_string(),
            reason: last.reason.clone(),
        }
    }
}

impl Counters {
    fn new(status: &stream::Status, now: WallTime) -> Counters {
        Counters {
            samples: status.samples,
            bytes: status.bytes,
            parts: status.parts,
            segments: status.segments,
            periods: status.periods,
            dropped: status.dropped,
            forced_cuts: status.forced_cuts,
            metadata: status.metadata,
            lag: status.edge.map(|edge| seconds(now, edge)),
        }
    }
}

fn leg(leg: stream::Leg) -> Leg {
    match leg {
        stream::Leg::Primary => Leg::Primary,
        stream::Leg::Backup => Leg::Backup,
    }
}

fn protocol(protocol: stream::Protocol) -> &'static str {
    protocol.as_str()
}

/// IPv4 as IPv4, also where it came in over a socket of IPv6.
fn peer(peer: std::net::SocketAddr) -> String {
    std::net::SocketAddr::new(peer.ip().to_canonical(), peer.port()).to_string()
}

/// To the millisecond; nothing began in the future.
fn seconds(now: WallTime, since: WallTime) -> f64 {
    ((now - since).micros().max(0) / 1000) as f64 / 1000.0
}
