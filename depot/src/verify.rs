//! Whether what the store has is what was sent: by the tag it gives the object, or else by reading it back.

use bytes::Bytes;
use object_store::path::Path;

use crate::digest::{Digest, md5_of};
use crate::journal::{Step, Way};
use crate::part;
use crate::survey::Survey;
use crate::trouble::Trouble;
use crate::upload::Recording;

impl Recording {
    /// Looks at every file that is there and was not looked at yet. One that is not what was sent goes up anew.
    pub async fn verify(&self, survey: &Survey) -> Result<(), Trouble> {
        for wanted in &survey.files {
            let Way::Put { len } = self.way(&wanted.name) else { continue };
            let name = wanted.name.clone();
            let digest =
                self.blocking(move |folder| Digest::of_file(&*folder.files, &folder.at(&name), len)).await?;
            if !self.is_there(&self.at(&wanted.name), len, &digest).await? {
                self.again(&wanted.name).await?;
                return Err(Trouble::Corrupt(wanted.name.clone()));
            }
            self.note(Step::Verified { file: wanted.name.clone(), len }).await?;
        }
        Ok(())
    }

    /// Puts some bytes, and looks whether they are there.
    pub async fn put_verified(&self, name: &str, bytes: Bytes) -> Result<(), Trouble> {
        let at = self.at(name);
        let (len, digest) = (bytes.len() as u64, Digest::of_bytes(&bytes));
        self.bucket.put(&at, bytes).await?;
        match self.is_same(&at, len, &digest, |_| 0..len).await? {
            true => Ok(()),
            false => Err(Trouble::Corrupt(name.to_owned())),
        }
    }

    async fn is_there(&self, at: &Path, len: u64, digest: &Digest) -> Result<bool, Trouble> {
        let ranges: Vec<_> = part::of(len).collect();
        self.is_same(at, len, digest, |k| ranges[k].clone()).await
    }

    /// Whether an object has `len` bytes with this digest, whose parts are at `range`.
    async fn is_same(
        &self,
        at: &Path,
        len: u64,
        digest: &Digest,
        range: impl Fn(usize) -> std::ops::Range<u64>,
    ) -> Result<bool, Trouble> {
        let Some(meta) = self.bucket.head(at).await? else { return Ok(false) };
        if meta.size != len {
            return Ok(false);
        }
        if meta.e_tag.is_some_and(|tag| digest.is_tag(&tag)) {
            return Ok(true);
        }
        for (k, sum) in digest.parts.iter().enumerate() {
            let _permit = self.gate.acquire().await;
            let bytes = self.bucket.read_part(at, range(k)).await?;
            if md5_of(&bytes) != *sum {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
