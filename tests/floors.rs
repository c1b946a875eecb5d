//! The floors hold: who may depend on whom, and what may not be known below a floor.
//!
//! ```text
//!  5  src (headwater)                 everything
//!  4  ingest   recorder   origin   web   control-api   webhooks   thumbs   vod   edges: none knows another
//!  3  stream   catalog   srt   archive   depot (over archive and stream)   transcode (a program of its own)
//!  2  packager
//!  1  container   access   worker-protocol
//!  0  media    config
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Each crate with all of ours that it may name. A crate that is not here fails the test until it has its floor.
const FLOORS: &[(&str, &[&str])] = &[
    ("media", &[]),
    ("config", &[]),
    ("container", &["media"]),
    ("packager", &["container", "media"]),
    ("worker-protocol", &[]),
    ("transcode", &["worker-protocol", "media"]),
    ("thumbs", &["worker-protocol", "stream", "packager", "container", "media"]),
    ("stream", &["packager", "container", "media"]),
    ("srt", &[]),
    ("access", &["media"]),
    ("catalog", &["access", "media"]),
    ("archive", &["packager", "container", "media"]),
    ("depot", &["stream", "archive", "packager", "container", "media"]),
    ("ingest", &["srt", "stream", "packager", "container", "media"]),
    ("vod", &["stream", "archive", "packager", "container", "media"]),
    ("recorder", &["stream", "archive", "packager", "container", "media"]),
    ("origin", &["stream", "packager", "container", "access", "media"]),
    ("web", &["packager", "container", "media"]),
    ("control-api", &["stream", "catalog", "packager", "container", "access", "media"]),
    ("webhooks", &["catalog", "access", "media"]),
    // Not in the house: a tool that measures the binary from outside.
    ("bench", &["ingest", "packager", "container", "media"]),
    (
        "headwater",
        &[
            "web",
            "control-api",
            "webhooks",
            "origin",
            "thumbs",
            "recorder",
            "vod",
            "depot",
            "ingest",
            "catalog",
            "archive",
            "stream",
            "packager",
            "container",
            "access",
            "media",
            "config",
        ],
    ),
];

/// Floors 0 to 2: no I/O, no clock, no task.
const SILENT: &[&str] = &["media", "config", "container", "access", "packager", "worker-protocol"];

/// Crates that only some of ours may name directly. Their own dependencies are their business.
const KEPT: &[(&str, &[&str])] = &[
    ("anyhow", &["headwater", "bench"]),
    ("toml", &["config"]),
    ("axum", &["origin", "web", "control-api"]),
    ("hyper", &["origin", "webhooks"]),
    ("ffmpeg-next", &["transcode"]),
    ("bindgen", &["srt"]),
    ("clap", &["headwater", "bench"]),
    ("sea-orm", &["catalog"]),
    ("sea-orm-migration", &["catalog"]),
    ("sqlx", &["catalog"]),
    ("sqlx-core", &["catalog"]),
    ("object_store", &["depot"]),
];

/// What would bring I/O or a runtime below the floor of streams, even by way of others.
const LOUD: &[&str] = &["tokio", "hyper", "axum", "mio", "socket2", "futures-util", "async-std", "smol"];

/// The same from the standard library, in sources outside tests.
const LOUD_PATHS: &[&str] = &[
    "std::net::Tcp",
    "std::net::Udp",
    "std::fs",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime::now",
    "Instant::now",
    "now_utc",
    "async fn",
    ".await",
];

#[test]
fn crates_depend_downward_only() {
    let workspace = Workspace::load();
    for package in workspace.ours() {
        let name = short(&package.name);
        let allowed = FLOORS.iter().find(|(floor, _)| *floor == name).map(|(_, allowed)| *allowed);
        let allowed =
            allowed.unwrap_or_else(|| panic!("{name} has no floor: give it one in tests/floors.rs"));
        for dependency in workspace.named(package, None).into_iter().filter(|it| is_ours(it)) {
            assert!(allowed.contains(&short(&dependency)), "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn the_lower_floors_have_no_runtime_by_any_way() {
    let workspace = Workspace::load();
    for package in workspace.ours().filter(|package| SILENT.contains(&short(&package.name))) {
        let reached = workspace.reached(package);
        let loud: Vec<_> = LOUD.iter().filter(|loud| reached.contains(**loud)).collect();
        assert!(loud.is_empty(), "{} reaches {loud:?}", package.name);
    }
}

#[test]
fn some_crates_are_known_to_some_of_ours_only() {
    let workspace = Workspace::load();
    for package in workspace.ours() {
        let name = short(&package.name);
        let named = workspace.named(package, Some(DependencyKind::Normal));
        for (kept, keepers) in KEPT {
            assert!(!named.contains(*kept) || keepers.contains(&name), "{name} may not know {kept}");
        }
    }
}

#[test]
fn the_lower_floors_touch_no_file_socket_clock_or_thread() {
    let root = Path::new(".");
    for name in SILENT {
        let sources = sources(&root.join(name).join("src"));
        assert!(!sources.is_empty(), "{name} has no sources: the scan would prove nothing");
        for path in sources {
            let text =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let found = loud_lines(&text);
            assert!(found.is_empty(), "{}: {found:#?}", path.display());
        }
    }
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    let text = "#[cfg(test)]\nmod fixture;\nuse std::fs;\n// std::fs in words\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    assert_eq!(loud_lines(text), ["3: use std::fs;"]);
    assert_eq!(
        loud_lines("use std::{fs, io};\nlet now = time::Instant::now();"),
        ["1: use std::{fs, io};", "2: let now = time::Instant::now();"]
    );
}

struct Workspace(Metadata);

impl Workspace {
    fn load() -> Workspace {
        let manifest = Path::new("Cargo.toml");
        let options =
            vec!["--offline".to_owned(), "--locked".to_owned(), format!("--filter-platform={}", host())];
        let metadata = MetadataCommand::new().manifest_path(manifest).other_options(options).exec();
        Workspace(metadata.unwrap_or_else(|error| panic!("cargo metadata: {error}")))
    }

    fn ours(&self) -> impl Iterator<Item = &Package> {
        self.0.workspace_packages().into_iter()
    }

    /// The crates that a manifest names, in any table or in one of a kind.
    fn named(&self, package: &Package, kind: Option<DependencyKind>) -> BTreeSet<String> {
        let wanted = package.dependencies.iter().filter(|it| kind.is_none_or(|kind| it.kind == kind));
        wanted.map(|dependency| dependency.name.clone()).collect()
    }

    /// The crates that end up in a build of this one.
    fn reached(&self, package: &Package) -> BTreeSet<String> {
        let resolve = self.0.resolve.as_ref().expect("cargo metadata resolves unless told not to");
        let mut reached = BTreeSet::from([&package.id]);
        let mut open = vec![&package.id];
        while let Some(id) = open.pop() {
            let node = resolve.nodes.iter().find(|node| node.id == *id);
            let normal = node.iter().flat_map(|node| &node.deps);
            let normal =
                normal.filter(|it| it.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
            open.extend(normal.map(|dependency| &dependency.pkg).filter(|id| reached.insert(id)));
        }
        reached.iter().map(|id| self.0[id].name.to_string()).collect()
    }
}

/// The triple of this machine: crates of other platforms may not be at hand, and are not built.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap_or_else(|error| panic!("rustc: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc -vV names its host").to_owned()
}

fn short(name: &str) -> &str {
    name.strip_prefix("headwater-").unwrap_or(name)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("headwater")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let here = files.into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    here.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// Lines of the product that name something loud.
fn loud_lines(text: &str) -> Vec<String> {
    let code =
        product(text).map(|(at, line)| (at + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"));
    code.filter(|(_, line)| is_loud(line)).map(|(at, line)| format!("{at}: {line}")).collect()
}

/// Everything but an inline module of tests, which stands at the end of its file.
fn product(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let opens =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    let end = lines.windows(2).position(opens).unwrap_or(lines.len());
    lines.into_iter().take(end).enumerate()
}

fn is_loud(line: &str) -> bool {
    let grouped = line.strip_prefix("use std::{").is_some_and(|rest| {
        rest.split([',', '}', ':', ' ']).any(|name| ["fs", "thread", "process", "env"].contains(&name))
    });
    grouped || LOUD_PATHS.iter().any(|path| line.contains(path))
}
