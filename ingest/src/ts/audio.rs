//! Frames of sound out of an elementary stream, wherever its PES packets end.

use bytes::Bytes;
use container::ts::demux::Coding;
use container::ts::elementary::latm::Latm;
use container::ts::elementary::{Found, adts, latm, opus};
use media::Codec;
use media::codec::{Aac, Ac3, Eac3, Error, MpegAudio, Opus, ac3, eac3, mpeg_audio};

use super::stamps::{Stamp, Stamps};

/// The audio stream that is gathered.
#[derive(Debug)]
pub(super) struct Audio {
    framing: Framing,
    most: usize,
    bytes: Vec<u8>,
    stamps: Stamps,
    codec: Option<Codec>,
    /// What the configuration was made of.
    told: Vec<u8>,
    /// Bytes before were no frame: the next one has to be followed by another.
    astray: bool,
}

/// How frames stand in the stream.
#[derive(Debug)]
enum Framing {
    Adts,
    Latm(Latm),
    /// AC-3 and E-AC-3: their frames say which they are.
    Dolby,
    /// MPEG-1 and MPEG-2 audio.
    Mpeg,
    /// With this many channels.
    Opus(u8),
}

/// What came of a frame.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// The configuration is another one from here on.
    Configured(&'a Codec),
    /// A configuration that cannot be used.
    Refused,
    /// A frame.
    Whole { stamp: Option<Stamp>, data: &'a [u8], codec: &'a Codec },
    /// One without a configuration.
    Unconfigured,
    /// So many bytes are no frame.
    Junk(usize),
}

/// A frame in what is gathered.
struct Cut {
    start: usize,
    end: usize,
    /// The data where it does not stand there as it is.
    moved: Option<Vec<u8>>,
    /// What the configuration is made of.
    told: Vec<u8>,
}

impl Audio {
    /// `None` for what is no sound that is carried. `most` bytes of a frame.
    pub(super) fn new(coding: Coding, most: usize) -> Option<Audio> {
        let framing = match coding {
            Coding::Adts => Framing::Adts,
            Coding::Latm => Framing::Latm(Latm::default()),
            Coding::Ac3 | Coding::Eac3 => Framing::Dolby,
            Coding::MpegAudio => Framing::Mpeg,
            // Two where nothing is said, and for two single ones.
            Coding::Opus(channels) => Framing::Opus(if (1..=8).contains(&channels) { channels } else { 2 }),
            _ => return None,
        };
        let (bytes, stamps, astray) = (Vec::new(), Stamps::default(), framing.is_vague());
        Some(Audio { framing, most, bytes, stamps, codec: None, told: Vec::new(), astray })
    }

    /// A PES packet begins.
    pub(super) fn begin(&mut self, stamp: Stamp) {
        self.stamps.add(self.bytes.len(), stamp);
    }

    /// The next bytes of it.
    pub(super) fn data(&mut self, bytes: &[u8], out: &mut dyn FnMut(Frame<'_>)) {
        self.bytes.extend_from_slice(bytes);
        // A PES packet need not end; frames are looked for when there is enough for the longest one.
        if self.bytes.len() > self.most {
            self.frames(out);
            if self.bytes.len() > self.most {
                out(Frame::Junk(self.bytes.len()));
                self.lost();
            }
        }
    }

    /// It is whole: frames in it are handed on.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Frame<'_>)) {
        self.frames(out);
    }

    /// Something was lost, and what is open with it.
    pub(super) fn lost(&mut self) {
        self.bytes.clear();
        self.stamps.clear();
        self.astray |= self.framing.is_vague();
    }

    fn frames(&mut self, out: &mut dyn FnMut(Frame<'_>)) {
        let (mut at, mut junk) = (0, 0);
        loop {
            match self.framing.cut(&self.bytes[at..], self.astray) {
                Found::Unit(cut) => {
                    self.astray = false;
                    let end = at + cut.end;
                    self.frame(at, cut, out);
                    at = end;
                }
                Found::Not if at < self.bytes.len() => {
                    let first = self.framing.first();
                    let rest = &self.bytes[at + 1..];
                    let skipped = 1 + memchr::memchr(first, rest).unwrap_or(rest.len());
                    self.astray = true;
                    junk += skipped;
                    at += skipped;
                }
                _ => break,
            }
        }
        if junk > 0 {
            out(Frame::Junk(junk));
        }
        self.bytes.drain(..at);
        self.stamps.shift(at);
    }

    fn frame(&mut self, at: usize, cut: Cut, out: &mut dyn FnMut(Frame<'_>)) {
        let stamp = self.stamps.take(at);
        if self.told != cut.told {
            let frame = self.bytes.get(at + cut.start..at + cut.end).unwrap_or_default();
            let codec = self.framing.codec(&cut.told, frame);
            self.told = cut.told;
            match codec {
                Ok(codec) if self.codec.as_ref() != Some(&codec) => {
                    out(Frame::Configured(self.codec.insert(codec)));
                }
                Ok(_) => {}
                Err(_) => {
                    self.codec = None;
                    out(Frame::Refused);
                }
            }
        }
        let here = self.bytes.get(at + cut.start..at + cut.end);
        match (cut.moved.as_deref().or(here), &self.codec) {
            (Some(data), Some(codec)) => out(Frame::Whole { stamp, data, codec }),
            _ => out(Frame::Unconfigured),
        }
    }
}

impl Framing {
    /// The byte that each frame begins with.
    fn first(&self) -> u8 {
        match self {
            Framing::Adts | Framing::Mpeg => 0xff,
            Framing::Latm(_) => 0x56,
            Framing::Dolby => 0x0b,
            Framing::Opus(_) => 0x7f,
        }
    }

    /// Whether what begins a frame is often found inside of others, and PES packets begin anywhere.
    fn is_vague(&self) -> bool {
        matches!(self, Framing::Mpeg)
    }

    /// Whether a frame may be followed by what begins so: another of its kind.
    fn goes_on(&self, frame: &[u8], next: &[u8]) -> bool {
        let same: &[u8] = if let Framing::Mpeg = self { &MPEG_KIND } else { &[0xff] };
        // Frames of the others may have something before them.
        let first = if let Framing::Mpeg = self { frame } else { &[self.first()] };
        same.iter().zip(first).zip(next).all(|((mask, one), other)| (one ^ other) & mask == 0)
    }

    /// The frame at the front. With `followed`, what comes behind it has to be one too, or the end.
    fn cut(&mut self, bytes: &[u8], followed: bool) -> Found<Cut> {
        if bytes.is_empty() {
            return Found::More;
        }
        let cut = match self {
            Framing::Adts => adts_cut(bytes),
            Framing::Latm(_) => latm_cut(bytes),
            Framing::Dolby => dolby_cut(bytes),
            Framing::Mpeg => mpeg_cut(bytes),
            Framing::Opus(channels) => opus_cut(bytes, *channels),
        };
        let Found::Unit(mut cut) = cut else { return cut };
        if followed && !self.goes_on(bytes, bytes.get(cut.end..).unwrap_or_default()) {
            return Found::Not;
        }
        if let Framing::Latm(latm) = self {
            let frame = latm.frame(&bytes[..cut.end]);
            let (config, data) = frame.map(|frame| (frame.config, frame.data)).unwrap_or_default();
            (cut.told, cut.moved) = (config, Some(data));
        }
        Found::Unit(cut)
    }

    fn codec(&self, told: &[u8], frame: &[u8]) -> Result<Codec, Error> {
        match self {
            Framing::Adts | Framing::Latm(_) => Aac::parse(Bytes::copy_from_slice(told)).map(Codec::Aac),
            Framing::Dolby if ac3::frame_size(frame).is_some() => Ac3::from_frame(frame).map(Codec::Ac3),
            Framing::Dolby => Eac3::from_frame(frame).map(Codec::Eac3),
            Framing::Mpeg => MpegAudio::from_frame(frame).map(Codec::MpegAudio),
            Framing::Opus(channels) => Opus::new(*channels, 0).map(Codec::Opus),
        }
    }
}

fn adts_cut(bytes: &[u8]) -> Found<Cut> {
    match adts::frame(bytes) {
        Found::Unit(frame) => {
            Found::Unit(Cut { start: frame.start, end: frame.end, moved: None, told: frame.config.to_vec() })
        }
        Found::More => Found::More,
        Found::Not => Found::Not,
    }
}

fn latm_cut(bytes: &[u8]) -> Found<Cut> {
    match latm::unit(bytes) {
        Found::Unit(end) => Found::Unit(Cut { start: 0, end, moved: None, told: Vec::new() }),
        Found::More => Found::More,
        Found::Not => Found::Not,
    }
}

fn opus_cut(bytes: &[u8], channels: u8) -> Found<Cut> {
    match opus::unit(bytes) {
        Found::Unit(unit) => {
            Found::Unit(Cut { start: unit.start, end: unit.end, moved: None, told: vec![channels] })
        }
        Found::More => Found::More,
        Found::Not => Found::Not,
    }
}

/// A syncframe of AC-3, or one of E-AC-3 with those that depend on it.
fn dolby_cut(bytes: &[u8]) -> Found<Cut> {
    /// Bytes in which a syncframe says what it is; none is shorter.
    const TOLD: usize = 16;
    let is_sync = bytes[0] == 0x0b && bytes.get(1).is_none_or(|second| *second == 0x77);
    if !is_sync {
        return Found::Not;
    }
    let Some(head) = bytes.first_chunk::<TOLD>() else { return Found::More };
    if let Some(end) = ac3::frame_size(bytes) {
        // Rate, and what channels there are; bits that change from frame to frame are not in it.
        let told = vec![3, head[4] >> 6, head[5], bytes.get(6).map_or(0, |byte| byte >> 5)];
        let cut = Cut { start: 0, end, moved: None, told };
        return if end <= bytes.len() { Found::Unit(cut) } else { Found::More };
    }
    let Some((mut end, false)) = eac3::frame_size(bytes) else { return Found::Not };
    let mut told = vec![head[4], head[5]];
    while let Some((size, true)) = bytes.get(end..).and_then(eac3::frame_size) {
        told.extend(bytes[end..].iter().skip(4).take(1));
        end += size;
    }
    let cut = Cut { start: 0, end, moved: None, told };
    if end <= bytes.len() { Found::Unit(cut) } else { Found::More }
}

/// What does not change in the headers of MPEG audio: the syncword, standard and layer, and the sampling frequency.
const MPEG_KIND: [u8; 3] = [0xff, 0xfe, 0x0c];

fn mpeg_cut(bytes: &[u8]) -> Found<Cut> {
    if bytes[0] != 0xff || bytes.get(1).is_some_and(|second| second & 0xf0 != 0xf0) {
        return Found::Not;
    }
    let Some(&[_, kind, rates, mode]) = bytes.first_chunk() else { return Found::More };
    let Some(end) = mpeg_audio::frame_size(bytes) else { return Found::Not };
    // Which standard, the sampling frequency, and whether there is one channel.
    let told = vec![kind & 8, rates & 0x0c, u8::from(mode >> 6 == 3)];
    let cut = Cut { start: 0, end, moved: None, told };
    if end <= bytes.len() { Found::Unit(cut) } else { Found::More }
}
