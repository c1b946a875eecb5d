//! A process that may open no more files.

use std::net::TcpStream;
use std::process::Command;

use crate::bystander::{Bystander, ENTRY, SETTINGS};
use crate::process::{assert_few, refusals};
use crate::publisher::Publisher;
use crate::support::server::{BINARY, Site};
use crate::support::within;
use crate::web::{exchange, get, status};

#[test]
fn when_files_run_out_the_listeners_wait_and_come_back() {
    let mut command = Command::new("prlimit");
    command.args(["--nofile=256:256", BINARY]);
    let server = Site::new(SETTINGS, &[ENTRY, "e"]).start_by(command);
    let bystander = Bystander::on_air(&server);
    // Each is accepted by the kernel at least, whether or not the server can take it.
    let crowd: Vec<TcpStream> =
        (0..400).map(|_| TcpStream::connect(server.http()).expect("the kernel accepts")).collect();
    within(5, "the server says so", || (!refusals(&server, "accept").is_empty()).then_some(()));
    let waiting: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(server.rtmp()).expect("the kernel accepts")).collect();
    drop((crowd, waiting));
    within(5, "a viewer is served again", || {
        let answer = exchange(server.http(), get(&format!("/play/{ENTRY}/master.m3u8")).as_bytes())?;
        (status(&answer) == 200).then_some(())
    });
    let mut publisher = Publisher::on_air(server.rtmp(), "e", false);
    publisher.run(0, 4, false);
    server.play("e").wait_for("master.m3u8");
    assert_few(&server, "accept");
    bystander.assert_undisturbed();
}
