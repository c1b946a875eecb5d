//! MPEG-TS: what a strict reader finds in the files, held against the fragments that they are made of.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::transport::{Transport, Unit, adts_frames, nal_units, since};
use common::witness::Witness;
use common::{FIRST, Publisher, START};
use container::mp4::{FragmentSample, parse_fragment};
use media::codec::MpegAudio;
use media::{Codec, Sample, Sync, Timescale, Track, TrackId};
use packager::manifest::{Options, hls, hls_ts};
use packager::ts::{Absent, Program, program};
use packager::{Presentation, Segment, Settings};

/// Everything stays: five minutes.
fn settings() -> Settings {
    Settings { window: Duration::from_secs(300), ..Settings::default() }
}

/// Ticks of 90 kHz since the Unix epoch at the start of a period, as far as they are written.
fn zero(segment: &Segment) -> i64 {
    segment.period.start.micros() / 1000 * 90 % (1 << 33)
}

trait Push {
    fn picture(&mut self, at: i64, offset: i32, sync: Sync);
    fn sound(&mut self, at: i64);
    fn b_frames(&mut self, from: i64, pictures: i64, audio: bool);
}

impl Push for Publisher {
    /// One slice that says when it is decoded.
    fn picture(&mut self, at: i64, offset: i32, sync: Sync) {
        let header = if sync == Sync::Yes { 0x65 } else { 0x41 };
        let size = 30 + (at * 7919 % 500) as usize;
        let slice = [&[header][..], &at.to_be_bytes().map(|byte| byte | 0x80), &vec![0xaa; size]].concat();
        send(
            self,
            TrackId::VIDEO,
            at,
            offset,
            sync,
            [&(slice.len() as u32).to_be_bytes()[..], &slice].concat(),
        );
    }

    fn sound(&mut self, at: i64) {
        let size = 100 + (at * 31 % 200) as usize;
        send(self, TrackId::AUDIO, at, 0, Sync::Yes, [&at.to_be_bytes()[..], &vec![0x55; size]].concat());
    }

    /// 25 pictures a second, two B-frames between others, a keyframe every two seconds; AAC of 48 kHz.
    fn b_frames(&mut self, from: i64, pictures: i64, audio: bool) {
        let mut sounds = 0;
        for picture in 0..pictures {
            let at = from + picture * 40;
            self.elapsed = Duration::from_millis(at as u64);
            while audio && from + sounds * 64 / 3 <= at {
                self.sound(from + sounds * 64 / 3);
                sounds += 1;
            }
            // Decoded I P B B P B B …: shown as many pictures later as stand here.
            let place = picture % 50;
            let later = match place {
                0 => 1,
                49 => 1,
                place if place % 3 == 1 => 3,
                _ => 0,
            };
            let sync = if place == 0 { Sync::Yes } else { Sync::No };
            self.picture(at, later * 40, sync);
        }
    }
}

fn send(
    publisher: &mut Publisher,
    id: TrackId,
    dts: i64,
    composition_offset: i32,
    sync: Sync,
    data: Vec<u8>,
) {
    let sample = Sample { dts, composition_offset, duration: 0, sync, data: data.into() };
    publisher.packager.push(id, sample, publisher.now());
    publisher.log.extend(publisher.packager.take_log());
}

fn publisher() -> Publisher {
    Publisher::new(settings()).both()
}

/// Files of a rendition, in order, gaps left out.
fn programs(presentation: &Presentation, name: &str) -> Vec<Program> {
    let rendition = presentation.rendition(name).expect("a rendition");
    let numbers = rendition.segments.keys();
    numbers.filter_map(|&number| program(presentation, rendition, number).ok()).collect()
}

fn mux(program: &Program) -> Bytes {
    program.mux().expect("what the packager made")
}

/// Samples of a segment with their decode times, and their bytes.
fn samples(segment: &Segment) -> Vec<(i64, FragmentSample, Vec<u8>)> {
    let mut samples = Vec::new();
    for part in segment.parts() {
        let payload = part.payload.concat();
        let (mut at, mut byte) = (part.start, 0);
        for sample in parse_fragment(&part.header).expect("our own").samples {
            let end = byte + sample.size as usize;
            samples.push((at, sample, payload[byte..end].to_vec()));
            (at, byte) = (at + i64::from(sample.duration), end);
        }
    }
    samples
}

/// Every picture is there with its bytes and its presentation time, decoded in order and no later than shown.
fn assert_pictures(segment: &Segment, units: &[Unit]) {
    let samples = samples(segment);
    assert_eq!(units.len(), samples.len());
    for ((dts, sample, data), unit) in samples.iter().zip(units) {
        let pts = zero(segment) + dts + i64::from(sample.composition_offset);
        assert_eq!(since(pts, unit.pts), 0, "PTS");
        assert!(since(unit.dts, unit.pts) >= 0, "§2.7.5: decoded before it is shown");
        assert_eq!(unit.random_access, sample.sync == Sync::Yes);
        let units = nal_units(&unit.data);
        let before: &[u8] = if sample.sync == Sync::Yes { &[9, 7, 8] } else { &[9] };
        let types: Vec<u8> = units.iter().map(|unit| unit[0] & 0x1f).collect();
        assert_eq!(types[..types.len() - 1], *before, "RFC 8216bis §3.1.1, H.264 §7.4.1.2.3");
        assert_eq!(units[units.len() - 1], &data[4..]);
    }
}

/// Every audio frame is there with its bytes, and each where a decoder that counts from its unit's time finds it.
fn assert_sounds(segment: &Segment, units: &[Unit]) {
    let samples = samples(segment);
    let mut rest = samples.iter();
    for unit in units {
        for (place, frame) in adts_frames(&unit.data).iter().enumerate() {
            let (dts, _, data) = rest.next().expect("no more frames than there were");
            assert_eq!(frame, data);
            let counted = unit.pts + place as i64 * 1920;
            let off = since(zero(segment) + segment.scale.rescale(*dts, media::Timescale::VIDEO), counted);
            assert!(off.abs() <= 90, "audio {off} ticks off");
        }
    }
    assert!(rest.next().is_none());
}

/// The clock: every 100 ms at most (§2.7.2), and before whatever is decoded by it.
fn assert_clock(transport: &Transport) {
    for pair in transport.clocks.windows(2) {
        let step = since(pair[0], pair[1]);
        assert!((0..=9000).contains(&step), "the clock went on by {step}");
    }
    for unit in transport.streams.values().flat_map(|stream| &stream.units) {
        let early = unit.clock.map_or(0, |clock| since(clock, unit.dts));
        assert!((0..=90_000).contains(&early), "{early} ticks before it is decoded");
    }
}

#[test]
fn a_hundred_segments_put_together_are_one_stream() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 203, true);
    let programs = programs(publisher.presentation(), "video-1");
    assert!(programs.len() >= 100, "{}", programs.len());
    let files: Vec<Bytes> = programs.iter().map(mux).collect();
    let whole = Transport::read(&files.concat());
    assert_clock(&whole);
    assert!(whole.packets().all(|packets| packets % 16 == 0), "ISO/IEC 13818-1 §2.4.3.3");
    let steps: Vec<i64> = whole.video().windows(2).map(|pair| since(pair[0].dts, pair[1].dts)).collect();
    assert!(steps.iter().all(|&step| step == 3600), "decode times are as even as the encoder's");
    for (program, file) in programs.iter().zip(&files) {
        let transport = Transport::read(file);
        assert_pictures(&program.main, transport.video());
        assert_sounds(program.sound.as_ref().expect("there is sound"), transport.audio());
    }
}

#[test]
fn a_file_is_the_same_however_often_it_is_made() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 9, true);
    for program in programs(publisher.presentation(), "video-1") {
        assert_eq!(mux(&program), mux(&program));
        let len = mux(&program).len() as u64;
        assert!(len < program.payload_len() * 2 + 188 * 200, "{len}");
    }
}

#[test]
fn mpeg_audio_stands_as_it_is_in_a_stream_of_its_own_type() {
    for (rate, head, stream_type) in
        [(48_000, [0xff, 0xfd, 0x14, 0xc0], 3), (24_000, [0xff, 0xf5, 0x24, 0xc0], 4)]
    {
        let mut publisher = Publisher::new(settings());
        publisher.packager.announce(true, true);
        publisher.packager.track(TrackId::VIDEO, common::video_track());
        let audio = Codec::MpegAudio(MpegAudio::new(rate, 1).expect("it"));
        publisher.packager.track(TrackId::AUDIO, Track::new(audio, Timescale::VIDEO));
        let mut sounds = 0;
        for picture in 0..25 * 9 {
            let at = picture * 40;
            publisher.elapsed = Duration::from_millis(at as u64);
            while sounds * 1152 * 1000 / i64::from(rate) <= at {
                let frame = [&head[..], &[sounds as u8 & 0x7f; 92]].concat();
                let time = sounds * 1152 * 90_000 / i64::from(rate);
                send(&mut publisher, TrackId::AUDIO, time, 0, Sync::Yes, frame);
                sounds += 1;
            }
            publisher.picture(at, 0, if picture % 50 == 0 { Sync::Yes } else { Sync::No });
        }
        for program in programs(publisher.presentation(), "video-1") {
            let transport = Transport::read(&mux(&program));
            assert_clock(&transport);
            let stream = transport.streams.values().find(|it| it.kind == stream_type).expect("its type");
            let segment = program.sound.as_ref().expect("there is sound");
            let frames: Vec<u8> = samples(segment).into_iter().flat_map(|(.., data)| data).collect();
            let written: Vec<u8> = stream.units.iter().flat_map(|unit| unit.data.clone()).collect();
            assert!(written == frames && !frames.is_empty());
            let together = stream.units.iter().map(|unit| unit.data.len() / 96).max();
            assert_eq!(together, Some(if rate == 48_000 { 3 } else { 1 }), "frames that fit 89 ms");
        }
    }
}

#[test]
fn tables_come_first_and_every_half_second() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 9, true);
    for program in programs(publisher.presentation(), "video-1") {
        let file = mux(&program);
        assert_eq!((file[1] & 0x1f, file[2]), (0, 0), "RFC 8216bis §3.1.1: a PAT");
        assert_eq!((file[189] & 0x1f, file[190]), (0x10, 0), "and a PMT");
        assert_eq!(Transport::read(&file).tables, 16);
    }
}

#[test]
fn times_wrap_at_33_bits_and_nothing_else_happens() {
    let until = ((1 << 33) - START.micros() / 1000 * 90 % (1 << 33)) / 90 - 9_000;
    let mut publisher = publisher();
    publisher.b_frames(until, 25 * 19, true);
    let programs = programs(publisher.presentation(), "video-1");
    let files: Vec<Bytes> = programs.iter().map(mux).collect();
    let whole = Transport::read(&files.concat());
    assert_clock(&whole);
    let falls = |of: &dyn Fn(&Unit) -> i64, units: &[Unit]| {
        units.windows(2).filter(|pair| of(&pair[1]) + (1 << 32) < of(&pair[0])).count()
    };
    assert_eq!(falls(&|unit| unit.dts, whole.video()), 1, "ISO/IEC 13818-1 §2.4.3.7");
    assert_eq!(falls(&|unit| unit.pts, whole.audio()), 1);
    assert_eq!(whole.clocks.windows(2).filter(|pair| pair[1] < pair[0]).count(), 1);
    for (program, file) in programs.iter().zip(&files) {
        assert_pictures(&program.main, Transport::read(file).video());
    }
}

#[test]
fn times_go_on_over_an_outage_by_as_long_as_it_lasted() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 6, true);
    publisher.interrupt();
    publisher.packager.begin();
    publisher = publisher.both();
    publisher.b_frames(10_000, 25 * 6, true);
    let programs = programs(publisher.presentation(), "video-1");
    let first = |period: u64| {
        let program = programs.iter().find(|it| it.main.period.number == period).expect("a file of it");
        Transport::read(&mux(program)).video()[0].pts
    };
    assert_eq!(since(first(FIRST), first(FIRST + 1)), 10_000 * 90);
}

#[test]
fn sound_alone_has_the_clock() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 9, true);
    let programs = programs(publisher.presentation(), "audio-1");
    let files: Vec<Bytes> = programs.iter().map(mux).collect();
    let whole = Transport::read(&files.concat());
    assert_clock(&whole);
    assert!(whole.video().is_empty() && whole.audio()[0].random_access);
    for (program, file) in programs.iter().zip(&files) {
        assert_sounds(&program.main, Transport::read(file).audio());
    }
}

#[test]
fn a_picture_without_sound_is_alone() {
    let mut publisher = Publisher::new(settings());
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.b_frames(0, 25 * 9, false);
    let programs = programs(publisher.presentation(), "video-1");
    assert!(programs.len() >= 4 && programs.iter().all(|program| program.sound.is_none()));
    let whole = Transport::read(&programs.iter().map(mux).collect::<Vec<_>>().concat());
    assert_clock(&whole);
    assert!(whole.audio().is_empty());
}

#[test]
fn pictures_that_last_for_seconds_do_not_stop_the_clock() {
    let mut publisher = publisher();
    for second in 0..20 {
        publisher.elapsed = Duration::from_secs(second);
        for sound in 0..47 {
            publisher.sound(second as i64 * 1000 + sound * 64 / 3);
        }
        let sync = if second % 2 == 0 { Sync::Yes } else { Sync::No };
        publisher.picture(second as i64 * 1000, 0, sync);
    }
    let programs = programs(publisher.presentation(), "video-1");
    assert!(programs.len() >= 5);
    assert_clock(&Transport::read(&programs.iter().map(mux).collect::<Vec<_>>().concat()));
}

#[test]
fn late_sound_is_waited_for_and_what_can_be_fetched_never_changes() {
    for lag in [0, 700, 2500, 6000] {
        let mut publisher = publisher();
        let (mut witness, mut sounds) = (Witness::default(), 0);
        for picture in 0..25 * 30 {
            let at = picture * 40;
            publisher.elapsed = Duration::from_millis(at as u64);
            // Sound comes late, falls silent for good after 20 s, and its track stays announced.
            while sounds * 64 / 3 + lag <= at && sounds * 64 / 3 < 20_000 {
                publisher.sound(sounds * 64 / 3);
                sounds += 1;
            }
            publisher.picture(at, 0, if picture % 50 == 0 { Sync::Yes } else { Sync::No });
            witness.look(publisher.packager.presentation());
        }
        publisher.end();
        witness.look(publisher.packager.presentation());
        let with_sound = witness.0.values().filter(|program| program.sound.is_some()).count();
        assert!(with_sound >= 7, "{lag} ms: {with_sound} of {}", witness.0.len());
        assert_eq!(witness.0.len(), 15, "{lag} ms");
    }
}

#[test]
fn a_publisher_that_returns_without_sound_is_not_waited_for() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 6, true);
    publisher.interrupt();
    publisher.packager.begin();
    publisher.packager.announce(true, false);
    publisher.packager.track(TrackId::VIDEO, common::video_track());
    publisher.b_frames(10_000, 25 * 7, false);
    let presentation = publisher.presentation();
    let video = publisher.rendition("video-1");
    let newest = video.last().expect("a segment").number;
    assert_eq!(program(presentation, video, newest).map(|program| program.sound), Ok(None));
    assert_eq!(program(presentation, video, newest + 1), Err(Absent::NotYet));
    assert_eq!(program(presentation, video, FIRST - 1), Err(Absent::Gone));
}

/// Lines of a playlist with these tags.
fn tagged<'a>(playlist: &'a str, tags: &[&str]) -> Vec<&'a str> {
    playlist.lines().filter(|line| tags.iter().any(|tag| line.starts_with(tag))).collect()
}

#[test]
fn playlists_say_the_same_as_those_of_fragments() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 7, true);
    publisher.interrupt();
    publisher.packager.begin();
    publisher = publisher.both();
    publisher.b_frames(10_000, 25 * 7, true);
    publisher.end();
    let (presentation, video) = (publisher.presentation(), publisher.rendition("video-1"));
    let options = Options { low_latency: false, ..Options::default() };
    let fragments = hls::media(presentation, video, &options);
    let transport = hls_ts::media(presentation, video, &options);
    let same = [
        "#EXT-X-TARGETDURATION",
        "#EXT-X-MEDIA-SEQUENCE",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-PROGRAM-DATE-TIME",
        "#EXTINF",
        "#EXT-X-ENDLIST",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ];
    assert_eq!(tagged(&transport, &same), tagged(&fragments, &same));
    assert!(tagged(&transport, &["#EXT-X-DISCONTINUITY"]).len() == 2);
    assert_eq!(tagged(&transport, &["#EXT-X-VERSION"]), ["#EXT-X-VERSION:3"]);
    assert!(tagged(&transport, &["#EXT-X-MAP", "#EXT-X-PART"]).is_empty());
    assert!(transport.contains(&format!("\nvideo-1/{FIRST}.ts\n")));
}

#[test]
fn a_video_that_dies_leaves_gaps_and_says_its_version() {
    let mut publisher = publisher();
    publisher.b_frames(0, 25 * 6, true);
    for sound in 282..1200 {
        publisher.elapsed = Duration::from_millis(sound as u64 * 64 / 3);
        publisher.sound(sound * 64 / 3);
    }
    let (presentation, video) = (publisher.presentation(), publisher.rendition("video-1"));
    let playlist = hls_ts::media(presentation, video, &Options::default());
    let gap = video.segments.values().find(|segment| segment.is_gap()).expect("a gap");
    assert!(playlist.contains("#EXT-X-VERSION:8\n") && playlist.contains("#EXT-X-GAP\n"), "{playlist}");
    assert_eq!(program(presentation, video, gap.number), Err(Absent::Gone));
    let newcomers = hls_ts::multivariant(presentation, &Options::default());
    assert!(!newcomers.contains("video-1") && newcomers.contains("audio-1.m3u8?s="), "{newcomers}");
}
