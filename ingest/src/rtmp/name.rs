//! What a publisher's URL names: `rtmp://HOST/live/KEY` and its variations.

use std::fmt;

use stream::Leg;

/// The longest stream key.
pub const MAX_KEY: usize = 128;

/// The application of a connection: `live` or `backup`, and a key if the encoder put it there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct App {
    /// Which leg the application stands for.
    pub leg: Leg,
    /// What followed it, for encoders that then publish an empty name.
    pub instance: Option<StreamKey>,
}

/// A stream key, or a key and a rendition joined by `_`: 1 to 128 of `A-Z a-z 0-9 _ -`.
///
/// This is the one place where a name from an RTMP peer is let in. It is a secret, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey(String);

/// A name that cannot be published to; the publisher's fault. Names are secrets, so the text holds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The application is not one of ours.
    #[error("unknown application; publish to /live/KEY or /backup/KEY")]
    UnknownApp,
    /// Neither the URL's path nor the publish command has a key.
    #[error("no stream key; publish to /live/KEY or /backup/KEY")]
    NoKey,
    /// The key has characters that no key has, or too many.
    #[error("stream key is not 1 to 128 of A-Z, a-z, 0-9, _ and -")]
    BadKey,
}

impl App {
    /// Reads the `app` of a connect command, or the path of its `tcUrl` when `app` is missing.
    ///
    /// What follows a `?` is dropped.
    pub fn parse(app: &str, tc_url: &str) -> Result<App, Error> {
        let path = if app.is_empty() { url_path(tc_url) } else { app };
        let path = without_query(path).trim_matches('/');
        let (name, instance) = path.split_once('/').unwrap_or((path, ""));
        let leg = match name {
            "live" => Leg::Primary,
            "backup" => Leg::Backup,
            _ => return Err(Error::UnknownApp),
        };
        Ok(App { leg, instance: StreamKey::parse(instance).ok() })
    }

    /// The key of a publish command: its name, or the instance when the name is empty.
    pub fn key(&self, name: &str) -> Result<StreamKey, Error> {
        match StreamKey::parse(without_query(name).trim_matches('/')) {
            Err(Error::NoKey) => self.instance.clone().ok_or(Error::NoKey),
            other => other,
        }
    }
}

impl StreamKey {
    pub(crate) fn parse(key: &str) -> Result<StreamKey, Error> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        match key.len() {
            0 => Err(Error::NoKey),
            1..=MAX_KEY if key.bytes().all(allowed) => Ok(StreamKey(key.to_owned())),
            _ => Err(Error::BadKey),
        }
    }

    /// The secret itself.
    pub fn into_secret(self) -> String {
        self.0
    }
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamKey(…)")
    }
}

fn url_path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split_once('/').map_or("", |(_, path)| path)
}

fn without_query(path: &str) -> &str {
    path.split_once('?').map_or(path, |(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(app: &str, tc_url: &str, name: &str) -> Result<(Leg, String), Error> {
        let app = App::parse(app, tc_url)?;
        Ok((app.leg, app.key(name)?.into_secret()))
    }

    #[test]
    fn where_encoders_put_the_key() {
        let primary = Ok((Leg::Primary, "KEY_720p".to_owned()));
        assert_eq!(key("live", "rtmp://host:1935/live", "KEY_720p"), primary);
        assert_eq!(key("live/", "rtmp://host/live/", "KEY_720p?user=x&y=/z"), primary);
        assert_eq!(key("/live", "", "/KEY_720p"), primary);
        assert_eq!(key("live?token=1", "", "KEY_720p"), primary);
        assert_eq!(key("live/KEY_720p", "", ""), primary);
        assert_eq!(key("live/KEY_720p?x=y", "", "?z"), primary);
        assert_eq!(key("live/_definst_", "", "KEY_720p"), primary);
        assert_eq!(key("", "rtmp://[::1]:1935/live/KEY_720p?x", ""), primary);
        assert_eq!(key("", "rtmp://host/live", "KEY_720p"), primary);
        assert_eq!(key("backup", "", "KEY"), Ok((Leg::Backup, "KEY".to_owned())));
    }

    #[test]
    fn other_applications_are_refused() {
        for app in ["", "vod", "LIVE", "live2", "../live", "live\0", "%6cive"] {
            assert_eq!(key(app, "rtmp://host", "KEY"), Err(Error::UnknownApp), "{app:?}");
        }
    }

    #[test]
    fn keys_with_other_characters_are_refused() {
        let long = "k".repeat(129);
        for name in ["../../etc", "a/b", "%2e%2e", "a\0", "é", "\"'<>&", "a\nb", "a b", &long] {
            assert_eq!(key("live", "", name), Err(Error::BadKey), "{name:?}");
        }
        assert_eq!(key("live", "", ""), Err(Error::NoKey));
        assert_eq!(key("live/../..", "", ""), Err(Error::NoKey));
        assert!(key("live", "", &"k".repeat(128)).is_ok());
    }

    #[test]
    fn a_key_does_not_print() {
        let key = App::parse("live", "").and_then(|app| app.key("SECRET")).expect("valid");
        assert!(!format!("{key:?}").contains("SECRET"));
    }
}
