//! Well-formed messages of any kind with any payload, through the session and the packager behind it.
#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use fuzz::{peer, shown};
use ingest::rtmp::message::kind;
use ingest::rtmp::session::Event;
use ingest::rtmp::{Limits, Session};
use libfuzzer_sys::fuzz_target;
use media::WallTime;
use packager::{Now, Numbers, Packager};
use stream::Input;

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// Any message.
    Message {
        kind: u8,
        step: i16,
        payload: &'a [u8],
    },
    Picture {
        keyframe: bool,
        composition_time: [u8; 3],
        step: i16,
        nal: &'a [u8],
    },
    Sound {
        step: i16,
        frame: &'a [u8],
    },
    /// A packet of a track in an enhanced header.
    Enhanced {
        video: bool,
        packet: u8,
        codec: u8,
        track: u8,
        step: i16,
        payload: &'a [u8],
    },
    Metadata(&'a [u8]),
    /// A timestamp from elsewhere.
    Jump(u32),
    /// Silence.
    Wait(u16),
    Unpublish,
    Publish,
}

struct Publisher {
    session: Session,
    packager: Packager,
    base: Instant,
    elapsed: Duration,
    timestamp: u32,
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut publisher = Publisher::on_air();
    for step in steps.into_iter().take(4000) {
        if publisher.step(step).is_none() {
            break;
        }
    }
    publisher.packager.end(publisher.now().wall);
    if let Some(presentation) = publisher.packager.presentation() {
        shown::check(presentation);
    }
});

impl Publisher {
    fn on_air() -> Publisher {
        let base = Instant::now();
        let numbers = Numbers::unknown(WallTime::from_millis(1_795_309_432_000));
        let packager = Packager::new(Arc::new(shown::settings()), numbers, false);
        let session = Session::new(Limits::default(), base);
        let mut publisher = Publisher { session, packager, base, elapsed: Duration::ZERO, timestamp: 0 };
        for bytes in [peer::handshake(), peer::publish(), peer::tracks()] {
            publisher.bytes(&bytes).expect("legal");
        }
        publisher
    }

    fn now(&self) -> Now {
        let wall = WallTime::from_micros(1_795_309_432_000_000 + self.elapsed.as_micros() as i64);
        Now { instant: self.base + self.elapsed, wall }
    }

    fn step(&mut self, step: Step<'_>) -> Option<()> {
        match step {
            Step::Message { kind, step, payload } => self.message(kind % 24, step, payload),
            Step::Picture { keyframe, composition_time: [a, b, c], step, nal } => {
                let length = (nal.len() as u32).to_be_bytes();
                let first = if keyframe { 0x17 } else { 0x27 };
                self.message(kind::VIDEO, step, &[&[first, 1, a, b, c][..], &length, nal].concat())
            }
            Step::Sound { step, frame } => self.message(kind::AUDIO, step, &[&[0xaf, 1], frame].concat()),
            Step::Enhanced { video, packet, codec, track, step, payload } => {
                const CODECS: [&[u8; 4]; 10] = [
                    b"avc1", b"hvc1", b"av01", b"vp09", b"mp4a", b"Opus", b"ac-3", b"ec-3", b"fLaC", b"vvc1",
                ];
                let (kind, multitrack) = if video { (kind::VIDEO, 6) } else { (kind::AUDIO, 5) };
                let (first, codec) = (0x90 | (packet & 0x20) | multitrack, CODECS[usize::from(codec) % 10]);
                let header = [&[first, packet & 0x0f][..], codec, &[track % 10]].concat();
                self.message(kind, step, &[&header, payload].concat())
            }
            Step::Metadata(payload) => {
                let name = b"\x02\x00\x0aonMetaData\x03";
                self.message(kind::DATA, 0, &[&name[..], payload].concat())
            }
            Step::Jump(timestamp) => {
                self.timestamp = timestamp;
                Some(())
            }
            Step::Wait(code) => {
                self.elapsed += shown::millis(code);
                self.packager.tick(self.now());
                Some(())
            }
            Step::Unpublish => self.bytes(&peer::message(kind::COMMAND, 0, b"\x02\x00\x0bcloseStream")),
            Step::Publish => self.bytes(&[peer::publish(), peer::tracks()].concat()),
        }
    }

    fn message(&mut self, kind: u8, step: i16, payload: &[u8]) -> Option<()> {
        self.timestamp = self.timestamp.wrapping_add_signed(step.into());
        self.elapsed += Duration::from_millis(u64::from(step.unsigned_abs() / 8));
        self.bytes(&peer::message(kind, self.timestamp, payload))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let handled = self.session.handle(bytes, self.base);
        while let Some(event) = self.session.poll_event() {
            self.act(event);
        }
        self.session.poll_transmit();
        handled.ok()
    }

    fn act(&mut self, event: Event) {
        let now = self.now();
        match event {
            // One name is enough here.
            Event::Publish(request) if self.session.is_publishing() => {
                self.session.refuse(request.stream_id, "one is enough");
            }
            Event::Publish(request) => {
                self.session.accept(request.stream_id);
                self.packager.begin();
            }
            Event::Input(_, Input::Announce { video, audio }) => self.packager.announce(video, audio),
            Event::Input(_, Input::Metadata { .. }) => {}
            Event::Input(_, Input::Track { id, track }) => self.packager.track(id, track),
            Event::Input(_, Input::Sample { id, sample }) => self.packager.push(id, sample, now),
            Event::Unpublish(..) => self.packager.interrupt(now.wall),
        }
        self.packager.take_log();
        self.packager.take_notices();
    }
}
