//! A program: what it is made of, as its map says.

/// A program with its elementary streams, in the order of its map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// `program_number`, 1 to 65535.
    pub number: u16,
    /// `version_number` of its map, 0 to 31.
    pub version: u8,
    /// The PID with the clock (`PCR_PID`); `None` where the program has none.
    pub clock: Option<u16>,
    /// The program says that it carries SCTE 35 (§8.1 there).
    pub cue: bool,
    /// Its streams.
    pub streams: Vec<Elementary>,
}

/// One elementary stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elementary {
    /// Its PID, below 8191.
    pub pid: u16,
    /// `stream_type` (ISO/IEC 13818-1 Table 2-34).
    pub stream_type: u8,
    /// What it carries.
    pub coding: Coding,
    /// Its language (ISO 639-2), three small letters, where that is said.
    pub language: Option<[u8; 3]>,
    /// `audio_type` of the ISO 639 descriptor: 1 clean effects, 2 hearing impaired, 3 commentary for the visually impaired.
    pub audio_type: u8,
}

/// What an elementary stream carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// H.264 as a byte stream.
    Avc,
    /// HEVC as a byte stream.
    Hevc,
    /// AAC in ADTS.
    Adts,
    /// AAC in LATM, framed by LOAS.
    Latm,
    /// AC-3.
    Ac3,
    /// E-AC-3.
    Eac3,
    /// MPEG-1 or MPEG-2 audio of any layer.
    MpegAudio,
    /// Opus, with its `channel_config_code`: 0 dual mono, 1 to 8 channels, 255 where nothing is said.
    Opus(u8),
    /// SCTE 35 splice information, in sections.
    Scte35,
    /// ID3 tags.
    Id3,
    /// KLV (SMPTE ST 336).
    Klv {
        /// Synchronous: each unit stands in a cell with a header (ISO/IEC 13818-1 §2.12.4).
        cells: bool,
    },
    /// Something else.
    Other(Other),
}

/// What is known and not carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Other {
    /// MPEG-1 or MPEG-2 video.
    MpegVideo,
    /// DVB teletext.
    Teletext,
    /// DVB subtitles.
    Subtitles,
    /// Anything else.
    Unknown,
}

impl Coding {
    /// Pictures.
    pub fn is_video(self) -> bool {
        matches!(self, Coding::Avc | Coding::Hevc)
    }

    /// Sound.
    pub fn is_audio(self) -> bool {
        matches!(
            self,
            Coding::Adts | Coding::Latm | Coding::Ac3 | Coding::Eac3 | Coding::MpegAudio | Coding::Opus(_)
        )
    }

    /// Pictures or sound.
    pub fn is_media(self) -> bool {
        self.is_video() || self.is_audio()
    }

    /// Timed metadata.
    pub fn is_metadata(self) -> bool {
        matches!(self, Coding::Scte35 | Coding::Id3 | Coding::Klv { .. })
    }
}
