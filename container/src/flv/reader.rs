//! Reading a header of which the end may not be there yet.

use super::{Error, MAX_HEADER};

/// Why a header cannot be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// It takes so many bytes to go on.
    Short(usize),
    /// More bytes do not help.
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(error)
    }
}

/// A place in a tag.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let bytes = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let bytes = *bytes.ok_or(Stop::Short(self.at + N))?;
        self.at += N;
        Ok(bytes)
    }

    /// The next `len` bytes; `None` where they lie beyond the longest header.
    pub(super) fn slice(&mut self, len: usize) -> Result<Option<&'a [u8]>, Stop> {
        let end = self.at + len;
        if end > MAX_HEADER {
            return Ok(None);
        }
        let bytes = self.bytes.get(self.at..end).ok_or(Stop::Short(end))?;
        self.at = end;
        Ok(Some(bytes))
    }

    /// 24 bits, signed.
    pub(super) fn signed_24(&mut self) -> Result<i32, Stop> {
        let [a, b, c] = self.take()?;
        Ok(i32::from_be_bytes([a, b, c, 0]) >> 8)
    }
}
