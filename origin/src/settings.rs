//! Every limit of the origin, with a name.

use std::time::Duration;

use access::IpNet;

/// How the origin treats its peers.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Connections at a time. One more is answered 503 and closed.
    pub max_connections: usize,
    /// Requests that wait for the next part or segment at a time. One more is answered 503.
    pub max_waiting: usize,
    /// From the first byte of a request (or from the connection being accepted) to the end of its header.
    pub header_timeout: Duration,
    /// How long a connection may stay open between requests.
    pub idle_timeout: Duration,
    /// How long a peer may take no byte of an answer before it is cut.
    pub write_timeout: Duration,
    /// Bytes a second at which a peer has to take answers in the long run, once it keeps them waiting.
    pub min_rate: u32,
    /// How long running answers may take to finish at shutdown.
    pub drain_timeout: Duration,
    /// Bytes of a request's line and header together (431). At least 8192.
    pub max_header_bytes: u32,
    /// Header fields of a request (431).
    pub max_headers: usize,
    /// Bytes of path and query (414).
    pub max_target_bytes: usize,
    /// Concurrent streams of an HTTP/2 connection (SETTINGS_MAX_CONCURRENT_STREAMS, RFC 9113 §6.5.2).
    pub max_streams: u32,
    /// HTTP/2 streams reset by the peer before they were answered, or by its errors, before it is sent away
    /// (CVE-2023-44487, CVE-2025-8671).
    pub max_resets: usize,
    /// Bytes of a request's body that an HTTP/2 peer may send before they are taken, on one stream (RFC 9113 §6.5.2).
    pub stream_window: u32,
    /// The same on all streams of a connection together (RFC 9113 §6.9.2).
    pub connection_window: u32,
    /// Bytes of an answer that wait in an HTTP/2 stream for the peer to take them.
    pub stream_buffer: usize,
    /// Bytes of rendered manifests kept.
    pub manifest_cache_bytes: u64,
    /// How long a rendered manifest is kept after the last request for it.
    pub manifest_cache_idle: Duration,
    /// Bytes of segments kept as MPEG-TS.
    pub ts_cache_bytes: u64,
    /// How long a segment is kept as MPEG-TS after the last request for it.
    pub ts_cache_idle: Duration,
    /// Segments that are made into MPEG-TS at a time; each takes memory for itself once more meanwhile.
    pub max_ts_muxing: usize,
    /// Bytes of stored segments kept in memory.
    pub media_cache_bytes: u64,
    /// Bytes of stored segments that may be in memory beside those kept: being read, or held by answers that are taken
    /// slowly. Requests for more wait, and are answered 503.
    pub max_media_bytes: u64,
    /// Stored segments that are read at a time.
    pub max_reads: usize,
    /// Stored segments that are read or waited for at a time. One more is answered 503.
    pub max_loading: usize,
    /// Bytes of heads of files for download that are kept, with where their bytes are.
    pub download_cache_bytes: u64,
    /// Files that are sent at a time; each takes up to 3 MiB. One more is answered 503.
    pub max_downloads: usize,
    /// How long a request for a file waits for its head to be made (503).
    pub download_patience: Duration,
    /// How long a request waits for stored media, and for what is stored of its entry to be found (503).
    pub read_patience: Duration,
    /// How long a request for a manifest waits for a stream that is starting before it is answered 503.
    pub start_hold: Duration,
    /// Proxies that are believed when they say who the client is.
    pub trusted_proxies: Vec<IpNet>,
    /// Entries of which is remembered when their multivariant playlist changed.
    pub max_tracked_entries: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_connections: 16_384,
            max_waiting: 50_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(30),
            min_rate: 8 << 10,
            drain_timeout: Duration::from_secs(5),
            max_header_bytes: 32 << 10,
            max_headers: 100,
            max_target_bytes: 8 << 10,
            max_streams: 128,
            max_resets: 64,
            stream_window: 256 << 10,
            connection_window: 1 << 20,
            stream_buffer: 64 << 10,
            manifest_cache_bytes: 64 << 20,
            manifest_cache_idle: Duration::from_secs(60),
            ts_cache_bytes: 64 << 20,
            ts_cache_idle: Duration::from_secs(30),
            max_ts_muxing: 2,
            media_cache_bytes: 128 << 20,
            max_media_bytes: 512 << 20,
            max_reads: 32,
            max_loading: 1024,
            download_cache_bytes: 128 << 20,
            max_downloads: 64,
            download_patience: Duration::from_secs(60),
            read_patience: Duration::from_secs(10),
            start_hold: Duration::from_secs(6),
            trusted_proxies: Vec::new(),
            max_tracked_entries: 10_000,
        }
    }
}
