//! What a recording holds: in its files, and as it is played.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::frames::{Hashes, pictures, sounds};
use crate::reel::is_sound;
use crate::support::hls::{Media, Segment, session};
use crate::support::server::Entry;
use crate::support::within;

/// The folder of the one recording of an entry, below the data directory.
pub fn folder(data: &Path, entry: &str) -> PathBuf {
    let all = data.join("recordings").join(entry);
    let listed = fs::read_dir(&all).unwrap_or_else(|error| panic!("{}: {error}", all.display()));
    let folders: Vec<PathBuf> =
        listed.map(|it| it.expect("a folder").path()).filter(|it| it.is_dir()).collect();
    let [one] = &folders[..] else { panic!("not one recording: {folders:?}") };
    one.clone()
}

/// The files of a rendition in the order of their periods: `RENDITION.PERIOD.SEGMENT.mp4`.
pub fn files(folder: &Path, rendition: &str) -> Vec<PathBuf> {
    let mut files: Vec<((u64, u64), PathBuf)> = Vec::new();
    for path in fs::read_dir(folder).expect("a folder").map(|it| it.expect("a file").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in ASCII").to_owned();
        let words: Vec<&str> = name.split('.').collect();
        if let [of, period, first, "mp4"] = words[..]
            && of == rendition
        {
            files.push(((number(period), number(first)), path));
        }
    }
    files.sort();
    files.into_iter().map(|(_, path)| path).collect()
}

/// Every frame in the files of a rendition: each is an ordinary MP4 (ISO/IEC 14496-12 §8.8).
pub fn in_files(folder: &Path, rendition: &str) -> Hashes {
    files(folder, rendition).iter().flat_map(|file| frames(file, rendition)).collect()
}

/// A rendition of an entry on demand.
pub struct Played {
    /// Its playlist.
    pub media: Media,
    /// Every frame in its segments.
    pub frames: Hashes,
}

impl Played {
    /// As soon as the multivariant playlist names the recording in place of the session that was `live`: within a second
    /// of the end, and what a busy machine takes.
    pub fn once_ended(play: &Entry, live: u64, rendition: &str) -> Played {
        let recording = within(10, "the recording in place of the session", || {
            let master = Some(play.get("master.m3u8")).filter(|master| master.status == 200)?;
            Some(session(&master.text())).filter(|session| *session != live)
        });
        let played = Played::of(play, &format!("{rendition}.m3u8?s={recording}"), rendition);
        assert!(played.media.ended, "RFC 8216bis §4.4.3.4: nothing more comes");
        played
    }

    /// What a media playlist lists.
    fn of(play: &Entry, playlist: &str, rendition: &str) -> Played {
        let media = Media::parse(&play.wait_for(playlist));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("stretch.mp4");
        let mut all = Hashes::new();
        let there: Vec<&Segment> = media.segments.iter().filter(|segment| !segment.gap).collect();
        for stretch in there.chunk_by(|a, b| a.map == b.map && !b.discontinuity) {
            let uris = [&stretch[0].map].into_iter().chain(stretch.iter().map(|segment| &segment.uri));
            let bytes: Vec<u8> = uris.flat_map(|uri| fetch(play, uri)).collect();
            fs::write(&file, bytes).expect("a file in a temporary folder");
            all.extend(frames(&file, rendition));
        }
        Played { media, frames: all }
    }

    /// What is listed of each segment that was on air, in seconds, by the number in its name.
    pub fn seconds(&self) -> BTreeMap<u64, f64> {
        let there = self.media.segments.iter().filter(|segment| !segment.gap);
        there.map(|segment| (of_name(&segment.uri), segment.seconds())).collect()
    }
}

/// N of `RENDITION/N.m4s`, and of `RENDITION/N.0-K.m4s` where the first parts are all there is.
fn of_name(uri: &str) -> u64 {
    let name = uri.rsplit('/').next().unwrap_or_default();
    number(name.split('.').next().unwrap_or_default())
}

fn frames(file: &Path, rendition: &str) -> Hashes {
    if is_sound(rendition) { sounds(file) } else { pictures(file) }
}

fn fetch(play: &Entry, uri: &str) -> Vec<u8> {
    let answer = play.get(uri);
    assert_eq!(answer.status, 200, "{uri} is listed");
    answer.body
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is not a number"))
}
