//! Which recordings there come to be of the sessions of an entry, and what is told of them.

mod house;

use std::time::Duration;

use archive::integrity;
use house::{House, Lives};
use recorder::{Activity, KeepFree, Mode, Refused, Settings, State, Told};

#[tokio::test(start_paused = true)]
async fn a_session_is_recorded_from_its_first_segment_to_its_end() {
    let house = House::new(Some(Mode::Append));
    let recorder = house.recorder();
    let mut told = recorder.events();
    let publication = house.publish().await;
    publication.live(0, 11).await;
    let status = recorder.status("demo");
    assert_eq!(status.activity, Activity::Recording);
    assert!(status.bytes > 0 && status.length >= Duration::from_secs(6), "{status:?}");
    house.end().await;
    let id = house.ended(&mut told).await;
    let [about] = &recorder.of("demo")[..] else { panic!("one recording") };
    assert_eq!((about.state, &about.id), (State::Finished, &id));
    assert_eq!((about.length.as_millis() + 50) / 1000, 11, "{about:?}");
    let contents = house.contents(&id);
    assert!(contents.sessions[0].ended && integrity::report(&contents).is_complete());
    assert_eq!(recorder.status("demo").activity, Activity::Off);
    assert_eq!(house.settled(), contents.renditions[0].segments.len());
}

#[tokio::test(start_paused = true)]
async fn append_is_one_recording_over_sessions_and_per_session_one_for_each() {
    for (mode, recordings) in [(Mode::Append, 1), (Mode::PerSession, 2)] {
        let house = House::new(Some(mode));
        let recorder = house.recorder();
        let mut told = recorder.events();
        for _ in 0..2 {
            house.publish().await.live(0, 5).await;
            house.end().await;
            house.ended(&mut told).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        let all = recorder.of("demo");
        assert_eq!(all.len(), recordings, "{mode:?}");
        let last = house.contents(&all[recordings - 1].id);
        assert_eq!(last.sessions.len(), 3 - recordings);
        assert!(integrity::report(&last).is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_off_is_recorded_when_somebody_starts_it() {
    let house = House::new(None);
    let recorder = house.recorder();
    let mut told = recorder.events();
    assert_eq!(recorder.start("demo").await, Err(Refused::NotOnAir));
    let publication = house.publish().await;
    publication.live(0, 9).await;
    assert_eq!(recorder.status("demo").activity, Activity::Off);
    assert_eq!(
        (recorder.pause("demo"), recorder.stop("demo", false).await),
        (Err(Refused::Off), Err(Refused::Off))
    );
    recorder.start("demo").await.expect("it is on air");
    assert_eq!(recorder.start("demo").await, Err(Refused::Recording));
    publication.live(9, 4).await;
    recorder.stop("demo", false).await.expect("it is recorded");
    let id = house.ended(&mut told).await;
    publication.live(13, 4).await;
    house.end().await;
    let contents = house.contents(&id);
    let video = &contents.renditions[0].segments;
    let all = house.numbers();
    let wanted: Vec<u64> =
        all.iter().copied().filter(|number| (all[4]..all[4] + 3).contains(number)).collect();
    let got: Vec<u64> = video.iter().map(|entry| entry.number).collect();
    assert!(got.first() == wanted.first() && got.len() <= 3, "{got:?} of {all:?}");
    assert_eq!(recorder.of("demo").len(), 1, "stopped is stopped until the session is over");
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_a_gap_with_its_reason() {
    let house = House::new(Some(Mode::Append));
    let recorder = house.recorder();
    let mut told = recorder.events();
    let publication = house.publish().await;
    publication.live(0, 6).await;
    assert_eq!(recorder.resume("demo"), Err(Refused::NotPaused));
    recorder.pause("demo").expect("it is recorded");
    assert_eq!(
        (recorder.pause("demo"), recorder.status("demo").activity),
        (Err(Refused::Paused), Activity::Paused)
    );
    publication.live(6, 6).await;
    recorder.resume("demo").expect("it is paused");
    publication.live(12, 6).await;
    let status = recorder.status("demo");
    assert_eq!(status.activity, Activity::Recording);
    assert_eq!(status.gaps.len(), 1, "{status:?}");
    assert!(status.gaps[0].last.is_some() && status.gaps[0].reason.as_str() == "paused");
    house.end().await;
    let id = house.ended(&mut told).await;
    let report = integrity::report(&house.contents(&id));
    let gaps = &report.renditions[0].gaps;
    assert!(gaps.len() == 1 && gaps[0].reason.as_str() == "paused", "{report:?}");
    assert!((2..=4).contains(&(gaps[0].last - gaps[0].first + 1)), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_closed_is_not_gone_on_with() {
    let house = House::new(Some(Mode::Append));
    let recorder = house.recorder();
    let mut told = recorder.events();
    for close in [true, false] {
        let publication = house.publish().await;
        publication.live(0, 5).await;
        recorder.stop("demo", close).await.expect("it is recorded");
        house.ended(&mut told).await;
        house.end().await;
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    assert_eq!(recorder.of("demo").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_is_too_long_goes_on_in_a_new_one_without_a_loss() {
    let house =
        House::with(Some(Mode::Append), Settings { max_length: Duration::from_secs(60), ..settings() });
    let recorder = house.recorder();
    let mut told = recorder.events();
    house.publish().await.live(0, 130).await;
    house.end().await;
    let (mut began, mut over) = (Vec::new(), Vec::new());
    while over.len() < 3 {
        match told.recv().await.expect("it goes on") {
            Told::Began { recording, .. } => began.push(recording),
            Told::Ended { recording, .. } => over.push(recording),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(began, over, "each ends when the next one is under way");
    let numbers = began.iter().flat_map(|id| house.contents(id).renditions[0].segments.clone());
    let numbers: Vec<u64> = numbers.map(|entry| entry.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
    assert!(numbers.len() == 65 && numbers.ends_with(&house.numbers()), "{numbers:?}");
    let states: Vec<State> = recorder.of("demo").iter().map(|about| about.state).collect();
    assert_eq!(states, [State::Finished; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_and_comes_back_goes_on_in_the_same_recording() {
    let house = House::new(Some(Mode::PerSession));
    let recorder = house.recorder();
    house.publish().await.live(0, 5).await;
    house.directory().shutdown(Duration::ZERO).await;
    recorder.finish().await;
    assert_eq!(recorder.of("demo")[0].state, State::Interrupted);
    assert!(recorder.start("demo").await.is_err(), "nothing begins any more");

    let house = house.again().await;
    let recorder = house.recorder();
    let mut told = recorder.events();
    assert_eq!(recorder.of("demo").len(), 1, "it is found again");
    house.publish().await.live(0, 5).await;
    house.end().await;
    let id = house.ended(&mut told).await;
    assert_eq!(recorder.of("demo").len(), 1);
    let contents = house.contents(&id);
    assert_eq!((contents.sessions.len(), contents.periods.len()), (1, 2));
    assert!(integrity::report(&contents).is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_recording_whose_process_died_is_taken_up_before_anything_is_served() {
    let house = House::new(Some(Mode::Append));
    let recorder = house.recorder();
    house.publish().await.live(0, 7).await;
    let id = recorder.status("demo").recording.expect("it is recorded");
    assert_eq!(recorder.of("demo")[0].state, State::Open);
    let house = house.again().await;
    let [about] = &house.recorder().of("demo")[..] else { panic!("one recording") };
    assert_eq!((about.state, &about.id), (State::Interrupted, &id));
    assert!(about.length >= Duration::from_secs(4) && about.bytes > 0, "{about:?}");
    // Without the small file beside it the recording itself says the same.
    std::fs::remove_file(house.folder(&id).join(recorder::ABOUT_FILE)).expect("there");
    let house = house.again().await;
    let [anew] = &house.recorder().of("demo")[..] else { panic!("one recording") };
    assert_eq!((anew.state, anew.bytes, anew.first), (about.state, about.bytes, about.first));
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_a_gap_and_live_goes_on() {
    let house =
        House::with(Some(Mode::Append), Settings { keep_free: KeepFree::Bytes(1 << 62), ..settings() });
    let recorder = house.recorder();
    let mut told = recorder.events();
    let publication = house.publish().await;
    publication.live(0, 7).await;
    let lost = house.wait(&mut told, |told| matches!(told, Told::Lost { .. })).await;
    let Told::Lost { gap, .. } = lost else { unreachable!() };
    assert_eq!(gap.reason.as_str(), "no-space");
    assert!(house.numbers().len() >= 3, "live goes on");
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_taken_away_is_noticed_and_a_new_recording_begins() {
    let house = House::new(Some(Mode::Append));
    let recorder = house.recorder();
    let mut told = recorder.events();
    let publication = house.publish().await;
    publication.live(0, 5).await;
    let first = recorder.status("demo").recording.expect("it is recorded");
    std::fs::remove_dir_all(house.folder(&first)).expect("removed");
    // Whether files are there is looked at by the clock of the machine.
    let looks = std::time::Instant::now() + Duration::from_secs(6);
    let mut second = 5;
    while std::time::Instant::now() < looks {
        publication.live(second, 5).await;
        second += 5;
        tokio::task::yield_now().await;
    }
    let removed = house.wait(&mut told, |told| matches!(told, Told::Hidden { .. })).await;
    assert_eq!(removed, Told::Hidden { entry: "demo".into(), recording: first.clone() });
    publication.live(second, 5).await;
    let second = recorder.status("demo");
    assert_ne!(second.recording, Some(first));
    assert_eq!(second.activity, Activity::Recording);
}

fn settings() -> Settings {
    Settings { keep_free: KeepFree::Bytes(0), ..Settings::default() }
}
