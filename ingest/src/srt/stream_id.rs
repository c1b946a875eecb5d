//! What a caller's stream id asks for: the access control syntax of the draft (Appendix B), and plain forms.
//!
//! | form | |
//! |---|---|
//! | `#!::r=KEY,m=publish` | `leg=backup` for the backup leg; a missing `m` means publish |
//! | `publish:KEY`, `publish/backup:KEY` | |
//! | `live/KEY`, `backup/KEY`, `KEY` | as in the path of an RTMP URL |
//!
//! A key may stand as `live/KEY` or `backup/KEY` in each of them. All of it, or the values of the first form alone, may
//! be percent-encoded: encoders take `#` for the beginning of a fragment. Names of the syntax that say nothing to this
//! server (`u`, `h`, `s`) and names of others' own are passed over; one that stands twice is refused.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use stream::Leg;

use crate::rtmp::name::StreamKey;

/// What a caller wants to publish.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamId {
    /// Which leg it names.
    pub leg: Leg,
    /// A stream key, or a key and a rendition. A secret.
    pub key: StreamKey,
}

/// A stream id that asks for nothing there is; the caller's fault. Stream ids hold secrets, so the text holds nothing
/// of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("no stream id; use streamid=publish:KEY")]
    Missing,
    /// It has no form that is known.
    #[error("stream id cannot be read; use publish:KEY or #!::r=KEY,m=publish")]
    Form,
    /// A name stands twice.
    #[error("a name stands twice in the stream id")]
    Twice,
    /// The key has characters that no key has, or too many.
    #[error("stream key is not 1 to 128 of A-Z, a-z, 0-9, _ and -")]
    Key,
    /// It wants to do something else than publish.
    #[error("only publishing is possible by SRT (m=publish)")]
    Mode,
    /// It wants to send something else than a stream.
    #[error("only streams can be published (t=stream)")]
    Type,
    /// The leg is neither.
    #[error("leg is not primary or backup")]
    Leg,
}

/// What begins the form of the access control syntax.
const STANDARD: &str = "#!::";

impl StreamId {
    /// Reads it, as it came in the handshake.
    pub fn parse(bytes: &[u8]) -> Result<StreamId, Error> {
        let text = std::str::from_utf8(bytes).map_err(|_| Error::Form)?;
        match text.strip_prefix(STANDARD) {
            _ if text.is_empty() => Err(Error::Missing),
            Some(pairs) => standard(pairs, decoded),
            None => {
                let text = decoded(text)?;
                match text.strip_prefix(STANDARD) {
                    Some(pairs) => standard(pairs, |value| Ok(value.into())),
                    None => plain(&text),
                }
            }
        }
    }
}

fn decoded(text: &str) -> Result<Cow<'_, str>, Error> {
    percent_decode_str(text).decode_utf8().map_err(|_| Error::Form)
}

/// `r=KEY,m=publish,leg=backup`.
fn standard<'a>(
    pairs: &'a str,
    value_of: impl Fn(&'a str) -> Result<Cow<'a, str>, Error>,
) -> Result<StreamId, Error> {
    let (mut resource, mut mode, mut kind, mut leg) = (None, None, None, None);
    for pair in pairs.split(',').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(Error::Form)?;
        let place = match name {
            "r" => &mut resource,
            "m" => &mut mode,
            "t" => &mut kind,
            "leg" => &mut leg,
            _ => continue,
        };
        if place.replace(value_of(value)?).is_some() {
            return Err(Error::Twice);
        }
    }
    match (mode.as_deref(), kind.as_deref()) {
        (Some(mode), _) if mode != "publish" => return Err(Error::Mode),
        (_, Some(kind)) if kind != "stream" => return Err(Error::Type),
        _ => {}
    }
    let leg = match leg.as_deref() {
        None => None,
        Some("primary") => Some(Leg::Primary),
        Some("backup") => Some(Leg::Backup),
        Some(_) => return Err(Error::Leg),
    };
    named(resource.as_deref().ok_or(Error::Form)?, leg)
}

/// `publish:KEY`, `publish/backup:KEY`, `live/KEY`, `KEY`.
fn plain(text: &str) -> Result<StreamId, Error> {
    match text.split_once(':') {
        None => named(text, None),
        Some(("publish", key)) => named(key, None),
        Some(("publish/live" | "publish/primary", key)) => named(key, Some(Leg::Primary)),
        Some(("publish/backup", key)) => named(key, Some(Leg::Backup)),
        Some(("play" | "request" | "read", _)) => Err(Error::Mode),
        Some(_) => Err(Error::Form),
    }
}

/// A key, with the leg before it or none. Where both are said they have to agree.
fn named(name: &str, said: Option<Leg>) -> Result<StreamId, Error> {
    let name = name.strip_prefix('/').unwrap_or(name);
    let (leg, key) = match name.split_once('/') {
        None => (said, name),
        Some(("live", key)) => (Some(Leg::Primary), key),
        Some(("backup", key)) => (Some(Leg::Backup), key),
        Some(_) => return Err(Error::Key),
    };
    if said.is_some() && leg != said {
        return Err(Error::Leg);
    }
    let key = StreamKey::parse(key).map_err(|_| Error::Key)?;
    Ok(StreamId { leg: leg.unwrap_or(Leg::Primary), key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Leg, String), Error> {
        StreamId::parse(text.as_bytes()).map(|id| (id.leg, id.key.into_secret()))
    }

    #[test]
    fn the_forms_that_encoders_use() {
        for text in [
            "publish:KEY_720p",
            "publish:live/KEY_720p",
            "publish%3AKEY_720p",
            "live/KEY_720p",
            "/live/KEY_720p",
            "KEY_720p",
            "#!::r=KEY_720p,m=publish",
            "#!::m=publish,r=KEY_720p",
            "#!::r=KEY_720p",
            "#!::r=live/KEY_720p",
            "#!::r=/live/KEY_720p,leg=primary,t=stream,u=me,h=example.org,s=1,own=x",
            "#!::u=%2C%3D,r=KEY%5F720p,m=publish",
            "%23!::r=KEY_720p,m=publish",
            "%23%21%3A%3Ar%3DKEY_720p%2Cm%3Dpublish",
        ] {
            assert_eq!(read(text), Ok((Leg::Primary, "KEY_720p".to_owned())), "{text}");
        }
        for text in [
            "publish/backup:KEY",
            "publish:backup/KEY",
            "backup/KEY",
            "#!::r=KEY,leg=backup",
            "#!::r=backup/KEY,m=publish",
            "%23!::r=KEY,m=publish,leg=backup",
        ] {
            assert_eq!(read(text), Ok((Leg::Backup, "KEY".to_owned())), "{text}");
        }
    }

    #[test]
    fn who_wants_something_else_is_told_what_is_possible() {
        for text in [
            "#!::r=K,m=request",
            "#!::r=K,m=play",
            "#!::m=bidirectional",
            "play:K",
            "request:K",
            "#!::r=K,m=",
        ] {
            assert_eq!(read(text), Err(Error::Mode), "{text}");
        }
        assert_eq!(read("#!::r=K,t=file"), Err(Error::Type));
        assert_eq!(read("#!::r=K,leg=third"), Err(Error::Leg));
        assert_eq!(read("#!::r=live/K,leg=backup"), Err(Error::Leg));
        assert_eq!(read("publish/backup:live/K"), Err(Error::Leg));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(read(""), Err(Error::Missing));
        for text in ["#!::", "#!::m=publish", "#!::r", "#!:{r=K}", "x:K", "publish/x:K", "%ff", "#!::r=%ff"] {
            assert!(matches!(read(text), Err(Error::Form | Error::Key)), "{text}");
        }
        assert_eq!(StreamId::parse(b"publish:\xff"), Err(Error::Form));
        assert_eq!(read("#!::r=K,r=L"), Err(Error::Twice));
        assert_eq!(read("#!::r=K,m=publish,m=publish"), Err(Error::Twice));
        let long = "k".repeat(129);
        for key in [
            "",
            "../../etc",
            "a/b",
            "live/",
            "a b",
            "a\nb",
            "a%",
            "%252e",
            "é",
            "\"'<>&",
            "live/live/K",
            &long,
        ] {
            for text in [format!("publish:{key}"), format!("#!::r={key}")] {
                assert_eq!(read(&text), Err(Error::Key), "{text:?}");
            }
        }
    }

    #[test]
    fn nothing_of_it_prints() {
        let id = StreamId::parse(b"publish:SECRET").expect("a form that is known");
        assert!(!format!("{id:?}").contains("SECRET"));
    }
}
