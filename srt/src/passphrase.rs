//! The secret of an encrypted connection.

use std::fmt;

/// What both ends derive the key of a connection's keys from (§6.1.4 of the draft): 10 to 79 bytes.
///
/// It is a secret, so it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

/// Not 10 to 79 bytes, or with a NUL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a passphrase has 10 to 79 bytes")]
pub struct InvalidPassphrase;

/// How long the key is that the payload is encrypted with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyLength {
    /// AES-128.
    #[default]
    Aes128,
    /// AES-192.
    Aes192,
    /// AES-256.
    Aes256,
}

impl Passphrase {
    /// Checks the length.
    pub fn parse(text: &str) -> Result<Passphrase, InvalidPassphrase> {
        match text.len() {
            10..=79 if !text.contains('\0') => Ok(Passphrase(text.to_owned())),
            _ => Err(InvalidPassphrase),
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl KeyLength {
    /// The length in bytes.
    pub fn bytes(self) -> u8 {
        match self {
            KeyLength::Aes128 => 16,
            KeyLength::Aes192 => 24,
            KeyLength::Aes256 => 32,
        }
    }

    /// Of as many bytes.
    pub fn of_bytes(bytes: u8) -> Option<KeyLength> {
        [KeyLength::Aes128, KeyLength::Aes192, KeyLength::Aes256].into_iter().find(|it| it.bytes() == bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_has_10_to_79_bytes_and_does_not_print() {
        for (length, legal) in [(0, false), (9, false), (10, true), (79, true), (80, false)] {
            assert_eq!(Passphrase::parse(&"x".repeat(length)).is_ok(), legal, "{length}");
        }
        assert_eq!(Passphrase::parse("0123456789\0"), Err(InvalidPassphrase));
        assert!(!format!("{:?}", Passphrase::parse("0123456789")).contains("0123"));
    }
}
