//! A database that is locked, frozen, gone or killed: bounded waiting, plain errors, nothing lost.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use catalog::entries::list::Wanted;
use catalog::{Caller, Catalog, Database, EntryId, Error, Leg, NewEntry, Paging, Scope};
use rustix::process::Signal;
use sqlx::{Connection, Executor, SqliteConnection};

use crate::home::Home;
use crate::server::Server;

/// How long the catalogs of these tests wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// What a busy machine may add to that.
const TOLERANCE: Duration = Duration::from_secs(10);
/// Tells the test that is a child process where to write.
const CHILD: &str = "HEADWATER_TEST_CATALOG_CHILD";

/// That something is refused as unavailable, and soon.
async fn check_unavailable<T: std::fmt::Debug>(work: impl Future<Output = Result<T, Error>>) {
    let start = Instant::now();
    let refused = work.await.unwrap_err();
    assert!(refused.is_retryable(), "{refused:?}");
    assert!(start.elapsed() < PATIENCE + TOLERANCE, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_locked_file_refuses_writes_for_a_while_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(&Database::embedded(directory.path()).with_patience(PATIENCE)).await.unwrap();
    let (entry, keys) = catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let url = format!("sqlite://{}", directory.path().join("catalog.db").display());
    let mut other = SqliteConnection::connect(&url).await.unwrap();
    other.execute("BEGIN EXCLUSIVE").await.unwrap();

    let (ring, caller) = (catalog.stream_keys(), Caller::server());
    check_unavailable(ring.rotate(&caller, &entry.id, Leg::Primary)).await;
    check_unavailable(catalog.entries().delete(&caller, &entry.id, None)).await;
    assert_eq!(catalog.entries().get(&Scope::All, &entry.id).await.as_ref(), Ok(&entry));
    assert!(catalog.keys().find(keys.primary.as_ref().unwrap().expose()).is_some());

    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(ring.get(&Scope::All, &entry.id).await, Ok(keys));
    ring.rotate(&caller, &entry.id, Leg::Primary).await.unwrap();
}

#[tokio::test]
async fn a_frozen_server_and_a_dead_one_are_unavailable_and_publishers_do_not_notice() {
    let server = Server::start();
    let database = Database::postgres(server.database().await).with_patience(PATIENCE);
    let catalog = Catalog::open(&database).await.unwrap();
    let (entry, keys) = catalog.entries().create(&Caller::server(), NewEntry::live("show")).await.unwrap();
    let caller = Caller::server();
    let all = async || catalog.entries().list(&Scope::All, &Wanted::default(), &Paging::default()).await;

    server.signal(Signal::STOP);
    check_unavailable(all()).await;
    check_unavailable(catalog.stream_keys().rotate(&caller, &entry.id, Leg::Primary)).await;
    check_unavailable(catalog.ping()).await;
    assert!(catalog.keys().find(keys.primary.as_ref().unwrap().expose()).is_some());

    server.signal(Signal::CONT);
    let start = Instant::now();
    while let Err(error) = catalog.stream_keys().rotate(&caller, &entry.id, Leg::Primary).await {
        assert!(error.is_retryable() && start.elapsed() < TOLERANCE * 3, "{error:?}");
    }
    let stored = catalog.stream_keys().get(&Scope::All, &entry.id).await.unwrap().primary.unwrap();
    assert!(catalog.keys().find(stored.expose()).is_some(), "what is in memory is what is stored");
    assert_eq!(catalog.keys().len(), 2);

    server.signal(Signal::KILL);
    check_unavailable(all()).await;
    check_unavailable(Catalog::open(&database)).await;
    assert!(catalog.keys().find(stored.expose()).is_some());
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = Catalog::open(&Database::embedded(&directory.path().join("missing"))).await;
    assert!(
        matches!(&nowhere, Err(Error::Unavailable(words)) if words.contains("missing/catalog.db")),
        "{nowhere:?}"
    );
    std::fs::write(directory.path().join("catalog.db"), "this is no database, however long one looks at it")
        .unwrap();
    let broken = Catalog::open(&Database::embedded(directory.path())).await;
    assert!(matches!(&broken, Err(Error::Broken(words)) if words.contains("not a database")), "{broken:?}");
    let url = catalog::Secret::new("mysql://user:hidden@host/name");
    let invalid = Catalog::open(&Database::postgres(url)).await.unwrap_err();
    assert!(
        matches!(&invalid, Error::Invalid { .. }) && !invalid.to_string().contains("hidden"),
        "{invalid:?}"
    );
}

#[tokio::test]
async fn the_file_and_what_stands_beside_it_are_for_their_owner_alone() {
    let home = Home::sqlite().await;
    home.live("show").await;
    let file = home.file().unwrap();
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        let mode = file.with_file_name(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_was_answered_outlives_a_killed_process() {
    let directory = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .args(["outage::writes_until_it_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let created =
        output.filter_map(|line| line.rsplit_once("created ").and_then(|(_, id)| EntryId::parse(id)));
    let created: Vec<EntryId> = created.take(20).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(created.len(), 20);
    assert!(wal(directory.path()) > 0, "nothing was left in the WAL: the test proves nothing");

    let catalog = Catalog::open(&Database::embedded(directory.path())).await.unwrap();
    for id in &created {
        let entry = catalog.entries().get(&Scope::All, id).await.unwrap();
        assert!(catalog.keys().entry(&entry.id).is_some());
    }
    let wanted = Wanted { text: Some("killed".into()), ..Wanted::default() };
    let paging = Paging { limit: Some(500), cursor: None };
    assert!(
        catalog.entries().list(&Scope::All, &wanted, &paging).await.unwrap().items.len() >= created.len()
    );
    catalog.entries().create(&Caller::server(), NewEntry::live("after")).await.unwrap();
}

fn wal(directory: &Path) -> u64 {
    directory.join("catalog.db-wal").metadata().map_or(0, |it| it.len())
}

#[tokio::test]
#[ignore = "the child process of what_was_answered_outlives_a_killed_process"]
async fn writes_until_it_is_killed() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let catalog = Catalog::open(&Database::embedded(Path::new(&directory))).await.unwrap();
    loop {
        let new = NewEntry::live("to be killed");
        let (entry, _) = catalog.entries().create(&Caller::server(), new).await.unwrap();
        println!("created {}", entry.id);
    }
}
