//! What came of a transport stream, and what of it was of no use.

/// Counted since the intake was made; none of them goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Bytes pushed.
    pub bytes: u64,
    /// Transport packets.
    pub packets: u64,
    /// Times that packets were not where they should be.
    pub sync_losses: u64,
    /// Packets that are missing by their counters.
    pub continuity_errors: u64,
    /// Packets marked as damaged on the way (`transport_error_indicator`).
    pub damaged: u64,
    /// Packets that are scrambled.
    pub scrambled: u64,
    /// Packets of a PID that no table names.
    pub unknown: u64,
    /// Sections whose checksum is wrong.
    pub crc_errors: u64,
    /// PES packets dropped because a piece of them is missing, or they are malformed or too long.
    pub dropped: u64,
    /// Samples that came before the configuration of their track.
    pub unconfigured: u64,
    /// Jumps of the timeline.
    pub jumps: u64,
    /// Pictures passed on.
    pub video: u64,
    /// Audio frames passed on.
    pub audio: u64,
    /// Timed metadata passed on.
    pub metadata: u64,
    /// Programs beside the one that is taken.
    pub programs_left_out: u64,
    /// Elementary streams that are known and not carried, such as subtitles and MP2.
    pub streams_left_out: u64,
}
