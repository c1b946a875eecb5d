//! What one transport stream may make an intake hold.

use container::ts::demux;

/// Bounds of one transport stream. Beyond them bytes or streams are left out and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one access unit of video, 1 or more.
    pub picture: usize,
    /// Bytes of one frame of sound, or of one PES packet of metadata.
    pub packet: usize,
    /// Bytes of samples that are held until all tracks are known, or have stepped together.
    pub held: usize,
    /// Elementary streams of the program that are looked at, 1 to 128.
    pub streams: usize,
    /// Programs of the association table that are looked at, 1 to 64.
    pub programs: usize,
    /// Video tracks of the program that are carried. Several are taken for renditions of one picture.
    pub video_tracks: u8,
    /// Audio tracks of the program that are carried.
    pub audio_tracks: u8,
}

impl Limits {
    pub(super) fn demuxer(&self) -> demux::Limits {
        demux::Limits { programs: self.programs, streams: self.streams }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            picture: 8 << 20,
            packet: 64 << 10,
            held: 16 << 20,
            streams: 64,
            programs: 16,
            video_tracks: 4,
            audio_tracks: 16,
        }
    }
}
