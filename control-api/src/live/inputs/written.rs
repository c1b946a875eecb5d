//! Inputs as they are written: what a body may say, and what is wrong with it.

use address::InputUrl;
use catalog::inputs::{Details, NAME, RENDITION};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::{clearable, given};
use crate::check::Check;
use crate::inputs::InputRules;
use crate::problem::Problem;

/// What an input is created from. A URL is enough.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInput {
    /// Where media comes from, which is MPEG-TS: `srt://HOST:PORT?streamid=…&passphrase=…&pbkeylen=…&latency=…` calls an SRT
    /// listener (latency in milliseconds), `udp://0.0.0.0:5000` receives datagrams,
    /// `udp://239.1.1.1:5000?interface=…&source=…` joins a multicast group, `tcp://HOST:PORT` connects,
    /// `tcp://0.0.0.0:5000?listen` waits for a sender.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = "^(srt|udp|tcp)://.+$",
        example = "srt://encoder.example.org:9000?latency=200"
    )]
    url: String,
    /// Its name, for people.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 200, pattern = r"^[^\u0000]*$")]
    name: Option<Option<String>>,
    /// The rendition of a switching set that it brings, as in a push to `KEY_720p`.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32, pattern = "^[a-z0-9]+$", example = "720p")]
    rendition: Option<Option<String>>,
    /// Whether it runs; it does when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// What of an input is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InputPatch {
    /// Where media comes from.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2000, pattern = "^(srt|udp|tcp)://.+$")]
    url: Option<String>,
    /// Its name, for people.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 200, pattern = r"^[^\u0000]*$")]
    name: Option<Option<String>>,
    /// The rendition of a switching set that it brings; `null` of none.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32, pattern = "^[a-z0-9]+$")]
    rendition: Option<Option<String>>,
    /// Whether it runs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

impl NewInput {
    pub(super) fn checked(self, rules: InputRules) -> Result<Details, Problem> {
        let mut check = Check::default();
        let url = url(&self.url, rules, &mut check);
        let patch =
            InputPatch { url: None, name: self.name, rendition: self.rendition, enabled: self.enabled };
        match url {
            Some(url) => {
                let details = Details { name: String::new(), url, rendition: None, enabled: true };
                let details = patch.apply(details, rules, &mut check);
                check.done().map(|()| details)
            }
            None => Err(check.done().err().unwrap_or_else(|| Problem::invalid_field("url", "cannot be"))),
        }
    }
}

impl InputPatch {
    pub(super) fn applied(self, details: Details, rules: InputRules) -> Result<Details, Problem> {
        let mut check = Check::default();
        let details = self.apply(details, rules, &mut check);
        check.done().map(|()| details)
    }

    fn apply(self, mut details: Details, rules: InputRules, check: &mut Check) -> Details {
        if let Some(url) = self.url.and_then(|text| url(&text, rules, check)) {
            details.url = url;
        }
        if let Some(name) = self.name {
            details.name = name.unwrap_or_default();
            check.text("name", &details.name, NAME);
        }
        if let Some(rendition) = self.rendition {
            let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let fits = |it: &String| (1..=RENDITION).contains(&it.len()) && it.bytes().all(legal);
            let fits = rendition.as_ref().is_none_or(fits);
            check.ensure(fits, "rendition", || format!("is not 1 to {RENDITION} of a-z 0-9"));
            details.rendition = rendition;
        }
        details.enabled = self.enabled.unwrap_or(details.enabled);
        details
    }
}

/// A URL that an input of the API may have. Names are looked at again when they are called.
fn url(text: &str, rules: InputRules, check: &mut Check) -> Option<InputUrl> {
    let url = InputUrl::parse(text).map_err(|wrong| check.wrong("url", wrong.to_string())).ok()?;
    match url.source().called() {
        None => check.ensure(rules.listen, "url", || {
            "opens a port of the server, which it does not allow (input.allow_listen)".to_owned()
        }),
        Some(host) => {
            let private = host.address().is_some_and(|ip| !address::is_public(ip));
            check.ensure(rules.private || !private, "url", || {
                "calls an address that only the server's own network reaches, which it does not allow \
                 (input.allow_private)"
                    .to_owned()
            });
        }
    }
    Some(url)
}
