//! What came of a transport stream, and what of it was of no use.

use container::ts::demux;

/// Counted since the intake was made; none of them goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Bytes pushed.
    pub bytes: u64,
    /// Transport packets.
    pub packets: u64,
    /// Times that packets were not where they should be.
    pub sync_losses: u64,
    /// Packets that are missing by their counters, at least.
    pub continuity_errors: u64,
    /// Packets marked as damaged on the way (`transport_error_indicator`).
    pub damaged: u64,
    /// Packets that are scrambled.
    pub scrambled: u64,
    /// Packets of a PID that is none of the program's, nor a table's.
    pub unknown: u64,
    /// Sections whose checksum is wrong.
    pub crc_errors: u64,
    /// PES packets dropped because a piece of them is missing, or they are malformed or too long.
    pub dropped: u64,
    /// Samples that came before the configuration of their track, or without a time.
    pub unconfigured: u64,
    /// Configurations that cannot be used, such as reserved values.
    pub refused: u64,
    /// Bytes between frames of sound that belong to none.
    pub junk: u64,
    /// Jumps of a track's timestamps.
    pub jumps: u64,
    /// Pictures passed on.
    pub video: u64,
    /// Audio frames passed on.
    pub audio: u64,
    /// Timed metadata passed on.
    pub metadata: u64,
    /// Programs beside the one that is taken, the most there were at once.
    pub programs_left_out: u64,
    /// Elementary streams that are not carried, such as subtitles and MPEG-2 video, the most there were at once.
    pub streams_left_out: u64,
}

impl Counters {
    /// With what the demuxer counted.
    pub(super) fn and(self, demuxed: demux::Counters) -> Counters {
        Counters {
            packets: demuxed.packets,
            sync_losses: demuxed.sync_losses,
            continuity_errors: demuxed.continuity_errors,
            damaged: demuxed.damaged,
            scrambled: demuxed.scrambled,
            unknown: demuxed.unknown,
            crc_errors: demuxed.crc_errors,
            dropped: self.dropped + demuxed.broken,
            programs_left_out: demuxed.programs_left_out,
            ..self
        }
    }
}
