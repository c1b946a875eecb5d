//! How media is cut, and how much of it may be held.

use std::time::Duration;

/// How media is cut, and how much of it may be held. Per entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// Target duration of a segment (`packager.segment`).
    pub segment: Duration,
    /// Target duration of a part (`packager.part`).
    pub part: Duration,
    /// Whether players are shown parts of segments, and may wait for them (`packager.low_latency`).
    pub low_latency: bool,
    /// What live playlists list, and at least three target durations (`packager.window`).
    pub window: Duration,
    /// The longest wait for the first whole GOP before the first playlist (`packager.probe`).
    pub probe: Duration,
    /// EXT-X-TARGETDURATION in seconds, instead of what the first GOP says (`packager.target_duration`).
    pub target_duration: Option<u32>,
    /// How much of the past stays fetchable (`dvr.window`), as far as memory allows.
    pub dvr_window: Duration,
    /// Bytes of a rendition kept for `dvr_window` beyond what the playlists need (`dvr.memory`).
    pub dvr_memory: u64,
    /// Bounds that only a broken or hostile publisher meets.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            segment: Duration::from_secs(2),
            part: Duration::from_millis(500),
            low_latency: true,
            window: Duration::from_secs(30),
            probe: Duration::from_secs(10),
            target_duration: None,
            dvr_window: Duration::from_secs(2 * 3600),
            dvr_memory: 0,
            limits: Limits::default(),
        }
    }
}

/// Bounds that only a broken or hostile publisher meets.
#[derive(Clone, PartialEq, Debug)]
pub struct Limits {
    /// How long the first snapshot waits for tracks that were announced.
    pub track_wait: Duration,
    /// Bytes held while waiting for tracks or a keyframe; the oldest go.
    pub waiting_bytes: u64,
    /// Bytes of one segment; it is cut there.
    pub segment_bytes: u64,
    /// Samples of one segment; it is cut there.
    pub segment_samples: usize,
    /// Bytes of one rendition that stay fetchable, whatever its window; the oldest go.
    pub rendition_bytes: u64,
    /// A step of all timestamps beyond this begins a new period. Shorter ones become a long frame.
    pub gap: Duration,
    /// A hole in one track beyond this, while others go on, takes it off until the next period.
    pub hole: Duration,
    /// A step back of all timestamps beyond this begins a new period. Shorter ones are squeezed.
    pub step_back: Duration,
    /// How far the media clock may lag behind the server's before a new period takes a new anchor.
    pub drift: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            track_wait: Duration::from_secs(2),
            waiting_bytes: 64 << 20,
            segment_bytes: 128 << 20,
            segment_samples: 20_000,
            rendition_bytes: 1 << 30,
            gap: Duration::from_secs(3),
            hole: Duration::from_secs(1),
            step_back: Duration::from_millis(500),
            drift: Duration::from_millis(500),
        }
    }
}
