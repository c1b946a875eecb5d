//! Stream keys from `[[streams]]`.

use std::collections::HashMap;
use std::sync::Arc;

use config::{LiveEntry, Secret, split_rendition};
use stream::{Air, ForGood, Grant, Leg, Refusal, Request, Settings};

/// Lets in who has a key that the configuration names.
///
/// A key is looked up by its hash, whose seed is the process's own: how long that takes tells nothing about a key.
pub(super) struct FixedKeys {
    entries: HashMap<String, Arc<str>>,
    passphrases: HashMap<Arc<str>, Secret>,
    settings: Arc<Settings>,
}

impl FixedKeys {
    pub(super) fn new(streams: &[LiveEntry], settings: Arc<Settings>) -> FixedKeys {
        let pair = |live: &LiveEntry| (live.key.expose().to_owned(), live.entry.as_str().into());
        let secret = |live: &LiveEntry| Some((live.entry.as_str().into(), live.passphrase.clone()?));
        FixedKeys {
            entries: streams.iter().map(pair).collect(),
            passphrases: streams.iter().filter_map(secret).collect(),
            settings,
        }
    }

    /// Refuses as unknown what somebody else may know.
    pub(super) fn decide(&self, request: &Request) -> Result<Grant, Refusal> {
        let (entry, rendition) = self.find(&request.name).ok_or(Refusal::UnknownKey)?;
        match request.leg {
            Leg::Primary => Ok(self.grant(entry, rendition)),
            Leg::Backup => Err(unsupported("the backup leg", "publish to /live/KEY")),
        }
    }

    /// What the publisher of that name encrypts with, where the name is known here.
    pub(super) fn passphrase(&self, name: &str) -> Option<Option<String>> {
        let (entry, _) = self.find(name)?;
        Some(self.passphrases.get(entry).map(|secret| secret.expose().to_owned()))
    }

    /// What the server takes by itself for an entry that is named here, without a key.
    pub(super) fn for_input(&self, entry: &str, rendition: Option<&str>) -> Option<Grant> {
        let entry = self.entries.values().find(|known| ***known == *entry)?;
        Some(self.grant(entry, rendition))
    }

    /// A name is a key, or a key and a rendition.
    fn find<'a>(&self, name: &'a str) -> Option<(&Arc<str>, Option<&'a str>)> {
        if let Some(entry) = self.entries.get(name) {
            return Some((entry, None));
        }
        let (key, rendition) = split_rendition(name)?;
        Some((self.entries.get(key)?, Some(rendition)))
    }

    fn grant(&self, entry: &Arc<str>, rendition: Option<&str>) -> Grant {
        Grant {
            entry: entry.clone(),
            leg: Leg::Primary,
            rendition: rendition.map(str::to_owned),
            settings: self.settings.clone(),
            air: Air::Live,
            pass: Arc::new(ForGood),
        }
    }
}

pub(super) fn unsupported(what: &str, instead: &str) -> Refusal {
    Refusal::Unsupported(format!("{what}: not supported by this version; {instead}"))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use config::Config;
    use stream::Protocol;

    use super::*;

    /// The entry that is granted with its rendition, or the reason of the refusal.
    fn check(name: &str, leg: Leg, expected: Result<&str, &str>) {
        let toml = "streams = [{ entry = \"e1\", key = \"one\" }, { entry = \"e2\", key = \"two_HD\" }]";
        let config = Config::parse("f", toml, []).unwrap_or_default();
        let keys = FixedKeys::new(&config.streams, Arc::default());
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let decided = keys.decide(&Request { protocol: Protocol::Rtmp, leg, name: name.to_owned(), peer });
        let named = |grant: &Grant| match &grant.rendition {
            Some(rendition) => format!("{} {rendition}", grant.entry),
            None => grant.entry.to_string(),
        };
        let decided = decided.as_ref().map(named).map_err(|refusal| refusal.reason());
        assert_eq!(decided, expected.map(str::to_owned), "{name}");
    }

    #[test]
    fn a_name_is_matched_exactly_and_then_split() {
        check("one", Leg::Primary, Ok("e1"));
        check("two_HD", Leg::Primary, Ok("e2"));
        check("one_720p", Leg::Primary, Ok("e1 720p"));
        check("two_HD_720p", Leg::Primary, Ok("e2 720p"));
        check("one_HD", Leg::Primary, Err("unknown-key"));
        check("two", Leg::Primary, Err("unknown-key"));
        check("three_720p", Leg::Primary, Err("unknown-key"));
        check("", Leg::Primary, Err("unknown-key"));
        check("ONE", Leg::Primary, Err("unknown-key"));
    }

    #[test]
    fn the_backup_leg_is_refused_to_who_has_a_key_and_says_nothing_to_others() {
        check("one", Leg::Backup, Err("unsupported"));
        check("three", Leg::Backup, Err("unknown-key"));
    }
}
