//! The two files of a certificate, and what is wrong with them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tls::{Flaw, Pair, Part};

/// More than this is no certificate and no key.
const LARGEST: u64 = 1 << 20;

/// Where a certificate and its key are.
#[derive(Clone)]
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// What was in them, or why nothing could be read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Result<Vec<u8>, String>,
    key: Result<Vec<u8>, String>,
}

/// What became of them.
pub(super) struct Judged {
    /// The pair, where there is one, whether it is its time or not.
    pub(super) pair: Option<Pair>,
    /// Everything that is wrong, a line each.
    pub(super) wrong: Vec<String>,
}

impl Files {
    /// Those of the configuration, where they are set.
    pub(super) fn of(config: &config::Tls) -> Option<Files> {
        let (certificate, key) = (config.certificate.clone()?, config.key.clone()?);
        Some(Files { certificate, key })
    }

    /// Reads both.
    pub(super) fn read(&self) -> Contents {
        Contents { certificate: read(&self.certificate), key: read(&self.key) }
    }

    /// What the contents are at `now`, in seconds of Unix time.
    pub(super) fn judge(&self, contents: &Contents, now: i64) -> Judged {
        let parsed = match (&contents.certificate, &contents.key) {
            (Ok(certificate), Ok(key)) => Pair::parse(certificate, key),
            (certificate, key) => return Judged { pair: None, wrong: self.unread(certificate, key) },
        };
        match parsed {
            Ok(pair) => {
                let wrong = pair.validity().flaw(now).iter().map(|flaw| self.line(flaw)).collect();
                Judged { pair: Some(pair), wrong }
            }
            Err(flaws) => Judged { pair: None, wrong: flaws.iter().map(|flaw| self.line(flaw)).collect() },
        }
    }

    /// Which of the two could not be read, and what is wrong with the other.
    fn unread(&self, certificate: &Result<Vec<u8>, String>, key: &Result<Vec<u8>, String>) -> Vec<String> {
        let parts = [(Part::Certificate, certificate), (Part::Key, key)];
        let unread = parts.iter().filter_map(|(part, read)| Some((*part, read.as_ref().err()?.clone())));
        let mut wrong: Vec<String> = unread.map(|(part, why)| self.named(part, &why)).collect();
        let empty = Vec::new();
        let both = [certificate, key].map(|read| read.as_ref().unwrap_or(&empty));
        let flaws = Pair::parse(both[0], both[1]).err().unwrap_or_default();
        let readable = |part: Part| parts.iter().any(|(it, read)| *it == part && read.is_ok());
        wrong.extend(flaws.iter().filter(|flaw| readable(flaw.part())).map(|flaw| self.line(flaw)));
        wrong
    }

    fn line(&self, flaw: &Flaw) -> String {
        self.named(flaw.part(), &flaw.to_string())
    }

    fn named(&self, part: Part, why: &str) -> String {
        let (setting, path) = match part {
            Part::Certificate => ("tls.certificate", &self.certificate),
            Part::Key => ("tls.key", &self.key),
        };
        format!("{setting}: {} {why}", path.display())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read().map_err(|error| format!("cannot be read: {error}"))?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|len| len <= LARGEST);
    if fits { Ok(bytes) } else { Err("is larger than a certificate or a key can be".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_each_file_is_said_at_once() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty.pem"), "")?;
        let files = |certificate: &str, key: &str| Files { certificate: path(certificate), key: path(key) };
        let wrong = |files: &Files| files.judge(&files.read(), 0).wrong;
        let said = wrong(&files("missing.pem", "empty.pem"));
        assert!(said[0].starts_with("tls.certificate: ") && said[0].contains("missing.pem cannot be read"));
        assert!(said[1].contains("empty.pem has no private key") && said.len() == 2, "{said:?}");
        let said = wrong(&files("empty.pem", "missing.pem"));
        assert!(said[0].contains("missing.pem cannot be read"), "{said:?}");
        assert!(said[1].contains("empty.pem has no certificate") && said.len() == 2, "{said:?}");
        std::fs::write(path("big.pem"), vec![b'x'; 2 << 20])?;
        assert!(wrong(&files("big.pem", "big.pem")).iter().all(|line| line.contains("larger")));
        Ok(())
    }
}
