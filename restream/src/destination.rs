//! Where a target is, out of what the catalog keeps of it.

use std::fmt;
use std::time::Duration;

use catalog::targets::{Protocol, Secrets, address};
use url::Url;

use crate::rtmp;

/// Where a target is, and what it is sent with. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) protocol: Protocol,
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What may be shown.
    pub(crate) url: String,
    /// The application of RTMP.
    app: String,
    /// How long SRT may take to send again what was lost.
    pub(crate) latency: Option<Duration>,
    /// Bytes of the key of SRT.
    pub(crate) key_length: Option<u8>,
    pub(crate) secrets: Secrets,
}

impl Destination {
    /// `None` where it is no URL of a target, which the catalog would not have taken.
    pub(crate) fn parse(text: &str, secrets: Secrets) -> Option<Destination> {
        let it = address(text, secrets).ok()?;
        let url = Url::parse(&it.url).ok()?;
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port().or(it.protocol.port())?;
        let query =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        Some(Destination {
            protocol: it.protocol,
            host,
            port,
            app: url.path().trim_start_matches('/').to_owned(),
            latency: query("latency").and_then(|it| it.parse().ok()).map(Duration::from_millis),
            key_length: query("pbkeylen").and_then(|it| it.parse().ok()),
            url: it.url,
            secrets: it.secrets,
        })
    }

    /// The publication, where it is one of RTMP.
    pub(crate) fn publication(&self) -> rtmp::Where {
        rtmp::Where { app: self.app.clone(), tc_url: self.url.clone(), key: self.key().to_owned() }
    }

    /// The stream key of RTMP, the stream id of SRT.
    pub(crate) fn key(&self) -> &str {
        self.secrets.key.as_ref().map_or("", |key| key.expose())
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use catalog::Secret;

    use super::*;

    #[test]
    fn where_a_target_is() {
        let secrets = || Secrets { key: Some(Secret::new("k")), passphrase: None };
        for (text, host, port, app) in [
            ("rtmp://a.example/live", "a.example", 1935, "live"),
            ("rtmps://a.example/app/instance", "a.example", 443, "app/instance"),
            ("rtmp://[::1]:1936/live", "::1", 1936, "live"),
            ("srt://127.0.0.1:9000?latency=200", "127.0.0.1", 9000, ""),
        ] {
            let to = Destination::parse(text, secrets()).expect("a target");
            assert_eq!((&*to.host, to.port, &*to.app), (host, port, app), "{text}");
            assert_eq!(to.latency, text.contains("latency").then(|| Duration::from_millis(200)));
            assert!(!format!("{to:?}").contains('k') || text.contains('k'));
        }
    }
}
