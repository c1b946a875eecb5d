//! A stream that goes on: counters, tables and clock from the first unit to the last, whatever comes when.

use media::Sync;

use super::packet::{Adaptation, Packets};
use super::segment::Frame;
use super::streams::{Pictures, Sound};
use super::{Pid, pes, psi};

/// How far the clock runs behind decode times. Ticks of 90 kHz.
const LEAD: i64 = 27_000;
/// Tables come at least as often.
const TABLES: i64 = 45_000;

/// Writes units as they come. Who calls brings them by decode time, in ticks of 90 kHz.
#[derive(Debug, Default)]
pub struct Mux {
    packets: Packets,
    unit: Vec<u8>,
    /// What the video is, and the audio, where there is any.
    streams: (Option<psi::Stream>, Option<psi::Stream>),
    version: u8,
    /// When the tables were sent last.
    tables: Option<i64>,
}

impl Mux {
    /// What the tables say from now on.
    pub fn set_streams(&mut self, video: Option<&Pictures>, audio: Option<&Sound>) {
        let streams = (video.map(Pictures::stream), audio.map(Sound::stream));
        if self.streams != streams {
            self.streams = streams;
            // Version 0 has never been sent where this is the first.
            self.version = self.version.wrapping_add(1) & 0x1f;
            self.tables = None;
        }
    }

    /// A picture; `video` says what decoders have to know where decoding may begin.
    pub fn picture(&mut self, video: &Pictures, frame: &Frame) {
        self.begin(frame.dts, frame.sync != Sync::No);
        self.unit.clear();
        pes::begin(&mut self.unit, pes::VIDEO, frame.pts, frame.dts);
        video.write(&mut self.unit, frame);
        let random_access = frame.sync != Sync::No;
        self.send(Pid::Video, Adaptation { random_access, clock: Some(frame.dts - LEAD) });
    }

    /// A frame of sound. One that is longer than can be said is left out.
    pub fn sound(&mut self, sound: &Sound, frame: &Frame) {
        if !sound.fits(&frame.data) {
            return;
        }
        let alone = self.streams.0.is_none();
        self.begin(frame.pts, false);
        self.unit.clear();
        pes::begin(&mut self.unit, sound.stream_id(), frame.pts, frame.pts);
        sound.write(&mut self.unit, &frame.data);
        self.send(Pid::Audio, Adaptation { random_access: alone, clock: alone.then_some(frame.pts - LEAD) });
    }

    /// The packets since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        self.packets.take()
    }

    fn begin(&mut self, now: i64, joins: bool) {
        let due = self.tables.is_none_or(|last| joins || now < last || now - last >= TABLES);
        if due {
            self.tables = Some(now);
            let (video, audio) = (self.streams.0.as_ref(), self.streams.1.as_ref());
            self.packets.unit(Pid::Association, &psi::association(), Adaptation::default());
            let map = psi::map_version(video, audio, self.version);
            self.packets.unit(Pid::Map, &map, Adaptation::default());
        }
    }

    fn send(&mut self, pid: Pid, adaptation: Adaptation) {
        pes::finish(&mut self.unit);
        self.packets.unit(pid, &self.unit, adaptation);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::Codec;
    use media::codec::{Aac, Avc, MpegAudio};

    use super::super::PACKET;
    use super::*;

    fn frame(at: i64, sync: Sync, data: &'static [u8]) -> Frame {
        Frame { pts: at, dts: at, duration: 3000, sync, data: Bytes::from_static(data) }
    }

    fn pids(bytes: &[u8]) -> Vec<(u16, u8)> {
        let packet = |it: &[u8]| (u16::from_be_bytes([it[1] & 0x1f, it[2]]), it[3] & 0xf);
        bytes.chunks(PACKET).map(packet).collect()
    }

    #[test]
    fn counters_go_on_and_tables_come_with_keyframes() {
        let record = include_bytes!("../../../packager/tests/common/avcc-720p.bin");
        let avc = Codec::Avc(Avc::parse(Bytes::from_static(record)).expect("valid"));
        let video = Pictures::of(&avc).expect("it is carried");
        let aac = Codec::Aac(Aac::parse(Bytes::from_static(&[0x11, 0x90])).expect("valid"));
        let adts = Sound::of(&aac).expect("it is carried");
        let mpeg = Codec::MpegAudio(MpegAudio::new(48_000, 2).expect("valid"));
        let mpeg = Sound::of(&mpeg).expect("it is carried");
        let mut mux = Mux::default();
        mux.set_streams(Some(&video), Some(&adts));
        mux.picture(&video, &frame(0, Sync::Yes, b"\0\0\0\x01e"));
        assert_eq!(pids(&mux.take()), [(0, 0), (0x1000, 0), (0x100, 0)]);
        mux.sound(&adts, &frame(10, Sync::Yes, b"sound"));
        mux.picture(&video, &frame(3000, Sync::No, b"\0\0\0\x01A"));
        assert_eq!(pids(&mux.take()), [(0x101, 0), (0x100, 1)]);
        mux.picture(&video, &frame(6000, Sync::Yes, b"\0\0\0\x01e"));
        mux.sound(&adts, &frame(60_000, Sync::Yes, b"sound"));
        let bytes = mux.take();
        assert_eq!(pids(&bytes), [(0, 1), (0x1000, 1), (0x100, 2), (0, 2), (0x1000, 2), (0x101, 1)]);
        let map = |bytes: &[u8]| bytes[PACKET..2 * PACKET].to_vec();
        let mut before = bytes;
        for (counter, audio) in [(3, Some(&mpeg)), (4, None)] {
            mux.set_streams(Some(&video), audio);
            mux.picture(&video, &frame(63_000, Sync::No, b"\0\0\0\x01A"));
            let other = mux.take();
            assert_ne!(map(&before)[10], map(&other)[10], "another map is another version");
            assert_eq!(pids(&other)[..2], [(0, counter), (0x1000, counter)]);
            before = other;
        }
    }
}
