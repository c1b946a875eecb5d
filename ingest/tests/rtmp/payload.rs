//! Where the payload ends up: written once, side by side.

use ingest::rtmp::message::kind;
use media::payload::coalesce;
use stream::TrackId;

use super::chunker::Outgoing;
use super::client::Client;

fn picture(index: u32, len: usize) -> Vec<u8> {
    let nal = (0..len).map(|i| (i as u32).wrapping_mul(index + 7) as u8);
    [0x27, 1, 0, 0, 0].into_iter().chain(nal).collect()
}

/// Two seconds of video in chunks of 128 bytes with audio between them, as on the wire.
#[test]
fn interleaved_samples_of_a_track_lie_side_by_side() {
    let mut client = Client::with_tracks();
    let mut sent = Vec::new();
    for index in 0..50u32 {
        let timestamp = index * 40;
        let tag = picture(index, 5_000 + 100 * index as usize);
        let video = Outgoing { kind: kind::VIDEO, timestamp, stream_id: 1, payload: tag.clone() };
        let audio = Outgoing { kind: kind::AUDIO, timestamp, stream_id: 1, payload: vec![0xaf, 1, 9, 9] };
        let video = client.chunker.chunks(6, 1, &video);
        let audio = client.chunker.chunks(4, 1, &audio);
        let wire = [&video[..1], &audio[..], &video[1..]].concat().concat();
        client.split = 1000;
        client.bytes(&wire).unwrap();
        sent.push(tag[5..].to_vec());
    }
    let samples = client.samples(TrackId::VIDEO);
    assert!(samples.iter().zip(&sent).all(|(sample, sent)| *sample.data == sent[..]));
    assert_eq!(samples.len(), sent.len());
    // The first block knows no rate yet; from then on a block is about a second, here a part at a time.
    let blocks: Vec<_> = samples.iter().map(|sample| sample.data.holds().0).collect();
    let changes = blocks.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let pieces = coalesce(samples.iter().map(|sample| &sample.data));
    assert_eq!(pieces.len(), changes + 1, "only a new block breaks a run");
    let part = coalesce(samples[30..42].iter().map(|sample| &sample.data));
    assert!(part.len() <= 2, "half a second in {} pieces", part.len());
}

/// Sequence headers, other tracks and metadata in between leave no hole.
#[test]
fn what_is_no_sample_does_not_break_a_run() {
    let mut client = Client::with_tracks();
    client.video(0, &picture(0, 100)).unwrap();
    client.video_config(10).unwrap();
    client.audio(10, &[0xaf, 1, 1, 2, 3]).unwrap();
    client.send(kind::DATA, 10, 1, vec![5; 100]).unwrap();
    client.video(10, &[0x17, 2, 0, 0, 0, 1, 2, 3]).unwrap();
    client.video(40, &picture(1, 100)).unwrap();
    let samples = client.samples(TrackId::VIDEO);
    assert_eq!(coalesce(samples.iter().map(|sample| &sample.data)).len(), 1);
}
