//! Whether somebody may watch, decided before anything is looked up.
//!
//! ```text
//! /t/TOKEN/play/ENTRY/…   the token comes off, what is below goes on as /play/ENTRY/…
//! ```
//!
//! So a body is the same with a token and without, and relative URIs in it stay below the token by themselves. The
//! token is a secret: from here on nothing knows it, and so no log has it.
//!
//! Of the watch page and the embed frame only the site is decided on from which one comes to them: they hold no media,
//! and say in words why nothing plays. What they load below `/assets/` is no secret.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use access::{Denied, IpNet, Rules, Ticket, Visit};
use http::header::{ORIGIN, REFERER, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri};
use packager::names::is_entry_id;
use packager::names::smooth::{self, publishing_point};
use stream::{Audience, Viewer};

use crate::client;
use crate::doors::{Doors, Open};
use crate::problem::Problem;

/// What a token may stand before.
const BELOW_TOKEN: [&str; 4] = ["/play/", "/watch/", "/embed/", "/assets/"];
/// What an entry's id stands behind.
const OF_ENTRY: [&str; 3] = ["/play/", "/watch/", "/embed/"];

/// Stands for a referrer that is not text: no pattern is like its host.
const UNREADABLE: &str = "unreadable://-/";

/// Stands before the routes.
pub(crate) struct Guard {
    doors: Arc<dyn Doors>,
    proxies: Vec<IpNet>,
    audience: Option<Arc<Audience>>,
    seed: RandomState,
}

/// One who may watch.
#[derive(Clone, Copy)]
pub(crate) struct Admitted(Option<u64>);

impl Guard {
    pub(crate) fn new(proxies: Vec<IpNet>) -> Guard {
        Guard { doors: Arc::new(Open), proxies, audience: None, seed: RandomState::new() }
    }

    pub(crate) fn asking(self, doors: Arc<dyn Doors>) -> Guard {
        Guard { doors, ..self }
    }

    pub(crate) fn seen_by(self, audience: Arc<Audience>) -> Guard {
        Guard { audience: Some(audience), ..self }
    }

    /// Takes the token off a request's path, and says whether its bearer may have what it asks for. What a producer may
    /// see beyond the public is noted in the request.
    pub(crate) fn admit<B>(
        &self,
        request: &mut Request<B>,
        peer: Option<IpAddr>,
    ) -> Result<Admitted, Problem> {
        let token = take_token(request.uri_mut())?;
        let Some(entry) = entry(request.uri().path())? else { return Ok(Admitted(None)) };
        // A preflight has no referrer, and tells nothing (the Fetch standard).
        if request.method() == Method::OPTIONS {
            return Ok(Admitted(None));
        }
        let owner = self.doors.entry_of(entry);
        let entry = owner.as_deref().unwrap_or(entry);
        let rules = self.doors.rules(entry);
        let ticket = match token.map(|token| self.verify(&token)) {
            Some(Err(_)) if is_page(request.uri().path()) => None,
            ticket => ticket.transpose()?,
        };
        if ticket.is_some() || rules.is_some() {
            self.decide(rules.as_deref(), entry, ticket.as_ref(), request, peer)?;
        }
        let viewer = self.viewer(request, peer, ticket.as_ref());
        if ticket.is_some_and(|ticket| ticket.preview) {
            request.extensions_mut().insert(Viewer::Producer);
        }
        Ok(Admitted(viewer))
    }

    /// Whom a request comes from: the client, where a proxy that is trusted says who that is.
    pub(crate) fn client<B>(&self, request: &Request<B>, peer: SocketAddr) -> SocketAddr {
        SocketAddr::new(client::address(Some(peer.ip()), request.headers(), &self.proxies), peer.port())
    }

    /// Counts a viewer who got a manifest, or was told that it has not changed.
    pub(crate) fn count(&self, admitted: Admitted, path: &str, status: StatusCode) {
        let got = status.is_success() || status == StatusCode::NOT_MODIFIED;
        if let (true, Admitted(Some(viewer)), Some(audience)) = (got, admitted, &self.audience)
            && let Ok(Some(entry)) = entry(path)
        {
            let owner = self.doors.entry_of(entry);
            audience.note(owner.as_deref().unwrap_or(entry), viewer, Instant::now());
        }
    }

    fn verify(&self, token: &str) -> Result<Ticket, Denied> {
        let signer = self.doors.signer().ok_or(Denied::TokenSignature)?;
        signer.verify(token, SystemTime::now().into())
    }

    fn decide<B>(
        &self,
        rules: Option<&Rules>,
        entry: &str,
        ticket: Option<&Ticket>,
        request: &Request<B>,
        peer: Option<IpAddr>,
    ) -> Result<(), Denied> {
        let headers = request.headers();
        let visit = Visit {
            entry,
            ticket,
            referrer: text(headers, REFERER).or_else(|| text(headers, ORIGIN)),
            host: client::host(peer, request.uri(), headers, &self.proxies),
            address: client::address(peer, headers, &self.proxies),
            now: SystemTime::now().into(),
        };
        let open = Rules::default();
        let rules = rules.unwrap_or(&open);
        if is_page(request.uri().path()) { rules.decide_page(&visit) } else { rules.decide(&visit) }
    }

    /// A number for who asks for a manifest, that nobody can turn back: its seed is this process's own.
    fn viewer<B>(&self, request: &Request<B>, peer: Option<IpAddr>, ticket: Option<&Ticket>) -> Option<u64> {
        self.audience.as_ref()?;
        is_manifest(request.uri().path()).then(|| {
            let address = client::address(peer, request.headers(), &self.proxies);
            let agent = request.headers().get(USER_AGENT).map(|agent| agent.as_bytes());
            self.seed.hash_one((address, agent, ticket.map(|ticket| ticket.id.as_str())))
        })
    }
}

/// Takes `/t/TOKEN` off a path.
fn take_token(uri: &mut Uri) -> Result<Option<String>, Problem> {
    let Some((token, _)) = uri.path().strip_prefix("/t/").and_then(|rest| rest.split_once('/')) else {
        return Ok(None);
    };
    let token = token.to_owned();
    let below = uri.path_and_query().map_or("", PathAndQuery::as_str).get("/t/".len() + token.len()..);
    let below = below.filter(|below| BELOW_TOKEN.iter().any(|known| below.starts_with(known)));
    let below = below.ok_or(Problem::NoSuchPath)?.parse::<PathAndQuery>().map_err(|_| Problem::NoSuchPath)?;
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(below);
    *uri = Uri::from_parts(parts).map_err(|_| Problem::NoSuchPath)?;
    Ok(Some(token))
}

/// The entry that a path is of. One spelling of an id is legal: what a route would decode is not decided on.
fn entry(path: &str) -> Result<Option<&str>, Problem> {
    let Some(below) = OF_ENTRY.iter().find_map(|known| path.strip_prefix(known)) else { return Ok(None) };
    let entry = below.split('/').next().unwrap_or_default();
    let entry = if is_page(path) { entry } else { publishing_point(entry).0 };
    if is_entry_id(entry) { Ok(Some(entry)) } else { Err(Problem::NoSuchPath) }
}

fn is_page(path: &str) -> bool {
    !path.starts_with("/play/")
}

fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.ends_with(".m3u8") || name.ends_with(".mpd") || smooth::is_manifest(name)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(UNREADABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(target: &str) -> Result<(Option<String>, String), Problem> {
        let mut uri: Uri = target.parse().expect("a target");
        take_token(&mut uri).map(|token| (token, uri.to_string()))
    }

    #[test]
    fn a_token_comes_off_what_it_may_stand_before() {
        for (target, token, rest) in [
            ("/t/a.b.c/play/x/master.m3u8?s=1&y", Some("a.b.c"), "/play/x/master.m3u8?s=1&y"),
            ("/t//play/x/master.m3u8", Some(""), "/play/x/master.m3u8"),
            ("http://h/t/a/watch/x", Some("a"), "http://h/watch/x"),
            ("/t/a/assets/x.js", Some("a"), "/assets/x.js"),
            ("/play/x/master.m3u8?t=/t/a/", None, "/play/x/master.m3u8?t=/t/a/"),
            ("/t", None, "/t"),
            ("/t/a", None, "/t/a"),
            ("/", None, "/"),
        ] {
            assert_eq!(taken(target), Ok((token.map(str::to_owned), rest.to_owned())), "{target}");
        }
        for target in [
            "/t/a/metrics",
            "/t/a/api/v1/entries",
            "/t/a/t/b/play/x/time",
            "/t/a/",
            "/t/a//play/x/time",
            "/t/a/?/play/",
        ] {
            assert_eq!(taken(target), Err(Problem::NoSuchPath), "{target}");
        }
    }

    #[test]
    fn an_entry_has_one_spelling() {
        assert_eq!(entry("/play/x/master.m3u8"), Ok(Some("x")));
        assert_eq!(entry("/watch/0_k3x9p2ab"), Ok(Some("0_k3x9p2ab")));
        assert_eq!(entry("/embed/x/"), Ok(Some("x")));
        for path in ["/play/x.ism/Manifest", "/play/x.isml/QualityLevels(1)/Fragments(video=1)"] {
            assert_eq!(entry(path), Ok(Some("x")), "{path}");
        }
        for path in ["/metrics", "/assets/x.js", "/api/v1/play/x", "/"] {
            assert_eq!(entry(path), Ok(None), "{path}");
        }
        for path in ["/watch/%78", "/watch/x.ism", "/play/x.mp4/", "/embed/X", "/play//x", "/watch/"] {
            assert_eq!(entry(path), Err(Problem::NoSuchPath), "{path}");
        }
    }
}
