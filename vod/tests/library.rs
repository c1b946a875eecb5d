//! What an entry shows through its life: live, over, recorded, live again, gone.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use archive::files::{Append, Disk, Files, Listed, Space};
use archive::layout::INDEX;
use bytes::Bytes;
use common::playlist::Playlist;
use common::{ENTRY, FIRST, House, SECOND, Show, attribute, number};
use packager::names::Resource;
use packager::names::smooth::FragmentName;
use stream::{Found, Source, Viewer};

fn numbers(text: &str) -> Vec<u64> {
    Playlist::parse(text).segments.iter().map(|segment| segment.number).collect()
}

#[tokio::test]
async fn bare_urls_are_live_then_the_last_window_then_all_of_the_recording() {
    let (house, show) = (House::new(), Show::first());
    let id = show.id();
    house.live.shows(vec![show.on()]);
    house.library.began(ENTRY, FIRST);
    assert!(house.master(ENTRY).await.contains(&format!("video-1.m3u8?s={id}\n")));
    assert_eq!(attribute(&house.mpd(ENTRY, None).await, "MPD", "type").as_deref(), Some("dynamic"));

    house.live.shows(vec![show.over()]);
    assert!(house.master(ENTRY).await.contains(&format!("video-1.m3u8?s={id}\n")), "nothing is stored yet");

    house.record(FIRST, &show.aired.steps);
    house.library.ended(ENTRY, FIRST).await;
    assert!(house.master(ENTRY).await.contains(&format!("video-1.m3u8?s={}\n", number(FIRST))));
    let all = house.text(ENTRY, Some(number(FIRST)), "video-1").await;
    assert_eq!(numbers(&all), show.aired.numbers("video-1"));
    assert!(all.ends_with("#EXT-X-ENDLIST\n"), "{all}");

    let mpd = house.mpd(ENTRY, None).await;
    assert_eq!(attribute(&mpd, "MPD", "type").as_deref(), Some("static"));
    assert_eq!(attribute(&mpd, "MPD", "availabilityStartTime"), None);
    assert_eq!(attribute(&mpd, "Period", "start").as_deref(), Some("PT0S"));
    let seconds: f64 = Playlist::parse(&all).segments.iter().map(|segment| segment.seconds).sum();
    assert!(seconds > 19.9, "{seconds}");
    let total = attribute(&mpd, "MPD", "mediaPresentationDuration").expect("a duration");
    let total: f64 = total.trim_start_matches("PT").trim_end_matches('S').parse().expect("seconds");
    assert!((total - seconds).abs() < 0.05, "{total} s of {seconds} s");

    let smooth = house.smooth(ENTRY).await;
    assert_ne!(attribute(&smooth, "SmoothStreamingMedia", "IsLive").as_deref(), Some("TRUE"));
    let duration = attribute(&smooth, "SmoothStreamingMedia", "Duration").expect("a duration");
    let duration = duration.parse::<f64>().expect("a number") / 1e7;
    assert!((duration - seconds).abs() < 0.05, "[MS-SSTR] 2.2.2.1: {duration} s of {seconds} s");
}

/// The recorder has written everything and did not say so yet.
#[tokio::test]
async fn a_recording_that_holds_all_that_was_on_is_shown_though_it_may_grow() {
    let (house, show) = (House::new(), Show::first());
    house.library.began(ENTRY, FIRST);
    house.live.shows(vec![show.over()]);
    let half = show.aired.steps.len() / 2;
    house.record(FIRST, &show.aired.steps[..half]);
    let bare = house.view(ENTRY, None, &Resource::Multivariant).await;
    assert_eq!(bare.presentation.session.id, show.id(), "half of it is not the whole");
    let whole = House::new();
    whole.library.began(ENTRY, FIRST);
    whole.live.shows(vec![show.over()]);
    whole.record(FIRST, &show.aired.steps);
    let bare = whole.view(ENTRY, None, &Resource::Multivariant).await;
    assert_eq!(bare.presentation.session.id, number(FIRST));
}

#[tokio::test]
async fn a_session_goes_on_answering_its_own_timeline_from_its_recording() {
    let (house, show) = (House::new(), Show::first());
    house.record(FIRST, &show.aired.steps);
    house.live.shows(vec![show.over()]);
    let id = Some(show.id());
    let (before, mpd) = (house.text(ENTRY, id, "video-1").await, house.mpd(ENTRY, id).await);
    let sound = house.text(ENTRY, id, "audio-1").await;
    let house = house.restarted();
    assert_eq!(house.text(ENTRY, id, "video-1").await, before);
    assert_eq!(house.text(ENTRY, id, "audio-1").await, sound);
    let after = house.mpd(ENTRY, id).await;
    for (element, name) in [
        ("MPD", "type"),
        ("MPD", "availabilityStartTime"),
        ("MPD", "mediaPresentationDuration"),
        ("Period", "id"),
        ("Period", "start"),
        ("Location", "none"),
    ] {
        assert_eq!(attribute(&after, element, name), attribute(&mpd, element, name), "{element}@{name}");
    }
    assert!(numbers(&before).len() < show.aired.numbers("video-1").len(), "a window, not all");
}

/// RFC 8216bis §4.4.3.2: whatever a player may ask for again, through all that an entry goes through.
#[tokio::test]
async fn no_media_sequence_of_any_url_ever_goes_back() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 40_000);
    let mut house = House::new();
    let mut seen = BTreeMap::new();
    house.library.began(ENTRY, FIRST);
    house.live.shows(vec![first.on()]);
    look(&house, &[&first], &mut seen).await;
    house.live.shows(vec![first.over()]);
    look(&house, &[&first], &mut seen).await;
    house.record(FIRST, &first.aired.steps);
    house.library.ended(ENTRY, FIRST).await;
    look(&house, &[&first], &mut seen).await;
    house = house.restarted();
    look(&house, &[&first], &mut seen).await;
    house.library.began(ENTRY, FIRST);
    house.live.shows(vec![second.on()]);
    look(&house, &[&first, &second], &mut seen).await;
    house.record(FIRST, &second.aired.steps);
    house.live.shows(vec![second.over(), first.over()]);
    look(&house, &[&first, &second], &mut seen).await;
    house.library.ended(ENTRY, FIRST).await;
    look(&house, &[&first, &second], &mut seen).await;
    house = house.restarted();
    look(&house, &[&first, &second], &mut seen).await;
    assert_eq!(seen.len(), 10, "{seen:?}");
}

/// Asks for every playlist that is there.
async fn look(house: &House, shows: &[&Show], seen: &mut BTreeMap<(String, Option<u64>, &str), (u64, u64)>) {
    let sessions = shows.iter().map(|show| (ENTRY, Some(show.id())));
    let others = [(ENTRY, None), (ENTRY, Some(number(FIRST))), (FIRST, None)];
    for (id, session) in sessions.chain(others) {
        for rendition in ["video-1", "audio-1"] {
            let resource = Resource::Playlist { rendition: rendition.to_owned() };
            let Found::View(_) = house.find(id, session, &resource).await else { continue };
            let playlist = Playlist::parse(&house.text(id, session, rendition).await);
            let now = (playlist.sequence, playlist.discontinuity_sequence);
            let before = seen.insert((id.to_owned(), session, rendition), now).unwrap_or_default();
            assert!(
                before.0 <= now.0 && before.1 <= now.1,
                "{id} {session:?} {rendition}: {before:?}, {now:?}"
            );
        }
    }
}

#[tokio::test]
async fn live_again_is_live_again_and_who_watches_the_recording_stays_with_it() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 40_000);
    let house = House::new();
    house.record(FIRST, &first.aired.steps);
    house.library.ended(ENTRY, FIRST).await;
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", number(FIRST))));
    house.live.starts();
    assert!(matches!(house.find(ENTRY, None, &Resource::Mpd).await, Found::Starting));
    house.live.shows(vec![second.on()]);
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", second.id())));
    let recorded = house.text(ENTRY, Some(number(FIRST)), "audio-1").await;
    assert_eq!(numbers(&recorded), first.aired.numbers("audio-1"));
    for number in first.aired.numbers("video-1") {
        assert!(house.has(ENTRY, "video-1", number).await, "{number}");
    }
}

/// One recording over sessions: what lies between them is not on its timeline.
#[tokio::test]
async fn sessions_of_one_recording_are_one_vod_with_a_discontinuity() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 3_600_000);
    let house = House::new();
    house.record(FIRST, &first.aired.steps);
    house.record(FIRST, &second.aired.steps);
    house.library.ended(ENTRY, FIRST).await;
    let text = house.text(ENTRY, Some(number(FIRST)), "video-1").await;
    let both = [first.aired.numbers("video-1"), second.aired.numbers("video-1")].concat();
    assert_eq!(numbers(&text), both);
    assert_eq!(text.matches("#EXT-X-DISCONTINUITY\n").count(), 1, "{text}");
    let mpd = house.mpd(ENTRY, None).await;
    let total = attribute(&mpd, "MPD", "mediaPresentationDuration").expect("a duration");
    let total: f64 = total.trim_start_matches("PT").trim_end_matches('S').parse().expect("seconds");
    assert!((39.0..41.0).contains(&total), "an hour lies between, and does not count: {total}");
}

#[tokio::test]
async fn each_recording_is_there_by_its_id_and_its_segments_by_their_urls() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 40_000);
    // Room for what is known of one recording.
    let house = House::with(tempfile::tempdir().expect("a folder"), Arc::new(Disk), 1);
    house.record(FIRST, &first.aired.steps);
    house.record(SECOND, &second.aired.steps);
    let house = house.restarted();
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", number(SECOND))), "the newest");
    for (recording, show) in [(FIRST, &first), (SECOND, &second)] {
        let all = show.aired.numbers("video-1");
        assert_eq!(numbers(&house.text(recording, None, "video-1").await), all);
        assert_eq!(numbers(&house.text(ENTRY, Some(number(recording)), "video-1").await), all);
        assert_eq!(house.library.entry_of(recording).as_deref(), Some(ENTRY));
        for number in all {
            assert!(house.has(ENTRY, "video-1", number).await, "{number} of {recording}");
            assert!(house.has(recording, "video-1", number).await, "{number} of {recording} alone");
        }
        let period = show.ended.spans[0].period.clone();
        let init = Resource::Init { rendition: "video-1".into(), period: period.number };
        let view = house.library.prepare_for(ENTRY, None, &init);
        view.await;
        let sessions = house.library.sessions(ENTRY, Viewer::Public);
        let has =
            |it: &Arc<stream::View>| it.presentation.rendition("video-1")?.init_of(period.number).cloned();
        assert!(sessions.iter().find_map(has).is_some(), "[RFC 8216bis §4.4.4.5] {init}");
        let name = FragmentName {
            zero: None,
            bitrate: 1,
            stream: "video".into(),
            time: period.start.micros() as u64 * 10 + 8,
            metadata_only: false,
        };
        house.library.prepare_for(ENTRY, None, &Resource::Fragment(name)).await;
        let sessions = house.library.sessions(ENTRY, Viewer::Public);
        assert!(sessions.iter().any(|it| it.presentation.session.id == number(recording)), "[MS-SSTR] 2.2.3");
    }
    let other = second.aired.numbers("video-1")[0];
    assert!(!house.has(FIRST, "video-1", other).await, "of another recording");
}

#[tokio::test]
async fn a_recording_that_grows_is_played_by_its_id_as_it_stands() {
    let (house, show) = (House::new(), Show::first());
    house.library.began(ENTRY, FIRST);
    house.live.shows(vec![show.on()]);
    assert!(matches!(house.find(FIRST, None, &Resource::Mpd).await, Found::Unknown), "nothing is in it");
    let half = show.aired.steps.len() / 2;
    house.record(FIRST, &show.aired.steps[..half]);
    house.library.began(ENTRY, FIRST);
    let some = numbers(&house.text(FIRST, None, "video-1").await);
    assert!(!some.is_empty() && some.len() < show.aired.numbers("video-1").len(), "{some:?}");
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", show.id())), "the entry is live");
}

#[tokio::test]
async fn what_was_removed_is_gone_at_once() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 40_000);
    let house = House::new();
    house.record(FIRST, &first.aired.steps);
    house.record(SECOND, &second.aired.steps);
    let house = house.restarted();
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", number(SECOND))));
    house.library.removed(SECOND);
    assert!(house.master(ENTRY).await.contains(&format!("?s={}\n", number(FIRST))), "the one before");
    assert!(matches!(house.find(SECOND, None, &Resource::Mpd).await, Found::Unknown));
    assert!(!house.has(ENTRY, "video-1", second.aired.numbers("video-1")[0]).await);
    house.known.0.lock().expect("no panic").clear();
    assert!(!matches!(house.find(ENTRY, None, &Resource::Mpd).await, Found::View(_)), "the entry is no more");
    assert!(!matches!(house.find(ENTRY, Some(first.id()), &Resource::Mpd).await, Found::View(_)));
    assert!(matches!(house.find(FIRST, None, &Resource::Mpd).await, Found::Unknown));
    assert!(house.library.sessions(ENTRY, Viewer::Public).is_empty());
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_as_good_as_none() {
    let (house, show) = (House::new(), Show::first());
    house.record(FIRST, &show.aired.steps);
    fs::write(house.root.path().join(ENTRY).join(FIRST).join(INDEX), b"no index at all").expect("written");
    let house = house.restarted();
    assert!(matches!(house.find(ENTRY, None, &Resource::Multivariant).await, Found::Offline));
    assert!(matches!(house.find(FIRST, None, &Resource::Multivariant).await, Found::Unknown));
    fs::remove_dir_all(house.root.path().join(ENTRY)).expect("removed");
    assert!(matches!(house.find(FIRST, None, &Resource::Multivariant).await, Found::Unknown));
}

#[tokio::test]
async fn a_hundred_who_ask_at_once_read_one_index() {
    let (show, reads) = (Show::first(), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::new(Counting(reads.clone()));
    let house = House::with(tempfile::tempdir().expect("a folder"), counting, 1 << 20);
    house.record(FIRST, &show.aired.steps);
    house.library.ended(ENTRY, FIRST).await;
    let house = House::with(house.root, Arc::new(Counting(reads.clone())), 1 << 20);
    reads.store(0, Ordering::Relaxed);
    let asked = (0..100).map(|_| house.view(ENTRY, None, &Resource::Multivariant));
    let views = futures_util::future::join_all(asked).await;
    assert!(views.iter().all(|view| view.version == views[0].version));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

/// Counts how often an index is read as a whole.
struct Counting(Arc<AtomicUsize>);

impl Files for Counting {
    fn boot(&self) -> Option<String> {
        Disk.boot()
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.create_folder(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Listed>> {
        Disk.list(folder)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn Append>> {
        Disk.append(path)
    }

    fn read(&self, path: &Path, offset: u64, len: usize) -> io::Result<Bytes> {
        self.0.fetch_add(usize::from(len > 1 << 24), Ordering::Relaxed);
        Disk.read(path, offset, len)
    }

    fn cut(&self, path: &Path, len: u64) -> io::Result<()> {
        Disk.cut(path, len)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn folders(&self, folder: &Path) -> io::Result<Vec<String>> {
        Disk.folders(folder)
    }

    fn remove_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.remove_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        Disk.sync_folder(folder)
    }

    fn space(&self, folder: &Path) -> io::Result<Space> {
        Disk.space(folder)
    }
}
