//! Descriptors of an elementary stream (ISO/IEC 13818-1 §2.6, ETSI EN 300 468 §6): what `stream_type` leaves open.

use super::program::{Coding, Other};

const REGISTRATION: u8 = 0x05;
const LANGUAGE: u8 = 0x0a;
const METADATA: u8 = 0x26;
const TELETEXT: u8 = 0x56;
const SUBTITLING: u8 = 0x59;
const AC3: u8 = 0x6a;
const EAC3: u8 = 0x7a;
const EXTENSION: u8 = 0x7f;
/// `descriptor_tag_extension` by which Opus says its channels.
const OPUS: u8 = 0x80;
/// Where nothing is said about the channels of Opus.
const CHANNELS_UNSAID: u8 = 0xff;

/// What the descriptors of a stream say, with its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Descriptors {
    pub(super) coding: Coding,
    pub(super) language: Option<[u8; 3]>,
    pub(super) audio_type: u8,
}

/// Reads them; one that claims more than there is ends the walk.
pub(super) fn read(stream_type: u8, bytes: &[u8]) -> Descriptors {
    let (mut language, mut audio_type) = (None, 0);
    for (tag, body) in each(bytes) {
        if tag == LANGUAGE
            && language.is_none()
            && let Some((code, rest)) = body.split_first_chunk::<3>()
        {
            let code = code.map(|letter| letter.to_ascii_lowercase());
            language = code.iter().all(u8::is_ascii_lowercase).then_some(code);
            audio_type = rest.first().copied().unwrap_or(0);
        }
    }
    Descriptors { coding: coding(stream_type, bytes), language, audio_type }
}

/// `format_identifier` of the first registration descriptor.
pub(super) fn registration(bytes: &[u8]) -> Option<[u8; 4]> {
    let of = |(tag, body): (u8, &[u8])| (tag == REGISTRATION).then(|| body.first_chunk().copied()).flatten();
    each(bytes).find_map(of)
}

fn coding(stream_type: u8, bytes: &[u8]) -> Coding {
    match stream_type {
        0x01 | 0x02 => Coding::Other(Other::MpegVideo),
        0x03 | 0x04 => Coding::MpegAudio,
        0x06 => private(bytes),
        0x0f => Coding::Adts,
        0x11 => Coding::Latm,
        0x15 => metadata(bytes),
        0x1b => Coding::Avc,
        0x24 => Coding::Hevc,
        // ATSC A/53 Part 3; Blu-ray has its own meaning of 0x84 and 0xa1 and is no contribution format.
        0x81 => Coding::Ac3,
        0x87 => Coding::Eac3,
        // SCTE 35 §8.2.
        0x86 => Coding::Scte35,
        _ => Coding::Other(Other::Unknown),
    }
}

/// Private data in PES packets: the descriptors say what it is.
fn private(bytes: &[u8]) -> Coding {
    match registration(bytes).as_ref() {
        Some(b"Opus") => return Coding::Opus(opus_channels(bytes)),
        Some(b"AC-3") => return Coding::Ac3,
        Some(b"EAC3") => return Coding::Eac3,
        Some(b"HEVC") => return Coding::Hevc,
        Some(b"KLVA") => return Coding::Klv { cells: false },
        Some(b"ID3 ") => return Coding::Id3,
        _ => {}
    }
    let of = |(tag, _): (u8, &[u8])| match tag {
        AC3 => Some(Coding::Ac3),
        EAC3 => Some(Coding::Eac3),
        TELETEXT => Some(Coding::Other(Other::Teletext)),
        SUBTITLING => Some(Coding::Other(Other::Subtitles)),
        _ => None,
    };
    each(bytes).find_map(of).unwrap_or(Coding::Other(Other::Unknown))
}

/// Metadata in PES packets (§2.6.60): the format stands behind two bytes of application format, with an identifier of four
/// where that is 0xffff.
fn metadata(bytes: &[u8]) -> Coding {
    let format = |(tag, body): (u8, &[u8])| {
        let after = match (tag, body.first_chunk()?) {
            (METADATA, [0xff, 0xff]) => body.get(6..)?,
            (METADATA, _) => body.get(2..)?,
            _ => return None,
        };
        let (kind, after) = after.split_first()?;
        if *kind == 0xff { after.first_chunk::<4>().copied() } else { None }
    };
    match each(bytes).find_map(format).or_else(|| registration(bytes)).as_ref() {
        Some(b"ID3 ") => Coding::Id3,
        Some(b"KLVA") => Coding::Klv { cells: true },
        _ => Coding::Other(Other::Unknown),
    }
}

fn opus_channels(bytes: &[u8]) -> u8 {
    let of = |(tag, body): (u8, &[u8])| match (tag, body) {
        (EXTENSION, [OPUS, code, ..]) => Some(*code),
        _ => None,
    };
    each(bytes).find_map(of).unwrap_or(CHANNELS_UNSAID)
}

fn each(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[tag, length], rest) = bytes.split_first_chunk()?;
        let (body, rest) = rest.split_at_checked(usize::from(length))?;
        bytes = rest;
        Some((tag, body))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_data_is_what_its_descriptors_say() {
        let opus = [5, 4, b'O', b'p', b'u', b's', 0x7f, 2, 0x80, 2];
        assert_eq!(read(6, &opus).coding, Coding::Opus(2));
        assert_eq!(read(6, &opus[..6]).coding, Coding::Opus(CHANNELS_UNSAID));
        assert_eq!(read(6, &[0x6a, 1, 0]).coding, Coding::Ac3);
        assert_eq!(read(6, &[0x7a, 1, 0]).coding, Coding::Eac3);
        assert_eq!(read(6, &[0x56, 0]).coding, Coding::Other(Other::Teletext));
        assert_eq!(read(6, &[0x59, 0]).coding, Coding::Other(Other::Subtitles));
        assert_eq!(read(6, &[]).coding, Coding::Other(Other::Unknown));
        assert_eq!(read(6, &[5, 4, b'K', b'L', b'V', b'A']).coding, Coding::Klv { cells: false });
    }

    #[test]
    fn metadata_is_what_its_format_says() {
        let id3 = [0x26, 13, 0xff, 0xff, b'I', b'D', b'3', b' ', 0xff, b'I', b'D', b'3', b' ', 0, 0];
        assert_eq!(read(0x15, &id3).coding, Coding::Id3);
        let klv = [0x26, 9, 1, 0, 0xff, b'K', b'L', b'V', b'A', 0, 0];
        assert_eq!(read(0x15, &klv).coding, Coding::Klv { cells: true });
        assert_eq!(read(0x15, &klv[..5]).coding, Coding::Other(Other::Unknown));
    }

    #[test]
    fn languages_are_small_letters_or_none() {
        let said = |code: &[u8; 3]| read(0x0f, &[&[0x0a, 4][..], code, &[3]].concat());
        assert_eq!(said(b"DEU").language, Some(*b"deu"));
        let mpeg = read(0x04, &[0x0a, 4, b'f', b'r', b'a', 0]);
        assert_eq!((mpeg.coding, mpeg.language), (Coding::MpegAudio, Some(*b"fra")));
        assert_eq!(said(b"deu").audio_type, 3);
        assert_eq!(said(b"d u").language, None);
        assert_eq!(read(0x0f, &[0x0a, 9, b'd', b'e', b'u']).language, None, "it breaks off");
    }
}
