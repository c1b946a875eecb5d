//! FLV tags and the codec configurations inside them.
#![no_main]

use bytes::Bytes;
use container::flv::{Audio, MAX_HEADER, Video};
use fuzz::boxes::check_init;
use ingest::rtmp::message::{Head, Message, kind, split_aggregate};
use libfuzzer_sys::fuzz_target;
use media::Codec;
use media::codec::{Aac, Avc};

fuzz_target!(|data: &[u8]| {
    let [read, tag @ ..] = data else { return };
    check_head(kind::VIDEO, tag, *read);
    check_head(kind::AUDIO, tag, *read);
    if let (Ok(Video::SequenceHeader), Some(record)) = (Video::parse(tag), tag.get(MAX_HEADER..)) {
        config(record).into_iter().for_each(check_init);
    }
    if let (Ok(Audio::SequenceHeader), Some(config)) = (Audio::parse(tag), tag.get(2..)) {
        Aac::parse(Bytes::copy_from_slice(config)).into_iter().map(Codec::Aac).for_each(check_init);
    }
    let body = tag.to_vec().into();
    let aggregate =
        Message { kind: kind::AGGREGATE, timestamp: 0, stream_id: 1, head: Head::default(), body };
    let inside: usize =
        split_aggregate(&aggregate).map(|message| message.head.len() + message.body.len()).sum();
    assert!(inside <= tag.len());
});

/// A head that comes in pieces says what one says that comes at once.
fn check_head(kind: u8, tag: &[u8], read: u8) {
    let mut head = Head::default();
    for mut piece in tag.chunks(usize::from(read).max(1)) {
        if head.fill(kind, tag.len(), &mut piece) {
            break;
        }
    }
    assert!(tag.starts_with(&head) && head.len() <= MAX_HEADER);
    match kind {
        kind::VIDEO => assert_eq!(Video::parse(&head).is_ok(), Video::parse(tag).is_ok()),
        _ => assert_eq!(Audio::parse(&head).is_ok(), Audio::parse(tag).is_ok()),
    }
}

fn config(record: &[u8]) -> Option<Codec> {
    let avc = Avc::parse(Bytes::copy_from_slice(record)).ok()?;
    avc.classify(true, record);
    Some(Codec::Avc(avc))
}
