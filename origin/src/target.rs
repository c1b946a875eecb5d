//! What a request's path and query ask for.

use packager::manifest::{Options, hls};
use packager::names::smooth::publishing_point;
use packager::names::{Resource, is_entry_id};
use packager::window::Asked;

use crate::problem::Problem;
use crate::span;

/// The entry and the resource of a path, as it came: nothing of ours needs percent-encoding, so that no body
/// has two URLs and no path leaves its place. Smooth is the exception, whose clients have spellings of their own.
pub(crate) fn parse(path: &str) -> Result<(&str, Resource), Problem> {
    let below = path.strip_prefix("/play/").and_then(|path| path.split_once('/'));
    let (entry, name) = below.ok_or(Problem::NoSuchPath)?;
    let (entry, smooth_alone) = publishing_point(entry);
    let resource = Resource::parse(name).filter(|it| !smooth_alone || it.is_smooth());
    match resource {
        Some(resource) if is_entry_id(entry) => Ok((entry, resource)),
        _ => Err(Problem::NoSuchPath),
    }
}

/// What a query asks of a manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Query {
    /// The session that it names (`s=N`).
    pub(crate) session: Option<u64>,
    /// The window that it asks for (`start=…&end=…`).
    pub(crate) asked: Option<Asked>,
    /// What it wants of the manifest's form.
    pub(crate) options: Options,
}

/// Reads a query. Keys that are not ours are not ours to judge; ours come at most once.
pub(crate) fn query(query: Option<&str>) -> Result<Query, Problem> {
    let query = query.unwrap_or_default();
    let session = match only(query, "s").map_err(|()| Problem::BadSession)? {
        None => None,
        Some(value) => Some(decimal(value).ok_or(Problem::BadSession)?),
    };
    let low_latency = match only(query, "ll").map_err(|()| Problem::BadLowLatency)? {
        None | Some("1") => true,
        Some("0") => false,
        Some(_) => return Err(Problem::BadLowLatency),
    };
    let asked = window(query)?;
    // Who looks back is not at the edge, and a player that is would not ask for a window.
    let low_latency = low_latency && asked.is_none();
    Ok(Query {
        session,
        asked,
        options: Options { pinned: session.is_some(), low_latency, ..Options::default() },
    })
}

/// What a query asks of a media playlist by way of Delivery Directives (RFC 8216bis §6.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Directives {
    /// What the playlist has to list (`_HLS_msn`, `_HLS_part`).
    pub(crate) reload: Option<hls::Directives>,
    /// Whether what is old may be left out (`_HLS_skip`).
    pub(crate) skip: bool,
}

/// Reads the directives of a query. Their order means nothing, each comes at most once.
pub(crate) fn directives(query: Option<&str>) -> Result<Directives, Problem> {
    let query = query.unwrap_or_default();
    let number = |key, problem: Problem| match only(query, key).map_err(|()| problem)? {
        Some(value) => integer(value).map(Some).ok_or(problem),
        None => Ok(None),
    };
    let (msn, part) = (number("_HLS_msn", Problem::BadMsn)?, number("_HLS_part", Problem::BadPart)?);
    let reload = match (msn, part) {
        (None, Some(_)) => return Err(Problem::PartWithoutMsn),
        (msn, part) => msn.map(|msn| hls::Directives { msn, part }),
    };
    // There are no date ranges to leave out, so that v2 asks for the same.
    let skip = match only(query, "_HLS_skip").map_err(|()| Problem::BadSkip)? {
        None => false,
        Some("YES" | "v2") => true,
        Some(_) => return Err(Problem::BadSkip),
    };
    Ok(Directives { reload, skip })
}

fn window(query: &str) -> Result<Option<Asked>, Problem> {
    let start = only(query, "start").map_err(|()| Problem::BadStart)?;
    let end = only(query, "end").map_err(|()| Problem::BadEnd)?;
    span::window(start, end)
}

/// The timeline that a query names (`timeline=NAME`). A session is a timeline already.
pub(crate) fn timeline(query: Option<&str>) -> Result<Option<&str>, Problem> {
    let query = query.unwrap_or_default();
    let Some(name) = only(query, "timeline").map_err(|()| Problem::BadTimeline)? else { return Ok(None) };
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let named = (1..=32).contains(&name.len()) && name.bytes().all(plain);
    let alone = only(query, "s") == Ok(None);
    if named && alone { Ok(Some(name)) } else { Err(Problem::BadTimeline) }
}

/// The value of a key, which may be there once.
pub(crate) fn only<'a>(query: &'a str, key: &str) -> Result<Option<&'a str>, ()> {
    let mut values = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some((name, value)) if name == key => Some(value),
        None if pair == key => Some(""),
        _ => None,
    });
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        _ => Err(()),
    }
}

/// A decimal-integer (RFC 8216bis §4.2).
fn integer(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A number with its one spelling.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(text: Option<&str>) -> Result<Option<u64>, Problem> {
        query(text).map(|query| query.session)
    }

    #[test]
    fn low_latency_is_on_unless_switched_off() {
        let low_latency = |text| query(Some(text)).map(|query| query.options.low_latency);
        assert_eq!(
            (low_latency(""), low_latency("ll=1"), low_latency("s=1&ll=0")),
            (Ok(true), Ok(true), Ok(false))
        );
        for text in ["ll", "ll=", "ll=2", "ll=0&ll=0", "ll=no"] {
            assert_eq!(low_latency(text), Err(Problem::BadLowLatency), "{text}");
        }
    }

    #[test]
    fn a_session_is_one_decimal_number() {
        assert_eq!(session(None), Ok(None));
        assert_eq!(session(Some("")), Ok(None));
        assert_eq!(session(Some("x=1&_HLS_msn=7&ss=2")), Ok(None));
        assert_eq!(session(Some("x&s=17&y")), Ok(Some(17)));
        assert_eq!(session(Some("s=18446744073709551615")), Ok(Some(u64::MAX)));
        for query in [
            "s",
            "s=",
            "s=+1",
            "s=-1",
            "s=1&s=1",
            "s=1&s",
            "s=01",
            "s=1%30",
            "s=18446744073709551616",
            "s=1.0",
            "s= 1",
        ] {
            assert_eq!(session(Some(query)), Err(Problem::BadSession), "{query}");
        }
    }

    #[test]
    fn delivery_directives_come_in_any_order_and_once() {
        let asked = |msn, part| Some(hls::Directives { msn, part });
        for (text, reload, skip) in [
            ("", None, false),
            ("s=1&ll=1&x", None, false),
            ("_HLS_msn=7", asked(7, None), false),
            ("_HLS_msn=7&_HLS_part=0", asked(7, Some(0)), false),
            ("_HLS_part=3&s=1&_HLS_skip=YES&_HLS_msn=007", asked(7, Some(3)), true),
            ("_HLS_skip=v2", None, true),
            ("_HLS_msn=18446744073709551615", asked(u64::MAX, None), false),
        ] {
            assert_eq!(directives(Some(text)), Ok(Directives { reload, skip }), "{text}");
        }
    }

    /// RFC 8216bis §6.2.5.2: Bad Request, and never an error of the server's own.
    #[test]
    fn directives_that_are_nonsense_are_refused() {
        for (problem, texts) in [
            (Problem::PartWithoutMsn, &["_HLS_part=0"][..]),
            (Problem::BadMsn, &["_HLS_msn", "_HLS_msn=", "_HLS_msn=-1", "_HLS_msn=1.5", "_HLS_msn=%31"]),
            (Problem::BadMsn, &["_HLS_msn=1&_HLS_msn=1", "_HLS_msn=18446744073709551616", "_HLS_msn=x"]),
            (Problem::BadPart, &["_HLS_msn=1&_HLS_part=", "_HLS_part=1&_HLS_msn=1&_HLS_part=1"]),
            (Problem::BadPart, &["_HLS_msn=1&_HLS_part=+1", "_HLS_msn=1&_HLS_part=1 "]),
            (Problem::BadSkip, &["_HLS_skip", "_HLS_skip=NO", "_HLS_skip=yes", "_HLS_skip=YES&_HLS_skip=v2"]),
        ] {
            for text in texts {
                assert_eq!(directives(Some(text)), Err(problem), "{text}");
            }
        }
    }

    #[test]
    fn a_window_is_asked_for_once_and_is_never_at_the_edge() {
        let options =
            |text| query(Some(text)).map(|query| (query.asked.is_some(), query.options.low_latency));
        assert_eq!(options("start=1&end=2.5"), Ok((true, false)));
        assert_eq!(options("end=2026-11-22T10:00:00Z&ll=1"), Ok((true, false)));
        assert_eq!(options("starts=1"), Ok((false, true)));
        for (text, problem) in [
            ("start", Problem::BadStart),
            ("start=", Problem::BadStart),
            ("start=1&start=1", Problem::BadStart),
            ("start=1&end=yesterday", Problem::BadEnd),
            ("end=1&end=2", Problem::BadEnd),
        ] {
            assert_eq!(options(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_timeline_is_one_plain_name_and_no_session_beside_it() {
        assert_eq!(timeline(None), Ok(None));
        assert_eq!(timeline(Some("ll=0&timeline=day-1")), Ok(Some("day-1")));
        let long = format!("timeline={}", "a".repeat(33));
        for text in [
            "timeline",
            "timeline=",
            "timeline=A",
            "timeline=a%20",
            "timeline=a&timeline=a",
            "timeline=a&s=1",
            &long,
        ] {
            assert_eq!(timeline(Some(text)), Err(Problem::BadTimeline), "{text}");
        }
    }

    #[test]
    fn only_our_paths_are_read() {
        assert_eq!(parse("/play/0_k3x9p2ab/master.m3u8"), Ok(("0_k3x9p2ab", Resource::Multivariant)));
        for path in [
            "/",
            "/play",
            "/play/",
            "/play/x",
            "/play/x/",
            "/play//master.m3u8",
            "/play/x/master%2Em3u8",
            "/play/../master.m3u8",
            "/play/x/../x/master.m3u8",
            "/play/%78/master.m3u8",
            "/play/x/%00",
            "//play/x/master.m3u8",
            "/play/x//master.m3u8",
        ] {
            assert_eq!(parse(path), Err(Problem::NoSuchPath), "{path}");
        }
    }
}
