//! What a request's path and query ask for.

use packager::names::{Resource, is_entry_id};

use crate::problem::Problem;

/// The entry and the resource of a path, as it came: nothing of ours needs percent-encoding, so that no body
/// has two URLs and no path leaves its place.
pub(crate) fn parse(path: &str) -> Result<(&str, Resource), Problem> {
    let below = path.strip_prefix("/play/").and_then(|path| path.split_once('/'));
    let (entry, name) = below.ok_or(Problem::NoSuchPath)?;
    if !is_entry_id(entry) {
        return Err(Problem::NoSuchPath);
    }
    Ok((entry, Resource::parse(name).ok_or(Problem::NoSuchPath)?))
}

/// The session that a query names (`s=N`, at most once). Other keys are not ours to judge.
pub(crate) fn session(query: Option<&str>) -> Result<Option<u64>, Problem> {
    let mut values = query.unwrap_or_default().split('&').filter_map(|pair| match pair.split_once('=') {
        Some(("s", value)) => Some(value),
        None if pair == "s" => Some(""),
        _ => None,
    });
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => decimal(value).map(Some).ok_or(Problem::BadSession),
        (Some(_), Some(_)) => Err(Problem::BadSession),
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
