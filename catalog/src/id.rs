//! Names of things: short, random, and safe in a URL, a file name and a log line.

use crate::error::Error;

const BASE_36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// How many characters follow the prefix of an id: 36^8 is 2.8 million million.
const LENGTH: usize = 8;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(String);

        impl $name {
            /// What every one of them begins with.
            pub const PREFIX: &'static str = $prefix;

            /// Reads one; `None` when the text does not have the shape of one.
            pub fn parse(text: &str) -> Option<$name> {
                has_shape(text, $prefix).then(|| $name(text.to_owned()))
            }

            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// A new one. Whether it is taken, the database says.
            #[allow(dead_code, reason = "not every kind of thing is created yet")]
            pub(crate) fn random() -> Result<$name, Error> {
                Ok($name(format!("{}{}", $prefix, random_base_36(LENGTH)?)))
            }

            /// One that was stored.
            pub(crate) fn stored(text: String) -> $name {
                $name(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A tenant: `acc_` and eight of base 36.
    AccountId, "acc_"
);
id!(
    /// An entry: `0_` and eight of base 36, the shape that Kaltura's clients expect.
    EntryId, "0_"
);
id!(
    /// An API token, not its secret: `tok_` and eight of base 36.
    TokenId, "tok_"
);
id!(
    /// A stored file of an entry: `ast_` and eight of base 36.
    AssetId, "ast_"
);
id!(
    /// A recording: `rec_` and eight of base 36.
    RecordingId, "rec_"
);
id!(
    /// A job: `job_` and eight of base 36.
    JobId, "job_"
);
id!(
    /// A webhook, an address that events are sent to: `whk_` and eight of base 36.
    WebhookId, "whk_"
);
id!(
    /// One event on its way to one webhook: `dlv_` and eight of base 36.
    DeliveryId, "dlv_"
);
id!(
    /// An input of a live entry: `inp_` and eight of base 36.
    InputId, "inp_"
);

id!(
    /// A target, a server that a live entry is sent on to: `tgt_` and eight of base 36.
    TargetId, "tgt_"
);

impl AccountId {
    /// The account that every catalog has: what is created by an administrator who names none belongs to it.
    pub fn main() -> AccountId {
        AccountId("acc_00000000".to_owned())
    }
}

impl RecordingId {
    /// A new one, made without the database: whoever records does not wait for it.
    pub fn new() -> Result<RecordingId, Error> {
        RecordingId::random()
    }
}

impl EntryId {
    /// The id as a number, unique as the id is.
    pub(crate) fn number(&self) -> i64 {
        let digit = |c: u8| if c.is_ascii_digit() { c - b'0' } else { c - b'a' + 10 };
        self.0.bytes().skip(Self::PREFIX.len()).fold(0, |sum, c| sum * 36 + i64::from(digit(c)))
    }
}

/// So many characters of base 36 out of the operating system's randomness, each as likely as any other.
pub(crate) fn random_base_36(length: usize) -> Result<String, Error> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|error| Error::Unavailable(format!("no randomness: {error}")))?;
        // 252 is the last multiple of 36: what lies above would favour the first characters.
        let fair =
            bytes.iter().filter(|byte| **byte < 252).map(|byte| char::from(BASE_36[usize::from(byte % 36)]));
        text.extend(fair.take(length - text.len()));
    }
    Ok(text)
}

fn has_shape(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == LENGTH && rest.bytes().all(|c| BASE_36.contains(&c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_prefix_and_eight_of_base_36() {
        for (text, legal) in [
            ("0_k3x9p2ab", true),
            ("0_k3x9p2a", false),
            ("0_k3x9p2abc", false),
            ("0_K3X9P2AB", false),
            ("1_k3x9p2ab", false),
            ("0_k3x9p2a/", false),
            ("0_k3x9p2é", false),
            ("", false),
        ] {
            assert_eq!(EntryId::parse(text).is_some(), legal, "{text}");
        }
    }

    #[test]
    fn random_ids_have_the_shape_and_differ() {
        let (one, two) = (EntryId::random().unwrap(), EntryId::random().unwrap());
        assert_eq!(EntryId::parse(one.as_str()).as_ref(), Some(&one));
        assert_ne!(one, two);
        assert!(AccountId::parse(AccountId::main().as_str()).is_some());
    }

    #[test]
    fn the_number_of_an_id_is_its_base_36() {
        let number = |text| EntryId::parse(text).map(|id| id.number());
        assert_eq!(number("0_00000010"), Some(36));
        assert_eq!(number("0_zzzzzzzz"), Some(36_i64.pow(8) - 1));
    }
}
