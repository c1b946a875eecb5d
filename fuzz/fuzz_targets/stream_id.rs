//! Stream ids of SRT: whatever a caller asks for, what comes out of it is a name that may be looked up.

#![no_main]

use ingest::srt::StreamId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(id) = StreamId::parse(bytes) else { return };
    assert!(!format!("{id:?}").is_empty());
    let key = id.key.clone().into_secret();
    assert!((1..=128).contains(&key.len()));
    assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{key:?}");
    // What was understood can be said plainly, and means the same.
    let form = if id.leg == stream::Leg::Backup { "publish/backup" } else { "publish" };
    assert_eq!(StreamId::parse(format!("{form}:{key}").as_bytes()), Ok(id));
});
