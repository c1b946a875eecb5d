//! Clips: entries that show ranges of recordings, which stay until the last clip is gone.

use std::sync::Arc;

use access::{Playback, Rules};
use catalog::clips::{MOST, Range};
use catalog::recordings::{Deleted, Recording};
use catalog::{Caller, Details, Entry, EntryId, Error, Kind, Scope};

use crate::home::{Home, member};

on_both!(
    a_clip_is_an_entry_that_is_known_in_memory,
    a_recording_stays_until_the_last_clip_of_it_is_gone,
    the_files_of_a_recording_outlive_its_entry_while_a_clip_shows_it,
    what_cannot_be_is_refused,
    another_account_cuts_nothing,
);

fn range(recording: &Recording, first: u64, last: u64) -> Range {
    Range { recording: recording.id.clone(), first, last, start: 0, end: 2_000_000 }
}

fn named(name: &str) -> Details {
    Details { name: name.to_owned(), ..Details::default() }
}

async fn recorded(home: &Home, entry: &Entry) -> Recording {
    home.catalog.recordings().begin(&Caller::server(), &entry.id, 7).await.unwrap()
}

async fn cut(home: &Home, source: &Entry, ranges: Vec<Range>) -> Result<Entry, Error> {
    home.catalog.clips().create(&Caller::server(), &source.id, named("best of"), ranges).await
}

async fn delete(home: &Home, entry: &EntryId) {
    home.catalog.entries().delete(&Caller::server(), entry, None).await.unwrap();
}

async fn a_clip_is_an_entry_that_is_known_in_memory(home: Home) {
    let source = home.live("show").await;
    let rules = Rules { playback: Playback::Signed, ..Rules::default() };
    let edit = |details: &mut Details| details.access = Arc::new(rules.clone());
    home.catalog.entries().update(&Caller::server(), &source.id, None, edit).await.unwrap();
    let (one, two) = (recorded(&home, &source).await, recorded(&home, &source).await);
    let ranges = vec![range(&one, 3, 5), range(&one, 9, 9), range(&two, 20, 21)];
    let clip = cut(&home, &source, ranges.clone()).await.unwrap();
    assert_eq!(
        (clip.kind, clip.account.clone(), clip.details.name.as_str()),
        (Kind::Vod, source.account, "best of")
    );
    assert_eq!(home.catalog.entries().get(&Scope::All, &clip.id).await, Ok(clip.clone()));
    assert_eq!(home.catalog.clips().ranges(&Scope::All, &clip.id).await, Ok(ranges.clone()));
    for catalog in [&home.catalog, &home.again().await] {
        let known = catalog.keys().clip(clip.id.as_str()).unwrap();
        assert_eq!((&known.source, &known.ranges), (&source.id, &ranges));
        assert_eq!(
            catalog.keys().rules(clip.id.as_str()).as_deref(),
            Some(&rules),
            "who may watch goes with it"
        );
    }
    delete(&home, &clip.id).await;
    assert_eq!(home.catalog.keys().clip(clip.id.as_str()), None);
    assert_eq!(home.catalog.clips().references(&one.id).await, Ok(0));
}

async fn a_recording_stays_until_the_last_clip_of_it_is_gone(home: Home) {
    let (catalog, source) = (&home.catalog, home.live("show").await);
    let recording = recorded(&home, &source).await;
    let one = cut(&home, &source, vec![range(&recording, 1, 2), range(&recording, 4, 5)]).await.unwrap();
    let two = cut(&home, &source, vec![range(&recording, 2, 3)]).await.unwrap();
    assert_eq!(catalog.clips().references(&recording.id).await, Ok(3));
    assert_eq!(catalog.recordings().delete(&Caller::server(), &recording.id).await, Ok(Deleted::Kept));
    assert_eq!(catalog.recordings().list(&Scope::All, &source.id).await, Ok(vec![]), "it is hidden");
    let again = catalog.recordings().delete(&Caller::server(), &recording.id).await;
    assert_eq!(again, Err(Error::NotFound("recording")));
    let cut_again = cut(&home, &source, vec![range(&recording, 1, 2)]).await;
    assert_eq!(cut_again, Err(Error::NotFound("recording")), "nothing new is cut of it");
    delete(&home, &one.id).await;
    assert_eq!(catalog.clips().holds(&recording.id).await, Ok(true));
    delete(&home, &two.id).await;
    assert_eq!(catalog.clips().holds(&recording.id).await, Ok(false));
    let whole = recorded(&home, &source).await;
    assert_eq!(catalog.recordings().delete(&Caller::server(), &whole.id).await, Ok(Deleted::Gone));
}

async fn the_files_of_a_recording_outlive_its_entry_while_a_clip_shows_it(home: Home) {
    let (clips, source) = (home.catalog.clips(), home.live("show").await);
    let recording = recorded(&home, &source).await;
    let clip = cut(&home, &source, vec![range(&recording, 1, 2)]).await.unwrap();
    delete(&home, &source.id).await;
    assert_eq!(clips.holds(&recording.id).await, Ok(true));
    assert_eq!(home.catalog.keys().clip(clip.id.as_str()).unwrap().source, source.id);
    delete(&home, &clip.id).await;
    assert_eq!(clips.holds(&recording.id).await, Ok(false));
}

async fn what_cannot_be_is_refused(home: Home) {
    let source = home.live("show").await;
    let (recording, other) =
        (recorded(&home, &source).await, recorded(&home, &home.live("other").await).await);
    let many = (0..=MOST as u64).map(|number| range(&recording, number, number)).collect();
    for ranges in [
        vec![],
        vec![range(&recording, 2, 1)],
        vec![range(&recording, 5, 6), range(&recording, 6, 7)],
        vec![range(&recording, 5, 6), range(&recording, 1, 2)],
        many,
    ] {
        let refused = cut(&home, &source, ranges).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "ranges", .. })), "{refused:?}");
    }
    let foreign = cut(&home, &source, vec![range(&other, 1, 2)]).await;
    assert_eq!(foreign, Err(Error::NotFound("recording")), "a recording of another entry");
    let (caller, clips) = (Caller::server(), home.catalog.clips());
    let unnamed = clips.create(&caller, &source.id, named(" "), vec![range(&recording, 1, 2)]).await;
    assert!(matches!(unnamed, Err(Error::Invalid { field: "name", .. })));
    assert_eq!(home.catalog.clips().references(&recording.id).await, Ok(0), "nothing is half made");
}

async fn another_account_cuts_nothing(home: Home) {
    let source = home.live("show").await;
    let recording = recorded(&home, &source).await;
    let (account, _) = home.tenant("other").await;
    let clips = home.catalog.clips();
    let refused =
        clips.create(&member(&account.id), &source.id, named("mine"), vec![range(&recording, 1, 2)]).await;
    assert_eq!(refused, Err(Error::NotFound("entry")));
    let clip = cut(&home, &source, vec![range(&recording, 1, 2)]).await.unwrap();
    let seen = clips.ranges(&Scope::Account(account.id), &clip.id).await;
    assert_eq!(seen, Err(Error::NotFound("entry")));
}
