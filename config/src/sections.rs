//! One struct per section; `Default` is what the reference file documents.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// All settings of the server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// `[http]`
    pub http: Http,
    /// `[rtmp]`
    pub rtmp: Rtmp,
    /// `[stream]`
    pub stream: Stream,
    /// `[packager]`
    pub packager: Packager,
    /// `[dvr]`
    pub dvr: Dvr,
    /// `[storage]`
    pub storage: Storage,
    /// `[database]`
    pub database: Database,
    /// `[auth]`
    pub auth: Auth,
    /// `[webhooks]`
    pub webhooks: Webhooks,
    /// `[log]`
    pub log: Log,
    /// `[[streams]]`: no two with the same entry or key, no key ambiguous.
    pub streams: Vec<LiveEntry>,
}

/// The HTTP listener that playback comes from.
#[derive(Clone, PartialEq, Debug)]
pub struct Http {
    /// Whether it listens.
    pub enabled: bool,
    /// Where.
    pub listen: SocketAddr,
    /// What viewers and encoders call this server, for the URLs that the API shows; otherwise what the caller of the
    /// API called it.
    pub public_url: Option<String>,
    /// Proxies that are believed when they say who the client is; at most 100 networks.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections at once; 1 to 1 000 000.
    pub max_connections: usize,
    /// Requests at once that wait for what comes next; 0 to 10 000 000.
    pub max_waiting: usize,
    /// For the whole head of a request to arrive; 1 s to 1 min.
    pub header_timeout: Duration,
    /// A connection without a request is closed after this; 1 s to 10 min.
    pub idle_timeout: Duration,
    /// An answer of which the peer takes nothing is cut after this; 1 s to 10 min.
    pub write_timeout: Duration,
    /// Bytes of rendered manifests kept; 1 MiB to 4 GiB.
    pub manifest_cache: u64,
    /// Bytes of segments kept as MPEG-TS; 1 MiB to 16 GiB.
    pub ts_cache: u64,
    /// How long a request for a manifest waits for a stream that is starting; 0 s to 30 s.
    pub start_hold: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            enabled: true,
            listen: any(8080),
            public_url: None,
            trusted_proxies: Vec::new(),
            max_connections: 16_384,
            max_waiting: 50_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            manifest_cache: 64 << 20,
            ts_cache: 64 << 20,
            start_hold: Duration::from_secs(6),
        }
    }
}

/// The RTMP listener.
#[derive(Clone, PartialEq, Debug)]
pub struct Rtmp {
    /// Whether it listens.
    pub enabled: bool,
    /// Where.
    pub listen: SocketAddr,
    /// Connections at once; 1 to 100 000.
    pub max_connections: usize,
    /// From the connection to a granted publish; 1 s to 1 min.
    pub handshake_timeout: Duration,
    /// A publisher that sends nothing is dropped after this; 1 s to 10 min.
    pub idle_timeout: Duration,
    /// Largest message, in bytes; 64 KiB to 16 MiB.
    pub max_message: u64,
}

impl Default for Rtmp {
    fn default() -> Self {
        Rtmp {
            enabled: true,
            listen: any(1935),
            max_connections: 1000,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            max_message: 8 << 20,
        }
    }
}

/// How a stream behaves when its publisher leaves or another one comes.
#[derive(Clone, PartialEq, Debug)]
pub struct Stream {
    /// How long a stream waits for its encoder to come back before it ends; 0 s to 1 h.
    pub reconnect: Duration,
    /// When a newcomer may push out the publisher on air.
    pub takeover: Takeover,
    /// Publishers of an entry at once, one for each rendition of its switching set; 1 to 24.
    pub max_renditions: usize,
    /// How long the last window of an ended stream stays playable; 0 s to 1 day.
    pub keep_ended: Duration,
}

impl Default for Stream {
    fn default() -> Self {
        Stream {
            reconnect: Duration::from_secs(30),
            takeover: Takeover::Stale,
            max_renditions: 8,
            keep_ended: Duration::from_secs(3600),
        }
    }
}

/// When a newcomer may push out the publisher on air.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takeover {
    /// When that one has been silent for a second, or comes from the same address.
    Stale,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How media is cut.
#[derive(Clone, PartialEq, Debug)]
pub struct Packager {
    /// Length of a segment to aim at; 1 s to 30 s.
    pub segment: Duration,
    /// Length of a part; 100 ms to 2 s, not above `segment`.
    pub part: Duration,
    /// Whether players are shown parts, and may wait for them.
    pub low_latency: bool,
    /// Length of the live playlist; at least three segments, at most 10 min.
    pub window: Duration,
    /// How long the first playlist may wait for the first whole group of pictures; 1 s to 1 min.
    pub probe: Duration,
    /// EXT-X-TARGETDURATION in seconds, 1 to 60; otherwise from `segment` and the pictures seen.
    pub target_duration: Option<u32>,
}

impl Default for Packager {
    fn default() -> Self {
        Packager {
            segment: Duration::from_secs(2),
            part: Duration::from_millis(500),
            low_latency: true,
            window: Duration::from_secs(30),
            probe: Duration::from_secs(10),
            target_duration: None,
        }
    }
}

/// How far back a viewer may go while live.
#[derive(Clone, PartialEq, Debug)]
pub struct Dvr {
    /// How long a segment stays; at least `packager.window`, at most 7 days.
    pub window: Duration,
    /// Bytes of each rendition kept in memory beyond what its playlist needs; 0 to 1 TiB.
    pub memory: u64,
}

impl Default for Dvr {
    fn default() -> Self {
        Dvr { window: Duration::from_secs(2 * 3600), memory: 0 }
    }
}

/// Where things are kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Storage {
    /// The data directory; created on first start.
    pub data: PathBuf,
}

impl Default for Storage {
    fn default() -> Self {
        Storage { data: PathBuf::from("data") }
    }
}

/// Where accounts, entries, keys and tokens are kept.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Database {
    /// A PostgreSQL database; otherwise an embedded one in the data directory.
    pub url: Option<Secret>,
}

/// How holders of API tokens, and who only guesses, are treated.
#[derive(Clone, PartialEq, Debug)]
pub struct Auth {
    /// Requests a second that a token may make in the long run; 1 to 10 000.
    pub rate: u32,
    /// Requests that it may make at once; 1 to 100 000.
    pub burst: u32,
    /// Wrong tokens or wrong stream keys a minute from one address before it has to wait; 1 to 10 000.
    pub failures: u32,
}

impl Default for Auth {
    fn default() -> Self {
        Auth { rate: 50, burst: 200, failures: 20 }
    }
}

/// How events are sent to webhooks.
#[derive(Clone, PartialEq, Debug)]
pub struct Webhooks {
    /// Whether addresses may be called that only this machine or its network can reach.
    pub allow_private: bool,
    /// For name, connection and TLS of a call; 100 ms to 1 min.
    pub connect_timeout: Duration,
    /// For a whole call; 1 s to 2 min.
    pub timeout: Duration,
    /// What was not delivered within this time is given up; 1 min to 30 days.
    pub give_up: Duration,
    /// A webhook that nothing was delivered to for so long is disabled; 1 h to 30 days.
    pub disable_after: Duration,
    /// Calls at once; 1 to 1000.
    pub concurrency: usize,
    /// Calls at once to one webhook; 1 to 100.
    pub per_webhook: usize,
}

impl Default for Webhooks {
    fn default() -> Self {
        let day = 86_400;
        Webhooks {
            allow_private: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            give_up: Duration::from_secs(3 * day),
            disable_after: Duration::from_secs(5 * day),
            concurrency: 64,
            per_webhook: 4,
        }
    }
}

/// The log, on stderr.
#[derive(Clone, PartialEq, Debug)]
pub struct Log {
    /// What is said.
    pub level: LogLevel,
    /// How.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Log { level: LogLevel::Info, format: LogFormat::Text }
    }
}

/// From which severity on something is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what happens.
    Info,
    /// And why.
    Debug,
    /// And each step.
    Trace,
}

/// How a log line is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A live entry and who may publish to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveEntry {
    /// Entry id: 1 to 64 of `[a-z0-9_-]`, beginning with a letter or a digit.
    pub entry: String,
    /// Its stream key.
    pub key: StreamKey,
}

/// A text that no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The text in the clear: to use, never to print.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A stream key, `[A-Za-z0-9_-]{1,128}`: a secret that no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey(String);

impl StreamKey {
    pub(crate) fn new(key: String) -> StreamKey {
        StreamKey(key)
    }

    /// The key in the clear: to compare with, never to print.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(hidden)")
    }
}

/// Every address of the machine, IPv4 through the same socket.
fn any(port: u16) -> SocketAddr {
    (Ipv6Addr::UNSPECIFIED, port).into()
}
