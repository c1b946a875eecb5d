//! What goes wrong on the way, on packets made by hand.

use super::*;
use crate::ts::{pes, psi};

/// What came out, told briefly.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Told {
    Program(u16, Vec<u16>),
    Unit(u16, Option<i64>, Vec<u8>),
    Broken(u16),
}

/// Collects whole units.
#[derive(Default)]
struct Listener {
    told: Vec<Told>,
    open: Option<(u16, Option<i64>, Vec<u8>)>,
}

impl Listener {
    fn note(&mut self, event: Event<'_>) {
        match event {
            Event::Program(program) => {
                let pids = program.streams.iter().map(|stream| stream.pid).collect();
                self.told.push(Told::Program(program.number, pids));
            }
            Event::Begins { pid, times, .. } => {
                self.open = Some((pid, times.map(|times| times.pts), Vec::new()))
            }
            Event::Data { bytes, .. } => {
                self.open.iter_mut().for_each(|open| open.2.extend_from_slice(bytes))
            }
            Event::Ends { .. } => {
                let (pid, pts, bytes) = self.open.take().expect("something is open");
                self.told.push(Told::Unit(pid, pts, bytes));
            }
            Event::Broken { pid } => {
                self.open = None;
                self.told.push(Told::Broken(pid));
            }
            Event::Section { .. } => {}
        }
    }
}

fn demuxed(packets: &[[u8; PACKET]]) -> (Vec<Told>, Counters) {
    let (mut demuxer, mut listener) = (Demuxer::new(Limits::default()), Listener::default());
    demuxer.push(&padded(packets), &mut |event| listener.note(event));
    demuxer.finish(true, &mut |event| listener.note(event));
    (listener.told, demuxer.counters())
}

/// Null packets behind the others, so that three are in sight of the first.
fn padded(packets: &[[u8; PACKET]]) -> Vec<u8> {
    let null = packet(NULL, 0x10, 0, &[0xff; 184]);
    packets.iter().chain(&[null; 3]).flatten().copied().collect()
}

/// A packet with this byte of flags and counter; `payload` is filled up in front by an adaptation field.
fn packet(pid: u16, flags: u8, begins: u8, payload: &[u8]) -> [u8; PACKET] {
    let [high, low] = pid.to_be_bytes();
    let field = PACKET - 4 - payload.len();
    let mut bytes = vec![0x47, begins << 6 | high, low, flags | if field > 0 { 0x20 } else { 0 }];
    if field > 0 {
        bytes.push(field as u8 - 1);
        bytes.resize(4 + field, if field > 1 { 0xff } else { 0 });
        if field > 1 {
            bytes[5] = 0;
        }
    }
    bytes.extend_from_slice(payload);
    bytes.try_into().expect("a packet")
}

fn association() -> [u8; PACKET] {
    packet(0, 0x10, 1, &psi::association())
}

fn map(counter: u8) -> [u8; PACKET] {
    packet(0x1000, 0x10 | counter, 1, &psi::map(true, Some(0x0f)))
}

/// A PES packet without its length, at this time.
fn unit(pts: i64, bytes: &[u8]) -> Vec<u8> {
    let mut unit = Vec::new();
    pes::begin(&mut unit, pes::VIDEO, pts, pts);
    unit.extend_from_slice(bytes);
    unit
}

/// Packets of the video with one unit each.
fn pictures(counters: &[u8]) -> Vec<[u8; PACKET]> {
    counters
        .iter()
        .map(|&counter| packet(0x100, 0x10 | counter, 1, &unit(counter.into(), &[counter; 9])))
        .collect()
}

fn seen(told: &[Told]) -> Vec<i64> {
    let pts = |told: &Told| match told {
        Told::Unit(0x100, pts, bytes) => {
            assert_eq!(bytes.len(), 9);
            *pts
        }
        _ => None,
    };
    told.iter().filter_map(pts).collect()
}

fn with_tables(packets: Vec<[u8; PACKET]>) -> Vec<[u8; PACKET]> {
    [association(), map(0)].into_iter().chain(packets).collect()
}

#[test]
fn a_unit_ends_where_the_next_begins() {
    let (told, counters) = demuxed(&with_tables(pictures(&[0, 1, 2])));
    assert_eq!(told[0], Told::Program(1, vec![0x100, 0x101]));
    assert_eq!(seen(&told), [0, 1, 2]);
    assert_eq!(Counters { packets: 8, ..Counters::default() }, counters);
}

#[test]
fn one_duplicate_is_allowed_and_a_second_is_none() {
    let packets = pictures(&[0, 1, 1, 2, 2, 2, 3]);
    let (told, counters) = demuxed(&with_tables(packets));
    assert_eq!(seen(&told), [0, 1, 2, 3], "the second duplicate breaks a unit, and is one itself");
    assert_eq!((counters.duplicates, counters.continuity_errors), (2, 15));
}

#[test]
fn fifteen_lost_packets_are_no_duplicate() {
    let mut packets = pictures(&[0, 1]);
    packets.push(packet(0x100, 0x11, 1, &unit(17, &[17; 9])));
    let (told, counters) = demuxed(&with_tables(packets));
    assert_eq!(seen(&told), [0, 17]);
    assert_eq!(counters.continuity_errors, 15);
    assert_eq!(counters.broken, 1);
}

#[test]
fn a_continuity_error_breaks_the_open_unit_of_its_pid_and_nothing_else() {
    let mut packets = pictures(&[0, 1]);
    packets.push(packet(0x101, 0x10, 1, &unit(50, &[5; 9])));
    packets.extend(pictures(&[3, 4]));
    packets.push(packet(0x101, 0x11, 1, &unit(51, &[5; 9])));
    let (mut demuxer, mut told) = (Demuxer::new(Limits::default()), Vec::new());
    demuxer.push(&padded(&with_tables(packets)), &mut |event| match event {
        Event::Ends { pid } => told.push(pid),
        Event::Broken { pid } => told.push(pid | 0x8000),
        _ => {}
    });
    assert_eq!(told, [0x100, 0x8100, 0x100, 0x101]);
    assert_eq!(demuxer.counters().continuity_errors, 1);
}

#[test]
fn an_announced_discontinuity_is_no_error() {
    let mut packets = pictures(&[0, 1]);
    let mut jump = packet(0x100, 0x19, 1, &unit(9, &[9; 9]));
    jump[5] = 0x80;
    packets.push(jump);
    let (told, counters) = demuxed(&with_tables(packets));
    assert_eq!((seen(&told), counters.continuity_errors), (vec![0, 1, 9], 0));
}

#[test]
fn scrambled_and_damaged_packets_are_dropped_and_counted() {
    let mut packets = pictures(&[0, 1, 2, 3, 4]);
    packets[1][3] |= 0x80;
    packets[3][1] |= 0x80;
    let (told, counters) = demuxed(&with_tables(packets));
    assert_eq!(seen(&told), [4], "each takes the unit before it with it");
    assert_eq!((counters.scrambled, counters.damaged, counters.continuity_errors), (1, 1, 1));
}

#[test]
fn without_tables_everything_is_counted_and_nothing_comes() {
    let (told, counters) = demuxed(&pictures(&[0, 1, 2]));
    assert_eq!((told, counters.unknown), (vec![], 3));
    let late = [pictures(&[0, 1]), with_tables(pictures(&[2, 3]))].concat();
    assert_eq!(seen(&demuxed(&late).0), [2, 3], "tables that come late");
}

#[test]
fn tables_with_a_wrong_checksum_change_nothing() {
    let mut broken = map(1);
    broken[30] ^= 0xff;
    let mut packets = with_tables(pictures(&[0]));
    packets.push(broken);
    packets.extend(pictures(&[1]));
    let (told, counters) = demuxed(&packets);
    assert_eq!((seen(&told), counters.crc_errors), (vec![0, 1], 1));
}

#[test]
fn a_header_over_two_packets_is_one() {
    let whole = unit(77, &[7; 9]);
    let mut packets = with_tables(pictures(&[0]));
    packets.push(packet(0x100, 0x11, 1, &whole[..8]));
    packets.push(packet(0x100, 0x12, 0, &whole[8..]));
    assert_eq!(seen(&demuxed(&packets).0), [0, 77]);
}

#[test]
fn what_was_lost_in_between_breaks_what_is_open() {
    let (mut demuxer, mut listener) = (Demuxer::new(Limits::default()), Listener::default());
    let bytes = padded(&with_tables(pictures(&[0, 1])));
    demuxer.push(&bytes, &mut |event| listener.note(event));
    demuxer.lost(&mut |event| listener.note(event));
    demuxer.push(&padded(&pictures(&[2, 3])), &mut |event| listener.note(event));
    demuxer.finish(false, &mut |event| listener.note(event));
    assert_eq!(seen(&listener.told), [0, 2], "the last one has no end");
    assert_eq!(demuxer.counters().broken, 2);
}

#[test]
fn any_pieces_give_the_same() {
    let bytes = padded(&with_tables(pictures(&(0..40).map(|at| at % 16).collect::<Vec<u8>>())));
    let run = |piece: usize| {
        let (mut demuxer, mut listener) = (Demuxer::new(Limits::default()), Listener::default());
        bytes.chunks(piece).for_each(|piece| demuxer.push(piece, &mut |event| listener.note(event)));
        (listener.told, demuxer.counters())
    };
    let whole = run(bytes.len());
    assert_eq!(whole.1.continuity_errors, 0);
    assert!([1, 100, 188, 1316].into_iter().all(|piece| run(piece) == whole));
}
