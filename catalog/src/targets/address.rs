//! URLs of targets, and the secrets that people paste with them.

use url::Url;

use super::Secrets;
use crate::error::Error;
use crate::secret::Secret;

/// By what a target is sent to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Protocol {
    /// RTMP over TCP.
    Rtmp,
    /// RTMP over TLS.
    Rtmps,
    /// SRT, as a caller.
    Srt,
}

/// A URL that was taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// What may be shown.
    pub url: String,
    /// By what.
    pub protocol: Protocol,
    /// What may not.
    pub secrets: Secrets,
}

impl Protocol {
    /// Its scheme in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Rtmp => "rtmp",
            Protocol::Rtmps => "rtmps",
            Protocol::Srt => "srt",
        }
    }

    /// Where it is listened for when a URL does not say; SRT has no such port.
    pub const fn port(self) -> Option<u16> {
        match self {
            Protocol::Rtmp => Some(1935),
            Protocol::Rtmps => Some(443),
            Protocol::Srt => None,
        }
    }
}

/// Takes a URL apart. The name behind the application of an RTMP URL is the key where none is given; `streamid` and
/// `passphrase` of an SRT URL are secrets. What is given beside the URL counts more than what is in it.
pub fn address(text: &str, secrets: Secrets) -> Result<Address, Error> {
    let url = Url::parse(text).map_err(|error| invalid(format!("is no URL: {error}")))?;
    let protocol = match url.scheme() {
        "rtmp" => Protocol::Rtmp,
        "rtmps" => Protocol::Rtmps,
        "srt" => Protocol::Srt,
        _ => return Err(invalid("is not rtmp://, rtmps:// or srt://")),
    };
    if url.host_str().is_none_or(str::is_empty) || url.port() == Some(0) {
        return Err(invalid("names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("has a user or a password in it, which nobody is sent"));
    }
    if url.fragment().is_some() {
        return Err(invalid("has a fragment, which no server is ever sent"));
    }
    match protocol {
        Protocol::Rtmp | Protocol::Rtmps => rtmp(url, protocol, secrets),
        Protocol::Srt => srt(url, secrets),
    }
}

fn rtmp(mut url: Url, protocol: Protocol, mut secrets: Secrets) -> Result<Address, Error> {
    let query = url.query().map(|query| format!("?{query}"));
    url.set_query(None);
    let mut path = url.path().trim_matches('/').to_owned();
    match &secrets.key {
        Some(_) if query.is_some() => {
            return Err(invalid("has a query: what belongs to the key goes with it"));
        }
        Some(_) => {}
        None => {
            let (app, key) = path.rsplit_once('/').ok_or_else(|| {
                Error::invalid("stream_key", "is missing: RTMP publishes a name in an application")
            })?;
            secrets.key = Some(Secret::new(format!("{key}{}", query.unwrap_or_default())));
            path = app.trim_end_matches('/').to_owned();
        }
    }
    if path.is_empty() {
        return Err(invalid("names no application, as rtmp://HOST/APP"));
    }
    url.set_path(&path);
    Ok(Address { url: url.into(), protocol, secrets })
}

fn srt(mut url: Url, mut secrets: Secrets) -> Result<Address, Error> {
    if url.port().is_none() {
        return Err(invalid("names no port: SRT has none of its own"));
    }
    if !matches!(url.path(), "" | "/") {
        return Err(invalid("has a path: what is published goes into stream_key"));
    }
    let mut shown = Vec::new();
    for (name, value) in url.query_pairs() {
        match (&*name, &*value) {
            ("streamid", id) => {
                secrets.key.get_or_insert_with(|| Secret::new(id));
            }
            ("passphrase", passphrase) => {
                secrets.passphrase.get_or_insert_with(|| Secret::new(passphrase));
            }
            ("mode", "caller") | ("transtype", "live") => {}
            // Milliseconds.
            ("latency", latency) if latency.parse().is_ok_and(|it: u16| it <= 20_000) => {
                shown.push(format!("latency={latency}"));
            }
            ("pbkeylen", length @ ("16" | "24" | "32")) => shown.push(format!("pbkeylen={length}")),
            (name, _) => {
                let name: String = name.chars().take(40).collect();
                return Err(invalid(format!("has a parameter that cannot be used: {name:?}")));
            }
        }
    }
    url.set_path("");
    let query = shown.join("&");
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    Ok(Address { url: url.into(), protocol: Protocol::Srt, secrets })
}

fn invalid(problem: impl Into<String>) -> Error {
    Error::invalid("url", problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(text: &str, key: Option<&str>) -> Result<(String, Option<String>, Option<String>), Error> {
        let secrets = Secrets { key: key.map(Secret::new), passphrase: None };
        let Address { url, secrets, .. } = address(text, secrets)?;
        let shown = |secret: Option<Secret>| secret.map(|it| it.expose().to_owned());
        Ok((url, shown(secrets.key), shown(secrets.passphrase)))
    }

    #[test]
    fn what_is_secret_is_taken_out_of_the_url() {
        for (text, key, url, found) in [
            ("rtmp://a.example/live/abc", None, "rtmp://a.example/live", "abc"),
            ("rtmp://a.example/live/", Some("abc"), "rtmp://a.example/live", "abc"),
            ("rtmps://a.example:443/rtmp", Some("x?s_bl=1"), "rtmps://a.example:443/rtmp", "x?s_bl=1"),
            ("rtmp://a.example/app/inst/abc?auth=1", None, "rtmp://a.example/app/inst", "abc?auth=1"),
            ("srt://a.example:9000?streamid=publish%3Aabc", None, "srt://a.example:9000", "publish:abc"),
            ("srt://[::1]:9000/?latency=200&mode=caller", Some("k"), "srt://[::1]:9000?latency=200", "k"),
        ] {
            let (shown, secret, _) = apart(text, key).unwrap();
            assert_eq!((&*shown, secret.as_deref()), (url, Some(found)), "{text}");
            let again = apart(&shown, Some(found)).map(|it| it.0);
            assert_eq!(again.as_deref(), Ok(url), "it is read as it is written");
        }
        let (url, key, passphrase) = apart("srt://h:1?passphrase=0123456789", None).unwrap();
        assert_eq!((&*url, key, passphrase.as_deref()), ("srt://h:1", None, Some("0123456789")));
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        for text in [
            "",
            "http://a.example/live/abc",
            "rtmp:///live/abc",
            "rtmp://a.example",
            "rtmp://a.example/live",
            "rtmp://user:pass@a.example/live/abc",
            "rtmp://a.example/live/abc#x",
            "rtmp://a.example:0/live/abc",
            "srt://a.example",
            "srt://a.example:9000/path",
            "srt://a.example:9000?mode=listener",
            "srt://a.example:9000?latency=-5",
            "srt://a.example:9000?unknown=1",
        ] {
            assert!(apart(text, None).is_err(), "{text}");
        }
        assert!(apart("rtmp://a.example/live?x=1", Some("abc")).is_err(), "a query beside a key");
    }
}
