//! One struct per section; `Default` is what the reference file documents.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use address::InputUrl;
use ipnet::IpNet;

/// All settings of the server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Config {
    /// `[http]`
    pub http: Http,
    /// `[tls]`
    pub tls: Tls,
    /// `[https]`
    pub https: Https,
    /// `[rtmp]`
    pub rtmp: Rtmp,
    /// `[rtmps]`
    pub rtmps: Rtmps,
    /// `[srt]`
    pub srt: Srt,
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
    /// `[restream]`
    pub restream: Restream,
    /// `[log]`
    pub log: Log,
    /// `[recorder]`
    pub recorder: Recorder,
    /// `[vod]`
    pub vod: Vod,
    /// `[transcode]`
    pub transcode: Transcode,
    /// `[input]`
    pub input: Input,
    /// `[[streams]]`: no two with the same entry or key, no key ambiguous.
    pub streams: Vec<LiveEntry>,
    /// `[[inputs]]`
    pub inputs: Vec<InputEntry>,
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
    /// Bytes of recorded segments kept in memory; 1 MiB to 256 GiB.
    pub media_cache: u64,
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
            media_cache: 128 << 20,
            start_hold: Duration::from_secs(6),
        }
    }
}

/// Who the server is over TLS, for HTTPS and RTMPS.
#[derive(Clone, PartialEq, Debug)]
pub struct Tls {
    /// The certificate chain in PEM, the server's own certificate first; set with `key`.
    pub certificate: Option<PathBuf>,
    /// Its private key in PEM; set with `certificate`.
    pub key: Option<PathBuf>,
    /// Whether the server makes a certificate for itself; not with `certificate`.
    pub self_signed: bool,
    /// How often the files are looked at for a new pair; 1 s to 1 h.
    pub reload: Duration,
    /// For a handshake; 1 s to 1 min.
    pub handshake_timeout: Duration,
}

impl Tls {
    /// Whether there is a certificate, so that TLS listeners stand.
    pub fn configured(&self) -> bool {
        self.self_signed || self.certificate.is_some()
    }
}

impl Default for Tls {
    fn default() -> Self {
        Tls {
            certificate: None,
            key: None,
            self_signed: false,
            reload: Duration::from_secs(5),
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

/// The HTTPS listener. Limits are those of [`Http`].
#[derive(Clone, PartialEq, Debug)]
pub struct Https {
    /// Whether it listens, where TLS is configured.
    pub enabled: bool,
    /// Where.
    pub listen: SocketAddr,
}

impl Default for Https {
    fn default() -> Self {
        Https { enabled: true, listen: any(8443) }
    }
}

/// The RTMPS listener. Limits are those of [`Rtmp`].
#[derive(Clone, PartialEq, Debug)]
pub struct Rtmps {
    /// Whether it listens, where TLS is configured.
    pub enabled: bool,
    /// Where.
    pub listen: SocketAddr,
}

impl Default for Rtmps {
    fn default() -> Self {
        Rtmps { enabled: true, listen: any(1936) }
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
    /// For encoders that were asked to connect again to leave, when the server stops; 0 to 5 s.
    pub drain_timeout: Duration,
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
            drain_timeout: Duration::from_secs(3),
        }
    }
}

/// The SRT listener.
#[derive(Clone, PartialEq, Debug)]
pub struct Srt {
    /// Whether it listens.
    pub enabled: bool,
    /// Where, over UDP.
    pub listen: SocketAddr,
    /// The least time in which lost packets are sent again; 20 ms to 10 s. The caller may ask for more.
    pub latency: Duration,
    /// Connections at once; 1 to 10 000.
    pub max_connections: usize,
    /// A caller that has not been heard for so long is gone; 1 s to 1 min.
    pub peer_timeout: Duration,
    /// A publisher that sends no media is dropped after this; 1 s to 10 min.
    pub idle_timeout: Duration,
    /// What a connection may hold until it is delivered, in bytes; 1 MiB to 256 MiB.
    pub receive_buffer: u64,
}

impl Default for Srt {
    fn default() -> Self {
        Srt {
            enabled: true,
            listen: any(8890),
            latency: Duration::from_millis(120),
            max_connections: 200,
            peer_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(30),
            receive_buffer: 12 << 20,
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

/// Playback of recordings.
#[derive(Clone, PartialEq, Debug)]
pub struct Vod {
    /// Bytes of what indexes of recordings say that are kept; 1 MiB to 64 GiB.
    pub cache: u64,
}

impl Default for Vod {
    fn default() -> Self {
        Vod { cache: 256 << 20 }
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
    /// Where recordings are; otherwise in the data directory.
    pub recordings: Option<PathBuf>,
    /// What stays free where recordings are.
    pub keep_free: KeepFree,
    /// An S3-compatible store to which recordings are copied: `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    pub object_url: Option<String>,
    /// Where it answers; otherwise Amazon's.
    pub object_endpoint: Option<String>,
    /// Its region.
    pub object_region: Option<String>,
    /// Who we are to it; without it, what the environment or the machine's role says.
    pub object_access_key: Option<String>,
    /// And the secret that goes with it.
    pub object_secret_key: Option<Secret>,
    /// What becomes of media here that is there.
    pub object_keep_local: KeepLocal,
}

impl Default for Storage {
    fn default() -> Self {
        Storage {
            data: PathBuf::from("data"),
            recordings: None,
            keep_free: KeepFree::Percent(10),
            object_url: None,
            object_endpoint: None,
            object_region: None,
            object_access_key: None,
            object_secret_key: None,
            object_keep_local: KeepLocal::Always,
        }
    }
}

/// What stays free on a file system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepFree {
    /// So much of it; 0 to 90.
    Percent(u8),
    /// So many bytes; 0 to 1 PiB.
    Bytes(u64),
}

/// How long media stays here when its whole recording is in the object store and verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeepLocal {
    /// For ever: the store is an archive.
    Always,
    /// Not at all: the store is its home.
    Never,
    /// So long; 1 min to 10 years.
    For(Duration),
}

/// What becomes of what is on air.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorder {
    /// Whether it is recorded, and how sessions become recordings.
    pub mode: RecorderMode,
    /// A recording that is longer goes on in a new one; 1 min to 30 days.
    pub max_length: Duration,
    /// When what was written is made safe from a power cut.
    pub sync: RecorderSync,
    /// Recordings are kept so long after their end; 1 h to 10 years.
    pub keep_age: Option<Duration>,
    /// So many of each entry; 1 to 1 000 000.
    pub keep_count: Option<u32>,
    /// So many bytes of each entry; 1 MiB to 1 PiB.
    pub keep_size: Option<u64>,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            mode: RecorderMode::Append,
            max_length: Duration::from_secs(86_400),
            sync: RecorderSync::Segment,
            keep_age: None,
            keep_count: None,
            keep_size: None,
        }
    }
}

/// How sessions become recordings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecorderMode {
    /// One recording over sessions.
    Append,
    /// One for each session.
    PerSession,
    /// Nothing is recorded.
    Off,
}

/// When what was written is made safe from a power cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecorderSync {
    /// After each part.
    Part,
    /// After each segment.
    Segment,
    /// So often; 100 ms to 1 min.
    Interval(Duration),
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

/// How live entries are sent on to targets.
#[derive(Clone, PartialEq, Debug)]
pub struct Restream {
    /// Whether addresses may be sent to that only this machine or its network can reach.
    pub allow_private: bool,
    /// Certificate authorities for RTMPS beside those of the system: a file of PEM.
    pub ca: Option<PathBuf>,
    /// For name, connection, TLS and handshake; 1 s to 1 min.
    pub connect_timeout: Duration,
    /// A target that takes nothing for so long is given up for this time; 1 s to 10 min.
    pub stall_timeout: Duration,
    /// A target that is farther behind goes on at the newest keyframe; 1 s to 1 min.
    pub max_behind: Duration,
    /// Between the first failure and the next attempt; 100 ms to 1 min.
    pub retry_min: Duration,
    /// It grows to that; 1 s to 1 h.
    pub retry_max: Duration,
}

impl Default for Restream {
    fn default() -> Self {
        Restream {
            allow_private: false,
            ca: None,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            max_behind: Duration::from_secs(5),
            retry_min: Duration::from_secs(1),
            retry_max: Duration::from_secs(60),
        }
    }
}

/// What `headwater-worker` is asked to make: images of pictures.
#[derive(Clone, PartialEq, Debug)]
pub struct Transcode {
    /// Bytes of images kept; 1 MiB to 16 GiB.
    pub image_cache: u64,
    /// Images that wait to be made; 1 to 10 000.
    pub image_queue: usize,
    /// A worker that takes longer for one is killed; 100 ms to 1 min.
    pub image_timeout: Duration,
    /// Quality of a JPEG; 1 to 100.
    pub image_quality: usize,
}

impl Default for Transcode {
    fn default() -> Self {
        Transcode {
            image_cache: 64 << 20,
            image_queue: 64,
            image_timeout: Duration::from_secs(10),
            image_quality: 80,
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

/// How inputs run, and what those may be that the API makes.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Whether any runs.
    pub enabled: bool,
    /// Inputs that run at once; 1 to 10 000.
    pub max_running: usize,
    /// Whether inputs of the API may open ports of this machine.
    pub allow_listen: bool,
    /// Whether inputs of the API may call addresses that only this machine or its network can reach.
    pub allow_private: bool,
    /// For a name to be found and a peer to answer; 100 ms to 1 min.
    pub connect_timeout: Duration,
    /// Datagrams that stay away so long are a sender that is gone; 200 ms to 1 min.
    pub silence: Duration,
    /// A connection on which nothing came for so long is made anew; 1 s to 10 min.
    pub idle_timeout: Duration,
    /// The longest pause between two tries; 1 s to 10 min.
    pub retry_max: Duration,
    /// What the kernel is asked to hold of datagrams, in bytes; 64 KiB to 256 MiB.
    pub udp_buffer: u64,
}

impl Default for Input {
    fn default() -> Self {
        Input {
            enabled: true,
            max_running: 100,
            allow_listen: true,
            allow_private: true,
            connect_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(10),
            retry_max: Duration::from_secs(30),
            udp_buffer: 8 << 20,
        }
    }
}

/// An input of a live entry: where it takes media from by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputEntry {
    /// The entry, of `[[streams]]` or of the catalog.
    pub entry: String,
    /// Where media comes from.
    pub url: InputUrl,
    /// The rendition of a switching set that it brings: 1 to 32 of `[a-z0-9]`.
    pub rendition: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
}

/// A live entry and who may publish to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveEntry {
    /// Entry id: 1 to 64 of `[a-z0-9_-]`, beginning with a letter or a digit.
    pub entry: String,
    /// Its stream key.
    pub key: StreamKey,
    /// What its encoder has to encrypt with by SRT: 10 to 79 bytes.
    pub passphrase: Option<Secret>,
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
