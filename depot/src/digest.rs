//! What a store says of an object, if it has what is in a file: the MD5 of it, or that of the MD5s of its parts.
//!
//! Amazon S3 and most others tag objects so (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>, ETag);
//! with encryption by the store they do not, and then only reading the object back tells.

use std::path::Path;

use archive::files::Files;
use md5::{Digest as _, Md5};

use crate::part;
use crate::survey::disk;
use crate::trouble::Trouble;

/// MD5s of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Digest {
    /// Of the whole.
    whole: String,
    /// Of the parts in which it is uploaded.
    pub parts: Vec<[u8; 16]>,
}

impl Digest {
    /// Reads `len` bytes of a file. Blocks.
    pub fn of_file(files: &dyn Files, path: &Path, len: u64) -> Result<Digest, Trouble> {
        let mut whole = Md5::new();
        let mut parts = Vec::new();
        for range in part::of(len) {
            let mut part = Md5::new();
            let mut at = range.start;
            while at < range.end {
                let bytes = read(files, path, at, (range.end - at).min(CHUNK))?;
                part.update(&bytes);
                whole.update(&bytes);
                at += bytes.len() as u64;
            }
            parts.push(part.finalize().into());
        }
        Ok(Digest { whole: hex(&whole.finalize()), parts })
    }

    /// Of some bytes that go up at once.
    pub fn of_bytes(bytes: &[u8]) -> Digest {
        let sum: [u8; 16] = Md5::digest(bytes).into();
        Digest { whole: hex(&sum), parts: vec![sum] }
    }

    /// Whether that is how a store tags what has these bytes.
    pub fn is_tag(&self, tag: &str) -> bool {
        let tag = tag.trim_start_matches("W/").trim_matches('"');
        tag == self.whole || tag == self.of_parts()
    }

    fn of_parts(&self) -> String {
        let sums: Vec<u8> = self.parts.iter().flatten().copied().collect();
        format!("{}-{}", hex(&Md5::digest(&sums)), self.parts.len())
    }
}

/// The MD5 of some bytes.
pub(crate) fn md5_of(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// Bytes that are in memory at once.
const CHUNK: u64 = 1 << 20;

fn read(files: &dyn Files, path: &Path, at: u64, len: u64) -> Result<bytes::Bytes, Trouble> {
    let bytes = files.read(path, at, len as usize).map_err(|error| disk(path, error))?;
    if bytes.is_empty() { Err(disk(path, std::io::ErrorKind::UnexpectedEof.into())) } else { Ok(bytes) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use archive::files::Disk;

    use super::*;

    #[test]
    fn tags_are_those_of_s3() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), b"headwater").expect("written");
        let digest = Digest::of_file(&Disk, file.path(), 9).expect("read");
        assert_eq!(digest, Digest::of_bytes(b"headwater"));
        // As md5sum says, of the text and of the digest of its one part.
        assert!(digest.is_tag("\"1eb6aee9af41846fcf40782c6fcd3ead\""));
        assert!(digest.is_tag("\"8d22c7b94c88791295cc6086cb49a740-1\""));
        assert!(digest.of_parts().ends_with("-1"));
        assert!(!digest.is_tag("\"\"") && !digest.is_tag(&digest.of_parts().replace("-1", "-2")));
    }
}
