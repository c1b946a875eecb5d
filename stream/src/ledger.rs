//! What must outlive the process so that no number is used twice.

use std::io;

use packager::Numbers;

/// Keeps the numbers of each entry. Calls may block for as long as a small file write does.
pub trait Ledger: Send + Sync {
    /// What was stored last, or `None` when there is nothing readable.
    fn load(&self, entry: &str) -> io::Result<Option<Numbers>>;
    /// Every entry of which something is stored.
    fn entries(&self) -> io::Result<Vec<String>>;
    /// Stores the numbers; survives the death of the process when this returns.
    fn store(&self, entry: &str, numbers: &Numbers) -> io::Result<()>;
}

/// A ledger that forgets everything with the process; for tests and embedding.
#[derive(Default)]
pub struct Forgetful;

impl Ledger for Forgetful {
    fn load(&self, _: &str) -> io::Result<Option<Numbers>> {
        Ok(None)
    }

    fn entries(&self) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn store(&self, _: &str, _: &Numbers) -> io::Result<()> {
        Ok(())
    }
}
