//! Clips as an origin finds them: ranges of recordings, beside everything else.

mod common;

use std::ops::RangeInclusive;
use std::sync::Arc;

use archive::files::Disk;
use common::{ENTRY, FIRST, House, SECOND, Show};
use packager::manifest::{Options, dash, hls};
use packager::names::Resource;
use stream::{Found, Source, View, Viewer};
use vod::{ClipPart, Clips, WithClips};

const CLIP: &str = "0_c11p0001";

/// One clip.
struct Known(Vec<ClipPart>);

impl Clips for Known {
    fn of(&self, entry: &str) -> Option<Vec<ClipPart>> {
        (entry == CLIP).then(|| self.0.clone())
    }
}

fn part(recording: &str, ranges: Vec<RangeInclusive<u64>>) -> ClipPart {
    ClipPart { recording: format!("{ENTRY}/{recording}").into(), ranges }
}

fn clipped(house: &House, parts: Vec<ClipPart>) -> WithClips {
    let (library, disk) = (Arc::new(house.library.clone()), Arc::new(Disk));
    WithClips::new(library, Arc::new(Known(parts)), disk, house.root.path(), 1 << 20)
}

async fn find(source: &WithClips, entry: &str, session: Option<u64>) -> Found {
    source.prepare_for(entry, session, &Resource::Multivariant).await;
    source.find(entry, session, Viewer::Public)
}

async fn view(source: &WithClips) -> Arc<View> {
    match find(source, CLIP, None).await {
        Found::View(view) => view,
        found => panic!("{found:?}"),
    }
}

fn numbers(show: &Show) -> Vec<u64> {
    show.aired.numbers("video-1")
}

/// Two recordings, of a session each.
fn house() -> (House, Show, Show) {
    let (house, first) = (House::new(), Show::first());
    let second = Show::after(first.numbers.clone(), 60_000);
    house.record(FIRST, &first.aired.steps);
    house.record(SECOND, &second.aired.steps);
    (house.restarted(), first, second)
}

#[tokio::test]
async fn a_clip_is_vod_of_the_very_segments() {
    let (house, first, second) = house();
    let (one, two) = (numbers(&first), numbers(&second));
    let parts =
        vec![part(FIRST, vec![one[1]..=one[2], one[5]..=one[5]]), part(SECOND, vec![two[0]..=two[1]])];
    let source = clipped(&house, parts);
    let view = view(&source).await;
    assert!(view.presentation.ended && view.lasting && view.on_demand, "nothing will ever come after it");
    let video = view.presentation.rendition("video-1").expect("a video");
    let listed = hls::media(&view.presentation, video, &Options::default());
    let segments: Vec<&str> = listed.lines().filter(|line| line.ends_with(".m4s")).collect();
    let expected = [one[1], one[2], one[5], two[0], two[1]].map(|number| format!("video-1/{number}.m4s"));
    assert_eq!(segments, expected, "the names that they had on air: {listed}");
    assert!(listed.ends_with("#EXT-X-ENDLIST\n"), "{listed}");
    assert_eq!(listed.matches("#EXT-X-DISCONTINUITY\n").count(), 2, "a seam between ranges: {listed}");
    let mpd = dash::mpd(&view.presentation, &Options::default());
    assert!(mpd.contains("type=\"static\"") && mpd.matches("<Period ").count() == 3, "{mpd}");
    let sessions = source.sessions(CLIP, Viewer::Public);
    assert!(sessions.len() == 1 && Arc::ptr_eq(&sessions[0], &view), "its media is found, and no other");
}

#[tokio::test]
async fn it_is_read_once_and_has_one_session() {
    let (house, first, _) = house();
    let numbers = numbers(&first);
    let source = clipped(&house, vec![part(FIRST, vec![numbers[1]..=numbers[2]])]);
    let one = view(&source).await;
    std::fs::remove_dir_all(house.root.path().join(ENTRY)).expect("removed");
    assert!(Arc::ptr_eq(&one, &view(&source).await));
    let session = one.presentation.session.id;
    assert!(matches!(find(&source, CLIP, Some(session)).await, Found::View(_)));
    assert!(matches!(find(&source, CLIP, Some(session + 1)).await, Found::Unknown));
}

#[tokio::test]
async fn what_is_no_clip_is_as_it_was_and_what_cannot_be_read_is_not_there() {
    let (house, first, second) = house();
    let source = clipped(&house, vec![part("rec_zzzzzzzz", vec![1..=2])]);
    assert!(matches!(find(&source, CLIP, None).await, Found::Offline));
    let Found::View(newest) = find(&source, ENTRY, None).await else { panic!("a recording") };
    let video = newest.presentation.rendition("video-1").expect("a video");
    assert_eq!(video.last().map(|last| last.number), numbers(&second).last().copied());
    let Found::View(alone) = find(&source, FIRST, None).await else { panic!("a recording by its id") };
    let video = alone.presentation.rendition("video-1").expect("a video");
    assert_eq!(video.last().map(|last| last.number), numbers(&first).last().copied());
    assert!(matches!(find(&source, "0_00000000", None).await, Found::Unknown));
}
