//! A light encoder: H.264 and AAC as far as a packager looks at them, with any times.

use std::net::{Ipv4Addr, SocketAddr};

use crate::rtmp::{AUDIO, DATA, Rtmp, VIDEO, message, number, text};

/// 1280x720 High@3.1 as x264 describes it.
const AVC_RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");
/// LC, 48 kHz, stereo.
const AAC_CONFIG: &[u8] = &[0x11, 0x90];

/// A publisher that was let in.
pub struct Publisher {
    pub rtmp: Rtmp,
}

impl Publisher {
    /// Publishes video, and audio if wanted; both are described.
    pub fn on_air(to: SocketAddr, entry: &str, audio: bool) -> Publisher {
        Publisher::on_air_from(Ipv4Addr::LOCALHOST, to, entry, audio)
    }

    /// The same from another address of this machine.
    pub fn on_air_from(from: Ipv4Addr, to: SocketAddr, entry: &str, audio: bool) -> Publisher {
        let rtmp = Rtmp::publish_from(from, to, &format!("key-{entry}"));
        assert!(rtmp.has_heard("NetStream.Publish.Start"), "{entry} was not let in");
        let mut publisher = Publisher { rtmp };
        publisher.describe(true, audio);
        publisher
    }

    /// Metadata and sequence headers.
    pub fn describe(&mut self, video: bool, audio: bool) {
        let property = |name: &str, there: bool| {
            let value = if there { number(7.0) } else { number(0.0) };
            [&text(name)[1..], &value].concat()
        };
        let properties = [property("videocodecid", video), property("audiocodecid", audio)].concat();
        let metadata = [&text("onMetaData")[..], b"\x03", &properties, b"\x00\x00\x09"].concat();
        self.rtmp.send(&message(DATA, 0, &metadata));
        if video {
            self.rtmp.send(&message(VIDEO, 0, &[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat()));
        }
        if audio {
            self.rtmp.send(&message(AUDIO, 0, &[&[0xaf, 0], AAC_CONFIG].concat()));
        }
    }

    /// A picture of `size` bytes; whether the server still takes it.
    pub fn picture(&mut self, millis: u32, keyframe: bool, size: usize) -> bool {
        self.shown_later(millis, 0, keyframe, size)
    }

    /// A picture that is shown `offset` ms after it is decoded.
    pub fn shown_later(&mut self, millis: u32, offset: i32, keyframe: bool, size: usize) -> bool {
        let [_, a, b, c] = offset.to_be_bytes();
        let (first, nal) = if keyframe { (0x17, 0x65) } else { (0x27, 0x41) };
        let length = (size as u32 + 1).to_be_bytes();
        let tag = [&[first, 1, a, b, c][..], &length, &[nal], &vec![0x2a; size]].concat();
        self.rtmp.send(&message(VIDEO, millis, &tag))
    }

    /// An audio frame: 64/3 ms.
    pub fn sound(&mut self, millis: u32) -> bool {
        self.rtmp.send(&message(AUDIO, millis, &[0xaf, 1, 0x21, 0x10, 0x05, 0x20]))
    }

    /// `seconds` of 25 pictures each from `from` ms on, a keyframe every second, with audio beside it if wanted, as fast
    /// as it is taken.
    pub fn run(&mut self, from: u32, seconds: u32, audio: bool) {
        let mut sounds = 0;
        for frame in 0..seconds * 25 {
            while audio && sounds * 64 / 3 <= frame * 40 {
                self.sound(from.wrapping_add(sounds * 64 / 3));
                sounds += 1;
            }
            self.picture(from.wrapping_add(frame * 40), frame % 25 == 0, 100);
        }
    }
}
