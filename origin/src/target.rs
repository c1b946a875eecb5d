//! What a request's path and query ask for.

use packager::manifest::Options;
use packager::names::smooth::publishing_point;
use packager::names::{Resource, is_entry_id};

use crate::problem::Problem;

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
    Ok(Query { session, options: Options { pinned: session.is_some(), low_latency } })
}

/// The value of a key, which may be there once.
fn only<'a>(query: &'a str, key: &str) -> Result<Option<&'a str>, ()> {
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

/// A number with its one spelling.
fn decimal(text: &str) -> Option<u64> {
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
