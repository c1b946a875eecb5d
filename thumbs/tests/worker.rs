//! Workers that crash, hang, lie or are not there, and what those are told who ask for images.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use thumbs::{Codec, Failure, Form, Image, Job, Picture, Refusal, Settings, Thumbs};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What the worker of these tests does with an image of such a width.
const WELL: u32 = 16;
const EXITS: u32 = 18;
const HANGS: u32 = 20;
const REFUSES: u32 = 28;
const SLOWLY: u32 = 32;

fn settings() -> Settings {
    let program = Path::new("tests/worker.py").canonicalize().expect("the worker of the tests");
    Settings { program: Some(program), job_timeout: Duration::from_secs(2), ..Settings::default() }
}

fn job(width: u32) -> Job {
    let picture = Picture {
        codec: Codec::H264,
        configuration: b"configuration".as_slice().into(),
        sample: vec![b"two ".as_slice().into(), b"pieces".as_slice().into()],
    };
    Job { pictures: vec![picture], form: Form::Single { width }, quality: 80 }
}

async fn image(thumbs: &Thumbs, name: &str, width: u32) -> Result<Arc<Image>, Failure> {
    thumbs.image(name, || job(width)).await
}

/// The process that made an image.
fn maker(image: Result<Arc<Image>, Failure>) -> Pid {
    Pid::from_raw(image.expect("an image").height as i32).expect("a process")
}

#[tokio::test]
async fn what_a_hundred_ask_for_is_made_once() {
    let thumbs = Thumbs::start(settings());
    let asked = Arc::new(AtomicU32::new(0));
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let (thumbs, asked) = (thumbs.clone(), asked.clone());
        asking.spawn(async move {
            let job = || {
                asked.fetch_add(1, Ordering::Relaxed);
                job(SLOWLY)
            };
            thumbs.image("one", job).await.expect("an image").width
        });
    }
    assert_eq!(asking.join_all().await, [1; 100]);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "nobody else was asked for the pictures");
    assert_eq!(image(&thumbs, "two", WELL).await.expect("an image").width, 2, "the worker stayed");
}

#[tokio::test]
async fn a_crash_costs_its_own_image_only() {
    let thumbs = Thumbs::start(settings());
    let before = maker(image(&thumbs, "a", WELL).await);
    assert_eq!(image(&thumbs, "b", EXITS).await, Err(Failure::Crashed));
    // A second failure in a row puts starting off for a moment.
    let after = timeout(Duration::from_secs(10), made(&thumbs)).await.expect("it comes back");
    assert_ne!(before, after);
    assert_eq!(image(&thumbs, "b", WELL).await, Err(Failure::Crashed), "it is remembered");
}

/// Asks until a worker is there.
async fn made(thumbs: &Thumbs) -> Pid {
    loop {
        match image(thumbs, "another", WELL).await {
            Err(Failure::Unavailable) => tokio::time::sleep(Duration::from_millis(20)).await,
            image => return maker(image),
        }
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_is_replaced_and_the_image_comes() {
    let thumbs = Thumbs::start(settings());
    let first = maker(image(&thumbs, "a", WELL).await);
    kill_process(first, Signal::KILL).expect("it runs");
    let second = maker(image(&thumbs, "b", WELL).await);
    assert_ne!(first, second);
    let asked = thumbs.clone();
    let in_the_middle = tokio::spawn(async move { image(&asked, "c", SLOWLY).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    kill_process(second, Signal::KILL).expect("it works");
    assert_ne!(maker(in_the_middle.await.expect("no panic")), second);
}

#[tokio::test]
async fn a_worker_that_hangs_is_killed() {
    let thumbs = Thumbs::start(Settings { job_timeout: Duration::from_millis(500), ..settings() });
    let first = maker(image(&thumbs, "a", WELL).await);
    assert_eq!(image(&thumbs, "b", HANGS).await, Err(Failure::Crashed));
    assert!(test_kill_process(first).is_err(), "it is gone, and not a zombie");
    let second = maker(image(&thumbs, "c", WELL).await);
    kill_process(second, Signal::STOP).expect("it runs");
    assert_eq!(image(&thumbs, "d", WELL).await, Err(Failure::Crashed));
    assert!(test_kill_process(second).is_err(), "SIGKILL ends what is stopped");
    maker(image(&thumbs, "e", WELL).await);
}

#[tokio::test]
async fn a_worker_that_lies_is_killed() {
    for width in [22, 24, 26, 30] {
        let thumbs = Thumbs::start(settings());
        let before = maker(image(&thumbs, "a", WELL).await);
        assert_eq!(image(&thumbs, "b", width).await, Err(Failure::Crashed), "{width}");
        assert!(test_kill_process(before).is_err(), "{width}");
    }
}

#[tokio::test]
async fn a_refusal_is_remembered_and_the_worker_goes_on() {
    let thumbs = Thumbs::start(Settings { refusal_memory: Duration::from_millis(300), ..settings() });
    let refused = Err(Failure::Refused(Refusal::Damaged));
    assert_eq!(image(&thumbs, "a", REFUSES).await, refused);
    assert_eq!(image(&thumbs, "a", WELL).await, refused, "for a while");
    assert_eq!(image(&thumbs, "b", WELL).await.expect("an image").width, 2, "the same worker");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(image(&thumbs, "a", WELL).await.is_ok(), "not for ever");
}

#[tokio::test]
async fn a_thousand_different_images_wait_in_a_bounded_queue() {
    let thumbs = Thumbs::start(settings());
    let mut asking = JoinSet::new();
    for at in 0..1000 {
        let thumbs = thumbs.clone();
        asking.spawn(async move { image(&thumbs, &at.to_string(), WELL).await });
    }
    let answers = timeout(Duration::from_secs(60), asking.join_all()).await.expect("everybody is answered");
    let count =
        |wanted: fn(&Result<Arc<Image>, Failure>) -> bool| answers.iter().filter(|it| wanted(it)).count();
    let (made, busy) = (count(|it| it.is_ok()), count(|it| *it == Err(Failure::Busy)));
    assert_eq!(made + busy, 1000);
    assert!((64..=300).contains(&made), "those who found a place: {made}");
    assert!(image(&thumbs, "999 again", WELL).await.is_ok(), "nothing of it stays");
}

#[tokio::test]
async fn nobody_waits_longer_than_a_limit_for_what_others_want() {
    let thumbs = Thumbs::start(Settings { patience: Duration::from_millis(400), ..settings() });
    let asked = thumbs.clone();
    let first = tokio::spawn(async move { image(&asked, "a", HANGS).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(image(&thumbs, "b", WELL).await, Err(Failure::Busy));
    assert_eq!(first.await.expect("no panic"), Err(Failure::Busy));
    let after = timeout(Duration::from_secs(10), async {
        while image(&thumbs, "c", WELL).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    after.await.expect("the one that hung was killed all the same");
}

#[tokio::test]
async fn whoever_leaves_makes_room() {
    let thumbs = Thumbs::start(settings());
    let mut asking = JoinSet::new();
    for at in 0..20 {
        let thumbs = thumbs.clone();
        asking.spawn(async move { image(&thumbs, &at.to_string(), SLOWLY).await });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    asking.shutdown().await;
    let waited = tokio::time::Instant::now();
    let last = image(&thumbs, "last", WELL).await.expect("an image");
    assert!(last.width <= 3 && waited.elapsed() < Duration::from_secs(3), "{last:?}");
}

#[tokio::test]
async fn without_a_worker_there_are_words() {
    let programs = [None, Some(PathBuf::from("/nowhere/headwater-worker")), Some("/bin/false".into())];
    for program in programs {
        let thumbs = Thumbs::start(Settings { program: program.clone(), ..settings() });
        for name in ["a", "b", "c"] {
            assert_eq!(image(&thumbs, name, WELL).await, Err(Failure::Unavailable), "{program:?}");
        }
    }
}

#[tokio::test]
async fn a_job_beyond_its_bytes_is_not_begun() {
    let thumbs = Thumbs::start(Settings { job_bytes: 22, ..settings() });
    assert_eq!(image(&thumbs, "a", WELL).await, Err(Failure::TooLarge));
    let thumbs = Thumbs::start(Settings { job_bytes: 23, ..settings() });
    assert!(image(&thumbs, "a", WELL).await.is_ok());
}

#[tokio::test]
async fn bytes_kept_are_bounded() {
    let thumbs = Thumbs::start(Settings { cache_bytes: 0, ..settings() });
    let first = image(&thumbs, "a", WELL).await.expect("an image").width;
    let mut later = first;
    for _ in 0..100 {
        later = image(&thumbs, "a", WELL).await.expect("an image").width;
        if later > first {
            break;
        }
    }
    assert!(later > first, "what does not fit is made again");
}
