//! A certificate that the server makes for itself, and keeps, so that who came to trust it need not do so again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, anyhow};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;
use tls::Pair;

/// Below the data directory.
const FOLDER: &str = "tls";
const CERTIFICATE: &str = "self-signed.pem";
const KEY: &str = "self-signed-key.pem";

/// How long one is good for: no longer than browsers take from authorities. In seconds.
const LIFE: i64 = 397 * 86_400;
/// One that is over within this time is made anew at start.
const LEAST: i64 = 30 * 86_400;
/// A clock that is a little behind is no reason to refuse it.
const SKEW: i64 = 3600;

/// The one in the data directory if it is good, and else a new one.
pub(super) fn open(data: &Path, now: i64) -> anyhow::Result<Pair> {
    let folder = data.join(FOLDER);
    let names = names();
    if let Some(pair) = kept(&folder, &names, now) {
        return Ok(pair);
    }
    let (certificate, key) = made(&names, now).context("tls.self_signed: cannot make a certificate")?;
    store(&folder, &certificate, &key)
        .with_context(|| format!("storage.data: cannot write below {}", folder.display()))?;
    let file = folder.join(CERTIFICATE);
    tracing::info!(file = %file.display(), "a self-signed certificate: nobody trusts it unless told to");
    Pair::parse(certificate.as_bytes(), key.as_bytes()).map_err(|flaws| anyhow!("tls.self_signed: {flaws:?}"))
}

fn kept(folder: &Path, names: &[String], now: i64) -> Option<Pair> {
    let [certificate, key] = [CERTIFICATE, KEY].map(|file| fs::read(folder.join(file)));
    let pair = Pair::parse(&certificate.ok()?, &key.ok()?).ok()?;
    let good = pair.validity().flaw(now).is_none() && pair.validity().not_after > now + LEAST;
    (good && pair.names() == names).then_some(pair)
}

/// What this machine is called from itself and from its network.
fn names() -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if !host.is_empty() && host != names[0] && host.chars().all(legal) {
        names.push(host);
    }
    names.extend(["127.0.0.1", "::1"].map(str::to_owned));
    names
}

/// A certificate for these names and its key, in PEM; valid from `now`, in seconds of Unix time.
pub(super) fn made(names: &[String], now: i64) -> anyhow::Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut certificate = CertificateParams::new(names)?;
    certificate.distinguished_name.push(DnType::CommonName, "Headwater, self-signed");
    certificate.not_before = OffsetDateTime::from_unix_timestamp(now - SKEW)?;
    certificate.not_after = OffsetDateTime::from_unix_timestamp(now + LIFE - SKEW)?;
    certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok((certificate.self_signed(&key)?.pem(), key.serialize_pem()))
}

/// The key before the certificate: half of a pair is made anew by the next start.
fn store(folder: &Path, certificate: &str, key: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for (name, text, mode) in [(KEY, key, 0o600), (CERTIFICATE, certificate, 0o644)] {
        let draft = folder.join(format!("{name}.new"));
        let mut file = OpenOptions::new();
        let mut file = file.create(true).truncate(true).write(true).mode(mode).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, folder.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_the_same_until_it_is_nearly_over() -> anyhow::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir()?;
        let now = super::super::now();
        let first = open(data.path(), now)?;
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(first.names().iter().any(|it| it == name), "{:?}", first.names());
        }
        let key = data.path().join(FOLDER).join(KEY);
        assert_eq!(fs::metadata(&key)?.permissions().mode() & 0o777, 0o600);
        let file = || fs::read(data.path().join(FOLDER).join(CERTIFICATE));
        let before = file()?;
        open(data.path(), now + 86_400)?;
        assert_eq!(file()?, before);
        let later = open(data.path(), now + LIFE - LEAST)?;
        assert!(later.validity().not_after > now + LIFE);
        fs::write(&key, "broken")?;
        open(data.path(), now)?;
        assert!(fs::read_to_string(&key)?.contains("PRIVATE KEY"));
        Ok(())
    }
}
