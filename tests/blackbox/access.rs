//! Signed playback and previews, from an encoder to a player, and what the log knows of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use access::{Claims, Playback, Rules, Signer};
use catalog::{Air, Caller, Catalog, Database, NewEntry};
use media::{MediaTime, Timescale, WallTime};

use crate::support::http::{Answer, get};
use crate::support::push::run;
use crate::support::server::Site;
use crate::support::source::{Source, USUAL};
use crate::support::{Push, Server, within};

/// A server with one entry of its catalog on air.
struct OnAir {
    server: Server,
    entry: String,
    signer: Signer,
    _push: Push,
}

impl OnAir {
    fn new(air: Air, playback: Playback) -> OnAir {
        let site = Site::new("", &[]);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (entry, key, signer) = runtime.block_on(provision(&site, air, playback));
        let server = site.start();
        let url = server.rtmp_url(&format!("live/{key}"));
        let push = Push::to(&url, &Source { seconds: 60, ..USUAL }.file(), &["-re"], &[]);
        OnAir { server, entry, signer, _push: push }
    }

    fn token(&self, change: impl FnOnce(&mut Claims)) -> String {
        let mut claims = Claims {
            entry: self.entry.clone(),
            expires: from_now(120),
            not_before: None,
            network: None,
            preview: false,
            id: "viewer".to_owned(),
        };
        change(&mut claims);
        self.signer.sign(&claims)
    }

    fn url(&self, token: Option<&str>, name: &str) -> String {
        let under = token.map_or(String::new(), |token| format!("t/{token}/"));
        self.server.http_url(&format!("{under}play/{}/{name}", self.entry))
    }

    fn get(&self, token: Option<&str>, name: &str) -> Answer {
        get(&self.url(token, name), &[])
    }

    fn wait_for(&self, token: Option<&str>, name: &str) -> Answer {
        within(20, name, || Some(self.get(token, name)).filter(|answer| answer.status == 200))
    }
}

async fn provision(site: &Site, air: Air, playback: Playback) -> (String, String, Signer) {
    let data = site.folder().join("data");
    std::fs::create_dir_all(&data).expect("a data directory");
    let catalog = Catalog::open(&Database::embedded(&data)).await.expect("a catalog");
    let mut new = NewEntry { air, ..NewEntry::live("show") };
    new.details.access = Arc::new(Rules { playback, ..Rules::default() });
    let (entry, keys) = catalog.entries().create(&Caller::server(), new).await.expect("an entry");
    let signer = Signer::new(catalog.playback_secret().expose().as_bytes());
    catalog.close().await.expect("closed");
    (entry.id.to_string(), keys.primary.expect("a key").expose().to_owned(), signer)
}

fn from_now(seconds: i64) -> WallTime {
    WallTime::from(SystemTime::now()).plus(MediaTime::new(seconds * 1000, Timescale::MILLIS))
}

#[test]
fn a_signed_stream_plays_with_its_token_alone_and_no_log_has_it() {
    let show = OnAir::new(Air::Live, Playback::Signed);
    let good = show.token(|_| {});
    let master = show.wait_for(Some(&good), "master.m3u8");
    assert!(master.header("cache-control").starts_with("public, max-age="));
    assert!(!String::from_utf8_lossy(&master.body).contains(&good));
    let bad = [
        (show.token(|it| it.expires = from_now(-1)), 401),
        (show.token(|it| it.not_before = Some(from_now(60))), 401),
        (Signer::new(b"somebody else's").sign(&claims_of(&show.entry)), 401),
        (format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).expect("a payload")), 401),
        (show.token(|it| it.entry = "0_00000000".to_owned()), 403),
        (show.token(|it| it.network = access::network("192.0.2.1")), 403),
    ];
    for name in ["master.m3u8", "manifest.mpd", "video-1.m3u8", "video-1/1.m4s"] {
        assert_eq!(show.get(None, name).status, 401, "{name}");
        for (token, status) in &bad {
            assert_eq!(show.get(Some(token), name).status, *status, "{name} {token}");
        }
    }
    let url = show.url(Some(&good), "master.m3u8");
    let played =
        run("ffprobe", &["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", &url]);
    let played: BTreeSet<&str> = std::str::from_utf8(&played).expect("text").split_whitespace().collect();
    assert_eq!(played, BTreeSet::from(["aac", "h264"]), "relative URIs keep the token");

    let log = show.server.log();
    for token in bad.iter().map(|(token, _)| token).chain([&good]) {
        let signature = token.rsplit('.').next().filter(|it| !it.is_empty());
        assert!(!log.contains(token.as_str()) && !signature.is_some_and(|it| log.contains(it)), "{log}");
    }
    for reason in ["token-expired", "token-entry"] {
        assert!(log.contains(reason), "an operator reads why: {log}");
    }
}

fn claims_of(entry: &str) -> Claims {
    Claims {
        entry: entry.to_owned(),
        expires: from_now(60),
        not_before: None,
        network: None,
        preview: true,
        id: String::new(),
    }
}

#[test]
fn a_preview_is_seen_with_a_producers_token_and_kept_by_no_cache() {
    let show = OnAir::new(Air::Preview, Playback::Open);
    let (producer, viewer) = (show.token(|it| it.preview = true), show.token(|_| {}));
    let master = show.wait_for(Some(&producer), "master.m3u8");
    assert_eq!(master.header("cache-control"), "private, no-store");
    for token in [None, Some(viewer.as_str())] {
        for name in ["master.m3u8", "manifest.mpd", "video-1.m3u8"] {
            assert_eq!(show.get(token, name).status, 404, "{name}");
        }
    }
}
