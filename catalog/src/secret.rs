//! Secrets, and how they are looked up.
//!
//! A stream key is *kept in clear*, because it has to be shown again: staff read it to an encoder on the day of the
//! event, weeks after it was made. It opens one entry for publishing and nothing else, and who can read the
//! database can change it anyway. An API token opens everything its role may do and is shown once, so of a token
//! only the digest is kept.
//!
//! Both are *looked up by a keyed digest* (HMAC-SHA-256, RFC 2104), never by their text. The database walks an index
//! of digests; how long that takes tells a guesser nothing, because without the key of the digest he cannot know
//! how his next guess will differ from the last. The key is random, made at the first start and kept in the
//! database beside what it digests: it hides timing from peers, and is no protection of the database itself.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Text that must not appear in a log or an error: its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for the one who may see it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a digest is of, so that a stream key can never be taken for a token.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    StreamKey,
    ApiToken,
}

/// Makes digests with this database's own key.
#[derive(Clone)]
pub(crate) struct Digester(Hmac<Sha256>);

impl Digester {
    pub(crate) fn new(key: &str) -> Digester {
        Digester(Hmac::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length"))
    }

    /// 64 hexadecimal digits.
    pub(crate) fn digest(&self, purpose: Purpose, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(match purpose {
            Purpose::StreamKey => b"stream key\0",
            Purpose::ApiToken => b"api token\0\0",
        });
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_key_purpose_and_text() {
        let (one, two) = (Digester::new("one"), Digester::new("two"));
        let of = |digester: &Digester, purpose, text| digester.digest(purpose, text);
        let digest = of(&one, Purpose::StreamKey, "k");
        assert_eq!(digest.len(), 64);
        assert_eq!(digest, of(&one, Purpose::StreamKey, "k"));
        assert_ne!(digest, of(&one, Purpose::StreamKey, "l"));
        assert_ne!(digest, of(&one, Purpose::ApiToken, "k"));
        assert_ne!(digest, of(&two, Purpose::StreamKey, "k"));
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", Secret::new("hidden")), "Secret(..)");
    }
}
