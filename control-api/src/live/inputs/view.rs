//! Inputs as they are shown.

use address::InputUrl;
use catalog::inputs::Input;
use serde::Serialize;
use utoipa::ToSchema;

use crate::control::Control;
use crate::inputs::{ConfiguredInput, InputStatus, TsCounters};
use crate::live::link::LinkView;
use crate::times;
use crate::words::InputState;

/// An input of a live entry.
#[derive(Serialize, ToSchema)]
#[schema(as = Input)]
pub(super) struct InputView {
    /// Its id.
    #[schema(example = "inp_k3x9p2ab")]
    id: String,
    /// Its name, for people.
    name: String,
    /// Where media comes from. A viewer sees `hidden` in place of passphrase and stream id.
    url: String,
    /// The rendition of a switching set that it brings.
    #[schema(required, example = "720p")]
    rendition: Option<String>,
    /// Whether it is to run.
    enabled: bool,
    /// Whether the configuration of the server names it, so that it cannot be changed here.
    configured: bool,
    /// How it does.
    status: StatusView,
    /// When it was created; `null` of one of the configuration.
    #[schema(required, format = DateTime)]
    created: Option<String>,
    /// When it was changed last.
    #[schema(required, format = DateTime)]
    updated: Option<String>,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// How an input does.
#[derive(Serialize, ToSchema)]
#[schema(as = InputStatus)]
struct StatusView {
    /// Where it stands.
    state: InputState,
    /// Since when; `null` where the server has not taken note of it yet.
    #[schema(required, format = DateTime)]
    since: Option<String>,
    /// What it waits for, or why it failed last.
    #[schema(required)]
    error: Option<String>,
    /// How often it called or opened its port since it runs or was changed.
    attempts: u64,
    /// When it is tried again.
    #[schema(required, format = DateTime)]
    next_attempt: Option<String>,
    /// The sender that it takes media from, or took it from last.
    #[schema(required, example = "192.0.2.7:50412")]
    peer: Option<String>,
    /// Bytes that came since it runs or was changed.
    bytes: u64,
    /// Bits a second; 0 while it is not on air.
    bitrate: u64,
    /// Datagrams, of an input that receives these.
    #[schema(required)]
    datagrams: Option<DatagramsView>,
    /// What the transport stream was like since it went on air last.
    ts: TsView,
    /// How the network to the sender does, where SRT measures it.
    #[schema(required)]
    link: Option<LinkView>,
}

/// What came of datagrams.
#[derive(Serialize, ToSchema)]
#[schema(as = InputDatagrams)]
struct DatagramsView {
    /// That were received.
    received: u64,
    /// That the kernel had no room for: `input.udp_buffer` and `net.core.rmem_max` say how much that is.
    dropped: u64,
    /// From another sender than the one that is on.
    foreign: u64,
    /// RTP packets that came late or twice, and datagrams larger than any network carries.
    unusable: u64,
}

/// What came of a transport stream.
#[derive(Serialize, ToSchema)]
#[schema(as = InputTs)]
struct TsView {
    /// Transport packets.
    packets: u64,
    /// Times that packets were not where they should be.
    sync_losses: u64,
    /// Packets that are missing by their counters.
    continuity_errors: u64,
    /// Packets that are scrambled.
    scrambled: u64,
    /// Sections whose checksum is wrong.
    crc_errors: u64,
    /// PES packets that were dropped.
    dropped: u64,
    /// Pictures passed on.
    video: u64,
    /// Audio frames passed on.
    audio: u64,
    /// Elementary streams that are known and not carried.
    streams_left_out: u64,
}

impl InputView {
    /// One of the catalog.
    pub(super) fn new(control: &Control, input: &Input, secrets: bool) -> InputView {
        let details = &input.details;
        InputView {
            id: input.id.to_string(),
            name: details.name.clone(),
            url: shown(&details.url, secrets),
            rendition: details.rendition.clone(),
            enabled: details.enabled,
            configured: false,
            status: StatusView::new(control.inputs().status(input.id.as_str())),
            created: Some(input.created.to_string()),
            updated: Some(input.updated.to_string()),
            version: input.version,
        }
    }

    /// One of the configuration.
    pub(super) fn configured(input: ConfiguredInput, secrets: bool) -> InputView {
        InputView {
            id: input.id.to_string(),
            name: String::new(),
            url: shown(&input.url, secrets),
            rendition: input.rendition,
            enabled: input.enabled,
            configured: true,
            status: StatusView::new(Some(input.status)),
            created: None,
            updated: None,
            version: 0,
        }
    }
}

/// With its secrets for who may see keys.
fn shown(url: &InputUrl, secrets: bool) -> String {
    if secrets { url.expose().to_owned() } else { url.hidden() }
}

impl StatusView {
    fn new(status: Option<InputStatus>) -> StatusView {
        let Some(status) = status else { return StatusView::unknown() };
        let datagrams = status.datagrams.map(|[received, dropped, foreign, unusable]| DatagramsView {
            received,
            dropped,
            foreign,
            unusable,
        });
        StatusView {
            state: status.state.into(),
            since: Some(status.since.to_string()),
            error: status.error,
            attempts: status.attempts,
            next_attempt: times::show(status.next_attempt),
            peer: status.peer.map(|peer| peer.to_string()),
            bytes: status.bytes,
            bitrate: status.bitrate,
            datagrams,
            ts: TsView::new(&status.ts),
            link: status.link.as_ref().map(LinkView::new),
        }
    }

    /// Of one that the server has not taken note of yet.
    fn unknown() -> StatusView {
        StatusView {
            state: InputState::Off,
            since: None,
            error: None,
            attempts: 0,
            next_attempt: None,
            peer: None,
            bytes: 0,
            bitrate: 0,
            datagrams: None,
            ts: TsView::new(&TsCounters::default()),
            link: None,
        }
    }
}

impl TsView {
    fn new(ts: &TsCounters) -> TsView {
        TsView {
            packets: ts.packets,
            sync_losses: ts.sync_losses,
            continuity_errors: ts.continuity_errors,
            scrambled: ts.scrambled,
            crc_errors: ts.crc_errors,
            dropped: ts.dropped,
            video: ts.video,
            audio: ts.audio,
            streams_left_out: ts.streams_left_out,
        }
    }
}
