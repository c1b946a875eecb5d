//! An RTMP client's bytes up to the point from which the fuzzer goes on.

use ingest::rtmp::amf::{self, Object, Value};
use ingest::rtmp::message::kind;

/// x264, High@3.1, 1280x720.
pub const AVC_RECORD: &[u8] = include_bytes!("../../packager/tests/common/avcc-720p.bin");
/// LC, 48 kHz, stereo.
pub const AAC_CONFIG: &[u8] = &[0x11, 0x90];

/// C0, C1 and C2 of the simple handshake.
pub fn handshake() -> Vec<u8> {
    [&[3][..], &[0; 2 * 1536]].concat()
}

/// The commands from `connect` to `publish`.
pub fn publish() -> Vec<u8> {
    let object = Object::of([("app", "live".into()), ("tcUrl", "rtmp://host/live".into())]);
    let connect = command("connect", 1.0, &[object.into()]);
    let create = command("createStream", 2.0, &[Value::Null]);
    let publish = command("publish", 3.0, &[Value::Null, "key".into(), "live".into()]);
    [connect, create, publish].map(|payload| message(kind::COMMAND, 0, &payload)).concat()
}

/// Sequence headers of H.264 and AAC.
pub fn tracks() -> Vec<u8> {
    let video = message(kind::VIDEO, 0, &[&[0x17, 0, 0, 0, 0], AVC_RECORD].concat());
    let audio = message(kind::AUDIO, 0, &[&[0xaf, 0], AAC_CONFIG].concat());
    [video, audio].concat()
}

/// A message in chunks of 128 bytes on chunk stream 4, the first with a full header.
pub fn message(kind: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l0, l1, l2] = (payload.len() as u32).to_be_bytes();
    let [_, t0, t1, t2] = timestamp.min(0xff_ffff).to_be_bytes();
    let mut out = vec![4, t0, t1, t2, l0, l1, l2, kind, 1, 0, 0, 0];
    let extended = if timestamp >= 0xff_ffff { &timestamp.to_be_bytes()[..] } else { &[] };
    out.extend_from_slice(extended);
    for (index, chunk) in payload.chunks(128).enumerate() {
        if index > 0 {
            out.push(0xc4);
            out.extend_from_slice(extended);
        }
        out.extend_from_slice(chunk);
    }
    out
}

fn command(name: &str, transaction: f64, values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    amf::write(&name.into(), &mut out);
    amf::write(&transaction.into(), &mut out);
    values.iter().for_each(|value| amf::write(value, &mut out));
    out
}
