//! A certificate chain and its key.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use x509_parser::prelude::{ASN1Time, FromDer, GeneralName, X509Certificate};

use crate::flaw::{Flaw, Part};

/// A certificate chain, the server's own certificate first, and its key. They fit.
#[derive(Clone, Debug)]
pub struct Pair {
    key: Arc<CertifiedKey>,
    validity: Validity,
    names: Vec<String>,
}

/// When a certificate is valid, both ends included (RFC 5280 §4.1.2.5), in seconds of Unix time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Validity {
    /// Not before this.
    pub not_before: i64,
    /// Not after this.
    pub not_after: i64,
}

impl Pair {
    /// Reads a chain and a key from PEM: PKCS#8, PKCS#1 or SEC1. Whether it is time for the certificate is another
    /// question: [`Validity::flaw`].
    ///
    /// # Errors
    /// Everything that is wrong with the two, at once.
    pub fn parse(chain: &[u8], key: &[u8]) -> Result<Pair, Vec<Flaw>> {
        match (parse_chain(chain), parse_key(key)) {
            (Ok((chain, validity, names)), Ok(key)) => match together(chain, key) {
                Ok(key) => Ok(Pair { key: Arc::new(key), validity, names }),
                Err(flaw) => Err(vec![flaw]),
            },
            (chain, key) => Err(chain.err().into_iter().chain(key.err()).collect()),
        }
    }

    /// When its certificate is valid.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The names and addresses that its certificate is for.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.key.clone()
    }
}

impl Validity {
    /// What is wrong with it at `now`, in seconds of Unix time.
    pub fn flaw(&self, now: i64) -> Option<Flaw> {
        if now > self.not_after {
            return Some(Flaw::Expired(date(self.not_after)));
        }
        (now < self.not_before).then(|| Flaw::NotYet(date(self.not_before)))
    }
}

fn date(seconds: i64) -> String {
    ASN1Time::from_timestamp(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

type Chain = (Vec<CertificateDer<'static>>, Validity, Vec<String>);

fn parse_chain(pem: &[u8]) -> Result<Chain, Flaw> {
    let chain: Result<Vec<CertificateDer<'static>>, PemError> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| Flaw::Pem(Part::Certificate, error.to_string()))?;
    let first = chain.first().ok_or(Flaw::NoCertificate)?;
    let (_, first) = X509Certificate::from_der(first).map_err(|error| Flaw::NotX509(error.to_string()))?;
    let (validity, names) = (first.validity(), names(&first));
    let validity =
        Validity { not_before: validity.not_before.timestamp(), not_after: validity.not_after.timestamp() };
    Ok((chain, validity, names))
}

/// The alternative names of the subject (RFC 5280 §4.2.1.6); clients look at no others.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|it| std::net::Ipv4Addr::from(it).to_string());
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|it| std::net::Ipv6Addr::from(it).to_string());
    four.or_else(|_| sixteen()).ok()
}

fn parse_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Flaw> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        PemError::NoItemsFound => Flaw::NoKey,
        error => Flaw::Pem(Part::Key, error.to_string()),
    })
}

fn together(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, Flaw> {
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => Flaw::Mismatch,
        Error::InvalidCertificate(error) => Flaw::NotX509(error.to_string()),
        error => Flaw::BadKey(error.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};

    use super::*;

    fn made(names: &[&str]) -> (String, String) {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).expect("names").self_signed(&key).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }

    fn flaws(chain: &str, key: &str) -> Vec<Flaw> {
        Pair::parse(chain.as_bytes(), key.as_bytes()).expect_err("something is wrong")
    }

    #[test]
    fn a_pair_says_for_whom_and_how_long() {
        let (chain, key) = made(&["live.example.org", "192.0.2.1", "2001:db8::1"]);
        let pair = Pair::parse(chain.as_bytes(), key.as_bytes()).expect("a pair");
        assert_eq!(pair.names(), ["live.example.org", "192.0.2.1", "2001:db8::1"]);
        let Validity { not_before, not_after } = pair.validity();
        for (now, fits) in
            [(not_before - 1, false), (not_before, true), (not_after, true), (not_after + 1, false)]
        {
            assert_eq!(pair.validity().flaw(now).is_none(), fits, "{now}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let (chain, key) = made(&["a"]);
        let (_, other) = made(&["a"]);
        assert_eq!(flaws(&chain, &other), [Flaw::Mismatch]);
        assert_eq!(flaws("", ""), [Flaw::NoCertificate, Flaw::NoKey]);
        assert_eq!(flaws(&key, &chain), [Flaw::NoCertificate, Flaw::NoKey], "the two in each other's place");
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        assert_eq!(flaws(&chain, &encrypted), [Flaw::NoKey]);
        let cut = &chain[..chain.len() / 2];
        assert!(matches!(flaws(cut, &key)[..], [Flaw::Pem(Part::Certificate, _)]), "{:?}", flaws(cut, &key));
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(flaws(empty, &key)[..], [Flaw::NotX509(_)]), "{:?}", flaws(empty, &key));
        let empty = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert!(matches!(flaws(&chain, empty)[..], [Flaw::BadKey(_)]), "{:?}", flaws(&chain, empty));
    }
}
