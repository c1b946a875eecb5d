//! Smooth Streaming of recordings, with times that count from zero.

mod common;

use std::sync::Arc;

use archive::files::Disk;
use common::{ENTRY, FIRST, House, SECOND, Show, number};
use packager::manifest::{Options, smooth};
use packager::names::Resource;
use stream::{Found, View};

/// What is listed of a stream, as name, beginning and end in units of 100 ns.
type Listed = Vec<(Resource, u64, u64)>;

/// What the manifest of a view lists from zero, stream by stream.
fn listed(view: &View) -> Vec<Listed> {
    let options = Options { from_zero: true, ..Options::default() };
    let text = smooth::manifest(&view.presentation, &options).expect("something to list");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let streams = document.descendants().filter(|node| node.has_tag_name("StreamIndex"));
    streams.map(stream).collect()
}

fn stream(node: roxmltree::Node<'_, '_>) -> Listed {
    let level = node.children().find(|node| node.has_tag_name("QualityLevel")).expect("a quality");
    let bitrate = level.attribute("Bitrate").expect("a bitrate");
    let url = node.attribute("Url").expect("a URL").replace("{bitrate}", bitrate);
    let chunk = |c: roxmltree::Node<'_, '_>| {
        let number = |name| c.attribute(name).and_then(|it| it.parse::<u64>().ok()).expect("a number");
        let name = Resource::parse(&url.replace("{start time}", &number("t").to_string()));
        (name.expect("one of ours"), number("t"), number("t") + number("d"))
    };
    node.children().filter(|node| node.has_tag_name("c")).map(chunk).collect()
}

/// Whether a request for a fragment finds it, as an origin looks for it.
async fn is_there(house: &House, id: &str, resource: &Resource) -> bool {
    let Resource::Fragment(name) = resource else { panic!("{resource} is a fragment") };
    match house.find(id, resource.session(), resource).await {
        Found::View(view) => matches!(smooth::locate(&view.presentation, name), Some(Ok(_))),
        _ => false,
    }
}

/// [MS-SSTR] §2.2.2.6: chunks of an on-demand presentation follow one another.
#[tokio::test]
async fn a_recording_of_two_sessions_has_no_hole() {
    let (house, first) = (House::new(), Show::first());
    let second = Show::after(first.numbers.clone(), 60_000);
    house.record(FIRST, &first.aired.steps);
    house.record(FIRST, &second.aired.steps);
    let house = house.restarted();
    let streams = listed(&*house.view(FIRST, None, &Resource::Smooth).await);
    assert_eq!(streams.iter().map(|it| it[0].1).min(), Some(0));
    for stream in &streams {
        assert!(stream.last().is_some_and(|last| (395_000_000..=405_000_000).contains(&last.2)), "40 s");
        for pair in stream.windows(2) {
            let hole = pair[1].1.abs_diff(pair[0].2);
            assert!(hole < 500_000, "{hole} between {pair:?}");
        }
    }
    let chunks = first.aired.numbers("video-1").len() + second.aired.numbers("video-1").len();
    assert_eq!(streams[0].len(), chunks);
}

/// A name says all that is needed to find its fragment, also where nothing of the entry was read yet.
#[tokio::test]
async fn fragments_are_found_by_their_names_alone() {
    let first = Show::first();
    let second = Show::after(first.numbers.clone(), 60_000);
    // Room for what is known of one recording: each is read anew.
    let house = House::with(tempfile::tempdir().expect("a folder"), Arc::new(Disk), 1);
    house.record(FIRST, &first.aired.steps);
    house.record(SECOND, &second.aired.steps);
    let house = House::with(house.root, Arc::new(Disk), 1);
    for recording in [FIRST, SECOND] {
        let names = listed(&*house.view(recording, None, &Resource::Smooth).await).concat();
        for (name, ..) in &names {
            assert_eq!(name.session(), Some(number(recording)));
            assert!(is_there(&house, recording, name).await && is_there(&house, ENTRY, name).await, "{name}");
            let other = if recording == FIRST { SECOND } else { FIRST };
            assert!(!is_there(&house, other, name).await, "{name} of another recording");
        }
    }
}

/// Of what was live somebody may still have the manifest; of a recording by its id nobody has. And of these only the
/// newest may go on.
#[tokio::test]
async fn a_recording_is_on_demand_by_its_id_and_for_good_when_another_began() {
    let (house, first) = (House::new(), Show::first());
    house.record(FIRST, &first.aired.steps);
    house.live.shows(vec![first.over()]);
    house.library.ended(ENTRY, FIRST).await;
    let so = |view: Arc<View>| (view.on_demand, view.lasting);
    assert_eq!(so(house.view(ENTRY, None, &Resource::Smooth).await), (false, false));
    assert_eq!(so(house.view(FIRST, None, &Resource::Smooth).await), (true, false));

    let second = Show::after(first.numbers.clone(), 60_000);
    house.library.began(ENTRY, SECOND);
    house.record(SECOND, &second.aired.steps);
    house.live.shows(vec![second.over()]);
    assert_eq!(so(house.view(SECOND, None, &Resource::Smooth).await), (true, false));
    house.library.ended(ENTRY, SECOND).await;
    assert_eq!(so(house.view(ENTRY, None, &Resource::Smooth).await), (false, false));
    assert_eq!(so(house.view(SECOND, None, &Resource::Smooth).await), (true, false));
    assert_eq!(so(house.view(FIRST, None, &Resource::Smooth).await), (true, true));
    assert_eq!(so(house.view(FIRST, Some(number(FIRST)), &Resource::Smooth).await), (true, true));
    let (by_id, vod) =
        (house.view(SECOND, None, &Resource::Mpd).await, house.view(ENTRY, None, &Resource::Mpd).await);
    assert_eq!(by_id.version, vod.version, "one rendering for both");
}
