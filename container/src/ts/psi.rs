//! The tables that say what is in the stream: PAT and PMT, a packet each (ISO/IEC 13818-1 §2.4.4).

use super::Pid;

/// H.264, without descriptors.
pub(super) const AVC: Stream = Stream { stream_type: 0x1b, descriptors: Vec::new() };
const PROGRAM: u16 = 1;

/// What the map says of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stream {
    /// ISO/IEC 13818-1 Table 2-34.
    pub(super) stream_type: u8,
    /// A few bytes: a map is one packet.
    pub(super) descriptors: Vec<u8>,
}

/// The payload of a packet with the program association table (§2.4.4.3).
pub(super) fn association() -> Vec<u8> {
    let map = Pid::Map.value();
    section(0x00, 0, &[(PROGRAM >> 8) as u8, PROGRAM as u8, 0xe0 | (map >> 8) as u8, map as u8])
}

/// The payload of a packet with the map of a program of these streams (§2.4.4.8). The video has the clock, or the
/// audio where there is none; `audio` is its type (Table 2-34).
pub(super) fn map(video: bool, audio: Option<u8>) -> Vec<u8> {
    let audio = audio.map(|stream_type| Stream { stream_type, descriptors: Vec::new() });
    map_version(video.then_some(&AVC), audio.as_ref(), 0)
}

/// The same where streams come and go: each map has another version than the one before, of 32.
pub(super) fn map_version(video: Option<&Stream>, audio: Option<&Stream>, version: u8) -> Vec<u8> {
    let clock = if video.is_some() { Pid::Video } else { Pid::Audio }.value();
    // No descriptors of the program.
    let mut body = vec![0xe0 | (clock >> 8) as u8, clock as u8, 0xf0, 0];
    for (stream, pid) in [(video, Pid::Video), (audio, Pid::Audio)] {
        if let Some(Stream { stream_type, descriptors }) = stream {
            let (pid, length) = (pid.value(), descriptors.len() as u8);
            body.extend_from_slice(&[*stream_type, 0xe0 | (pid >> 8) as u8, pid as u8, 0xf0, length]);
            body.extend_from_slice(descriptors);
        }
    }
    section(0x02, version, &body)
}

/// A pointer to what follows at once, the section, and stuffing to the end of a packet (§2.4.4.1).
fn section(table: u8, version: u8, body: &[u8]) -> Vec<u8> {
    let length = (5 + body.len() + 4) as u16;
    let mut section = vec![table, 0xb0 | (length >> 8) as u8, length as u8];
    // Current, the only section, of stream or program 1.
    let version = 0xc1 | (version & 0x1f) << 1;
    section.extend_from_slice(&[(PROGRAM >> 8) as u8, PROGRAM as u8, version, 0, 0]);
    section.extend_from_slice(body);
    section.extend_from_slice(&crc(&section).to_be_bytes());
    let mut payload = vec![0];
    payload.extend_from_slice(&section);
    payload.resize(super::PACKET - 4, 0xff);
    payload
}

/// ISO/IEC 13818-1 Annex A. Zero over what ends with its checksum.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |crc, &byte| crc << 8 ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut value, mut bit) = ((at as u32) << 24, 0);
        while bit < 8 {
            value = value << 1 ^ if value >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_annex() {
        assert_eq!(crc(b"123456789"), 0x0376_e6e7);
        let section = &association()[1..17];
        assert_eq!(crc(section), 0, "a section with its checksum");
    }

    #[test]
    fn the_clock_is_with_the_video() {
        let both = map(true, Some(0x03));
        assert_eq!(both[9..13], [0xe1, 0, 0xf0, 0]);
        assert_eq!(both[13..23], [0x1b, 0xe1, 0, 0xf0, 0, 0x03, 0xe1, 1, 0xf0, 0]);
        assert_eq!(map(false, Some(0x0f))[9..13], [0xe1, 1, 0xf0, 0]);
    }
}
