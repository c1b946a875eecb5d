//! What a server may answer to who publishes to it, cut into pieces of any size.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use restream::rtmp::{Session, Where};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (piece, answer) = input;
    let to = Where { app: "live".into(), tc_url: "rtmp://example.org/live".into(), key: "a-secret".into() };
    let mut session = Session::new(to, vec!["hvc1"], &[7; 1528]);
    let hello: Vec<u8> = [3].into_iter().chain([0; 3072]).collect();
    session.input(&hello).expect("a handshake of any bytes");
    for piece in answer.chunks(usize::from(piece).max(1)) {
        match session.input(piece) {
            Ok(_) => session.media(9, 0, &[0x17, 1, 0, 0, 0], &Bytes::from_static(b"picture")),
            Err(fault) => {
                assert!(!fault.to_string().contains("a-secret"));
                return;
            }
        }
        session.take();
    }
    session.finish();
});
