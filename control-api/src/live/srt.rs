//! How a live entry is published to by SRT.

use catalog::entry::PASSPHRASE;
use catalog::{LiveSettings, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::clearable;
use crate::check::Check;

/// How the entry is published to by SRT.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LiveSrtPatch)]
pub(crate) struct SrtPatch {
    /// What encoders have to encrypt with: 10 to 79 bytes. `null`: they must not encrypt. It holds for connections that
    /// begin from then on.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 79, pattern = r"^[^\u0000]*$")]
    passphrase: Option<Option<String>>,
}

/// How to publish by SRT, for each leg.
#[derive(Serialize, ToSchema)]
pub(super) struct SrtLegs {
    /// Of the primary leg.
    #[schema(required)]
    primary: Option<Srt>,
    /// Of the backup leg.
    #[schema(required)]
    backup: Option<Srt>,
}

/// How to publish by SRT.
#[derive(Serialize, ToSchema)]
struct Srt {
    /// All of it in one.
    url: String,
    /// The host.
    host: String,
    /// The port.
    port: u16,
    /// The stream id.
    streamid: String,
    /// The passphrase, where the entry has one.
    #[schema(required)]
    passphrase: Option<String>,
}

impl SrtPatch {
    pub(crate) fn apply(&self, settings: &mut LiveSettings, check: &mut Check) {
        let Some(passphrase) = &self.passphrase else { return };
        if let Some(text) = passphrase {
            let (least, most) = (PASSPHRASE.start(), PASSPHRASE.end());
            let legal = PASSPHRASE.contains(&text.len()) && !text.contains('\0');
            check.ensure(legal, "srt.passphrase", || format!("is not {least} to {most} bytes"));
        }
        settings.srt_passphrase = passphrase.as_deref().map(Secret::new);
    }
}

impl SrtLegs {
    /// With the keys of both legs. Who asks may see them.
    pub(super) fn new(
        (host, port): (&str, u16),
        (primary, backup): (Option<&Secret>, Option<&Secret>),
        passphrase: Option<&Secret>,
    ) -> SrtLegs {
        let leg = |form: &str, key: &Secret| {
            Srt::new((host, port), format!("{form}:{}", key.expose()), passphrase.map(Secret::expose))
        };
        SrtLegs {
            primary: primary.map(|key| leg("publish", key)),
            backup: backup.map(|key| leg("publish/backup", key)),
        }
    }
}

impl Srt {
    fn new((host, port): (&str, u16), streamid: String, passphrase: Option<&str>) -> Srt {
        // Encoders read the query in their own ways: what may stand in it as it is, is plain.
        let encoded = |text: &str| {
            text.bytes().fold(String::new(), |mut url, byte| {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'/' => {
                        url.push(char::from(byte));
                    }
                    _ => url.push_str(&format!("%{byte:02X}")),
                }
                url
            })
        };
        let mut url = format!("srt://{host}:{port}?streamid={}", encoded(&streamid));
        if let Some(passphrase) = passphrase {
            url += &format!("&passphrase={}", encoded(passphrase));
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Srt { url, host, port, streamid, passphrase: passphrase.map(str::to_owned) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_stands_in_the_url() {
        let (key, passphrase) = (Secret::new("key"), Secret::new("correct horse & co"));
        let legs = SrtLegs::new(("[::1]", 8890), (Some(&key), None), Some(&passphrase));
        let primary = legs.primary.expect("there is a key");
        assert_eq!(
            primary.url,
            "srt://[::1]:8890?streamid=publish:key&passphrase=correct%20horse%20%26%20co"
        );
        assert_eq!((primary.host.as_str(), primary.streamid.as_str()), ("::1", "publish:key"));
        assert!(legs.backup.is_none());
        let legs = SrtLegs::new(("example.org", 1), (None, Some(&key)), None);
        let backup = legs.backup.expect("there is a key");
        assert_eq!(backup.url, "srt://example.org:1?streamid=publish/backup:key");
    }
}
