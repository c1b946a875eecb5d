//! A message as bytes.
//!
//! ```text
//!  u32  bytes of the head, big endian
//!  u32  bytes of the payload, big endian
//!       head: JSON
//!       payload: what the head says
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of a head, at most.
pub const MAX_HEAD: usize = 64 << 10;

/// Bytes of a payload, at most: what the largest sample of a publisher takes, and more than a hundred usual keyframes.
pub const MAX_PAYLOAD: usize = 64 << 20;

/// A message that the other side may not send.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It says that more comes than may.
    #[error("a message of {head} and {payload} bytes")]
    TooLong {
        /// Bytes of the head.
        head: usize,
        /// Bytes of the payload.
        payload: usize,
    },
    /// Its head is not what belongs here.
    #[error("the head of a message: {0}")]
    Head(#[from] serde_json::Error),
}

/// The sizes with which a message begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// Bytes of the head.
    pub head: usize,
    /// Bytes of the payload.
    pub payload: usize,
}

impl Prefix {
    /// Its own bytes.
    pub const LEN: usize = 8;

    /// Reads it, and holds it to [`MAX_HEAD`] and [`MAX_PAYLOAD`].
    pub fn parse(bytes: [u8; Prefix::LEN]) -> Result<Prefix, Malformed> {
        let [a, b, c, d, e, f, g, h] = bytes;
        let size = |bytes| u32::from_be_bytes(bytes) as usize;
        Prefix::new(size([a, b, c, d]), size([e, f, g, h]))
    }

    fn new(head: usize, payload: usize) -> Result<Prefix, Malformed> {
        match head <= MAX_HEAD && payload <= MAX_PAYLOAD {
            true => Ok(Prefix { head, payload }),
            false => Err(Malformed::TooLong { head, payload }),
        }
    }
}

/// Everything of a message that stands before its payload of so many bytes.
pub fn before_payload(message: &impl Serialize, payload: usize) -> Result<Vec<u8>, Malformed> {
    let head = serde_json::to_vec(message)?;
    let prefix = Prefix::new(head.len(), payload)?;
    let mut bytes = Vec::with_capacity(Prefix::LEN + head.len());
    for size in [prefix.head, prefix.payload] {
        let size = u32::try_from(size).expect("the limits of a prefix are far below 32 bits");
        bytes.extend_from_slice(&size.to_be_bytes());
    }
    bytes.extend_from_slice(&head);
    Ok(bytes)
}

/// The message of a head.
pub fn parse_head<T: DeserializeOwned>(head: &[u8]) -> Result<T, Malformed> {
    Ok(serde_json::from_slice(head)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Refusal, Reply};

    #[test]
    fn what_was_written_is_read_back() {
        for reply in [Reply::Image { width: 640, height: 360, missing: 0 }, Reply::Refused(Refusal::TooLarge)]
        {
            let bytes = before_payload(&reply, 7).expect("short");
            let (prefix, head) = bytes.split_first_chunk().expect("a prefix");
            assert_eq!(Prefix::parse(*prefix).expect("small"), Prefix { head: head.len(), payload: 7 });
            assert_eq!(parse_head::<Reply>(head).expect("ours"), reply);
        }
    }

    #[test]
    fn nothing_beyond_the_limits_is_begun() {
        for (head, payload) in [(MAX_HEAD as u32 + 1, 0), (0, MAX_PAYLOAD as u32 + 1), (u32::MAX, u32::MAX)] {
            let bytes = (u64::from(head) << 32 | u64::from(payload)).to_be_bytes();
            assert!(matches!(Prefix::parse(bytes), Err(Malformed::TooLong { .. })));
        }
        assert!(before_payload(&(), MAX_PAYLOAD + 1).is_err());
        assert!(before_payload(&"x".repeat(MAX_HEAD), 0).is_err());
    }

    #[test]
    fn another_message_is_an_error() {
        for head in
            ["", "{}", "null", r#"{"image":{"width":-1,"height":1,"missing":0}}"#, r#"{"refused":"no"}"#]
        {
            assert!(parse_head::<Reply>(head.as_bytes()).is_err(), "{head}");
        }
    }
}
