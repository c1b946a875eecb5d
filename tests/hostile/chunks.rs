//! RTMP below and beside the media: chunk streams without end, messages that are never finished, commands that nest.

use std::time::Duration;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{MB, assert_memory_returns, assert_told, cpu, memory};
use crate::publisher::Publisher;
use crate::rtmp::{AUDIO, COMMAND, DATA, Rtmp, VIDEO, header, message, number, text};
use crate::support::Server;

/// For a server to close that has everything it needs to say no.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A command that begins like `connect`, then goes on with `value`.
fn connect_with(value: &[u8]) -> Vec<u8> {
    message(COMMAND, 0, &[&text("connect")[..], &number(1.0), value].concat())
}

#[test]
fn values_that_nest_or_count_without_end_are_cut() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let object = |depth: usize| b"\x03\x00\x01a".repeat(depth);
    let array = b"\x0a\xff\xff\xff\xff";
    for (reason, bytes) in [
        ("amf", connect_with(&object(60_000))),
        ("chunks", connect_with(&object(200_000))),
        ("amf", connect_with(&array.repeat(40_000))),
        ("amf", connect_with(&[&array[..], &[5; 200_000]].concat())),
        ("amf", connect_with(b"\x0c\xff\xff\xff\xffx")),
        ("amf", message(DATA, 0, &[&text("onMetaData")[..], &object(60_000)].concat())),
    ] {
        let mut rtmp = Rtmp::shaken(server.rtmp());
        rtmp.send(&bytes);
        assert!(rtmp.closed(AT_ONCE).is_some(), "{reason}");
        assert_told(&server, reason, &rtmp.address());
    }
    let most = memory(&server);
    assert!(most < before + 4 * MB, "{} KB more than {} KB", (most - before) / 1024, before / 1024);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

/// The first chunk of a picture that is said to have `len` bytes, on a chunk stream in the long form.
fn begin(csid: u16, len: u32) -> Vec<u8> {
    let [low, high] = (csid - 64).to_le_bytes();
    let rest = header(0, VIDEO, 0, len);
    [&[1, low, high][..], &rest[1..], &[0x27, 1, 0, 0, 0], &[7; 123]].concat()
}

#[test]
fn pictures_that_are_begun_and_not_finished_cost_nothing() {
    let server = Server::start(SETTINGS, &[ENTRY]);
    let bystander = Bystander::on_air(&server);
    let before = memory(&server);
    let declared = [0xff_ffff, 8 << 20, 200_000, 130];
    for len in declared {
        let mut rtmp = Rtmp::shaken(server.rtmp());
        (100..6100).all(|csid| rtmp.send(&begin(csid, len)));
        assert!(rtmp.closed(AT_ONCE).is_some(), "6000 pictures of {len} bytes");
        assert_told(&server, "chunks", &rtmp.address());
    }
    // What is allowed, fifty times: sixteen megabytes in each connection, of which a chunk has come.
    let mut held: Vec<Rtmp> = (0..50).map(|_| Rtmp::shaken(server.rtmp())).collect();
    for rtmp in &mut held {
        rtmp.send(&[begin(100, 8 << 20), begin(101, 8 << 20)].concat());
        assert!(rtmp.stands());
    }
    let most = memory(&server);
    assert!(most < before + 20 * MB, "{} MB more", (most - before) / MB);
    drop(held);
    assert_memory_returns(&server, before);
    bystander.assert_undisturbed();
}

#[test]
fn chunk_sizes_that_are_none_are_cut_and_tiny_ones_cost_no_more_than_their_bytes() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let set = |size: u32| [&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0][..], &size.to_be_bytes()].concat();
    for size in [0, 1 << 31, u32::MAX] {
        let mut rtmp = Rtmp::shaken(server.rtmp());
        rtmp.send(&set(size));
        assert!(rtmp.closed(AT_ONCE).is_some(), "{size}");
        assert_told(&server, "chunks", &rtmp.address());
    }
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    publisher.rtmp.send(&set(1));
    let used = cpu(&server);
    for second in 0..8 {
        let picture = [&[0x17, 1, 0, 0, 0][..], &[0x2a; 500_000]].concat();
        let begin = header(9, VIDEO, second * 1000, picture.len() as u32);
        let chunks = picture.iter().enumerate().flat_map(|(at, &byte)| {
            let continued = (at > 0).then_some(0xc9);
            continued.into_iter().chain([byte])
        });
        assert!(publisher.rtmp.send(&begin.into_iter().chain(chunks).collect::<Vec<u8>>()));
    }
    publisher.rtmp.send(&set(0x7fff_ffff));
    server.play("e").wait_for("master.m3u8");
    let used = cpu(&server) - used;
    // 8 MB on the wire; unoptimized builds are some twenty times slower than what is deployed.
    assert!(used < Duration::from_secs(6), "{used:?} for 8 MB");
    bystander.assert_undisturbed();
}

#[test]
fn media_out_of_place_is_ignored_and_media_in_place_is_taken() {
    let server = Server::start(SETTINGS, &[ENTRY, "e"]);
    let bystander = Bystander::on_air(&server);
    let mut rtmp = Rtmp::shaken(server.rtmp());
    for kind in [AUDIO, VIDEO, DATA, 22, 0, 7, 16, 19, 23, 255] {
        rtmp.send(&message(kind, 0, &[0x17, 1, 0, 0, 0, 1, 2, 3]));
        rtmp.send(&message(kind, 0, &[]));
    }
    rtmp.ask("live", "key-e");
    assert!(rtmp.hear("NetStream.Publish.Start"), "media before publish is no reason to close");
    let mut publisher = Publisher { rtmp };
    publisher.picture(0, true, 100);
    publisher.describe(true, false);
    for tag in
        [&[][..], &[0x17], &[0x17, 1], &[0x17, 1, 0, 0], &[0x17, 1, 0, 0, 0], &[0x17, 9, 0, 0, 0], &[0x57, 0]]
    {
        publisher.rtmp.send(&message(VIDEO, 0, tag));
    }
    for tag in [&[][..], &[0xaf], &[0xaf, 0], &[0xaf, 1], &[0xaf, 7, 1]] {
        publisher.rtmp.send(&message(AUDIO, 0, tag));
    }
    publisher.run(0, 4, false);
    server.play("e").wait_for("master.m3u8");
    assert!(publisher.rtmp.stands());
    bystander.assert_undisturbed();
}

/// Each of these ends the publisher that sends it, who is told why, and nobody else.
#[test]
fn configurations_that_are_none_end_their_publisher_alone() {
    let entries: Vec<String> = (0..6).map(|at| format!("e{at}")).collect();
    let mut names: Vec<&str> = entries.iter().map(String::as_str).collect();
    names.push(ENTRY);
    let server = Server::start(SETTINGS, &names);
    let bystander = Bystander::on_air(&server);
    let video = |record: &[u8]| message(VIDEO, 0, &[&[0x17, 0, 0, 0, 0][..], record].concat());
    for (entry, bytes) in entries.iter().zip([
        video(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 0, 0]),
        video(&[1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 1, 0x67, 0]),
        video(&[1, 0x64, 0, 0x1f, 0xff, 0xff, 0xff, 0xff]),
        video(&[0; 40]),
        message(AUDIO, 0, &[0xaf, 0, 0xff, 0xff, 0xff]),
        message(VIDEO, 0, &[0x12, 1, 2, 3]),
    ]) {
        let mut rtmp = Rtmp::publish(server.rtmp(), &format!("key-{entry}"));
        rtmp.send(&bytes);
        assert!(rtmp.closed(AT_ONCE).is_some(), "{entry}");
        assert!(rtmp.has_heard("NetStream.Publish.Failed"), "{entry} is told");
        assert_told(&server, "bad-media", &rtmp.address());
    }
    bystander.assert_undisturbed();
}
