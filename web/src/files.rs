//! The files that were built, by their path.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// Where files are found; one function, so that tests have their own.
pub(crate) type Files = fn(&str) -> Option<File>;

/// A file in its two codings.
pub(crate) struct File {
    pub(crate) plain: Coding,
    pub(crate) gzip: Option<Coding>,
}

/// The bytes that go out, and their tag.
pub(crate) struct Coding {
    pub(crate) body: Cow<'static, [u8]>,
    /// Strong, quoted (RFC 9110 §8.8.3).
    pub(crate) etag: String,
}

/// The file at `path`, relative to what was built.
pub(crate) fn built(path: &str) -> Option<File> {
    let plain = coding(path)?;
    Some(File { plain, gzip: coding(&format!("{path}.gz")) })
}

#[derive(RustEmbed)]
#[folder = "dist/pages"]
#[allow_missing = true]
struct Built;

fn coding(path: &str) -> Option<Coding> {
    let file = Built::get(path)?;
    let hash = file.metadata.sha256_hash();
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(Coding { body: file.data, etag: format!("\"{hex}\"") })
}
