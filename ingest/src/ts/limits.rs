//! What one transport stream may make an intake hold.

/// Bounds of one transport stream. Beyond them bytes or streams are left out and counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one access unit of video, 1 or more.
    pub picture: usize,
    /// Bytes of one PES packet that is no video, and of a section.
    pub packet: usize,
    /// Elementary streams of the program that are looked at.
    pub streams: usize,
    /// Programs of the association table that are looked at.
    pub programs: usize,
    /// Video tracks of the program that are carried.
    pub video_tracks: u8,
    /// Audio tracks of the program that are carried.
    pub audio_tracks: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            picture: 8 << 20,
            packet: 256 << 10,
            streams: 64,
            programs: 16,
            video_tracks: 4,
            audio_tracks: 16,
        }
    }
}
