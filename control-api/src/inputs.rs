//! What the control API asks of whoever runs inputs.

use std::net::SocketAddr;
use std::sync::Arc;

use address::InputUrl;
use media::WallTime;
use stream::Link;

/// Runs inputs of live entries.
pub trait Inputs: Send + Sync {
    /// How one does; `None` where it is not known here yet.
    fn status(&self, id: &str) -> Option<InputStatus>;

    /// Those of an entry that the configuration names, with how they do.
    fn configured(&self, entry: &str) -> Vec<ConfiguredInput>;

    /// Makes what runs be what the catalog has.
    fn changed(&self);

    /// Tries at once, where one waits for its next try or was ended. `false` where it is not known here.
    fn restart(&self, id: &str) -> bool;
}

/// What those may be that are made here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InputRules {
    /// Whether they may open ports of the server (`input.allow_listen`).
    pub listen: bool,
    /// Whether they may call addresses that are not the public's (`input.allow_private`).
    pub private: bool,
}

impl Default for InputRules {
    fn default() -> InputRules {
        InputRules { listen: true, private: true }
    }
}

/// An input of the configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct ConfiguredInput {
    /// Its id.
    pub id: Arc<str>,
    /// Where its media comes from.
    pub url: InputUrl,
    /// The rendition that it brings.
    pub rendition: Option<String>,
    /// Whether it is to run.
    pub enabled: bool,
    /// How it does.
    pub status: InputStatus,
}

/// How an input does.
#[derive(Clone, PartialEq, Debug)]
pub struct InputStatus {
    /// Where it stands.
    pub state: InputState,
    /// Since when.
    pub since: WallTime,
    /// What it waits for, or why it failed last.
    pub error: Option<String>,
    /// How often it called or opened its port.
    pub attempts: u64,
    /// When it is tried again.
    pub next_attempt: Option<WallTime>,
    /// The sender, now or last.
    pub peer: Option<SocketAddr>,
    /// Bytes that came.
    pub bytes: u64,
    /// Bits a second at present.
    pub bitrate: u64,
    /// Datagrams received, dropped by the kernel, of another sender, unusable; of inputs that receive these.
    pub datagrams: Option<[u64; 4]>,
    /// What the transport stream was like.
    pub ts: TsCounters,
    /// How the network to the sender does, where SRT measures it.
    pub link: Option<Link>,
}

/// What came of a transport stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TsCounters {
    /// Packets.
    pub packets: u64,
    /// Times that packets were not where they should be.
    pub sync_losses: u64,
    /// Packets that are missing by their counters.
    pub continuity_errors: u64,
    /// Packets that are scrambled.
    pub scrambled: u64,
    /// Sections whose checksum is wrong.
    pub crc_errors: u64,
    /// PES packets that were dropped.
    pub dropped: u64,
    /// Pictures.
    pub video: u64,
    /// Audio frames.
    pub audio: u64,
    /// Elementary streams that are not carried.
    pub streams_left_out: u64,
}

/// Where an input stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InputState {
    /// It does not run.
    Off,
    /// It calls, or opens a port.
    Connecting,
    /// It is on air.
    Running,
    /// It waits: for a sender, for media, for its entry's time.
    Waiting,
    /// A try failed; it is tried again.
    Failed,
}

/// Nobody runs inputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoInputs;

impl Inputs for NoInputs {
    fn status(&self, _: &str) -> Option<InputStatus> {
        None
    }

    fn configured(&self, _: &str) -> Vec<ConfiguredInput> {
        Vec::new()
    }

    fn changed(&self) {}

    fn restart(&self, _: &str) -> bool {
        false
    }
}
