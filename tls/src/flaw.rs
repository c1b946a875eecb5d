//! What is wrong with a certificate or a key.

/// Which of the two somebody has to look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The certificate chain.
    Certificate,
    /// The private key.
    Key,
}

/// Something that is wrong with a pair.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Flaw {
    /// The chain has no certificate.
    #[error("has no certificate in PEM")]
    NoCertificate,
    /// PEM that is broken.
    #[error("is no PEM: {1}")]
    Pem(Part, String),
    /// The first certificate is none.
    #[error("has no X.509 certificate at its beginning: {0}")]
    NotX509(String),
    /// No key in a form that is known.
    #[error("has no private key in PEM (PKCS#8, PKCS#1 or SEC1, not encrypted)")]
    NoKey,
    /// A key that is of no use.
    #[error("has a private key that cannot be used: {0}")]
    BadKey(String),
    /// The key is of another certificate.
    #[error("is not the key of the certificate")]
    Mismatch,
    /// The time of the certificate is over.
    #[error("expired {0}")]
    Expired(String),
    /// The time of the certificate has not begun.
    #[error("is not valid before {0}")]
    NotYet(String),
}

impl Flaw {
    /// Where it is.
    pub fn part(&self) -> Part {
        match self {
            Flaw::NoCertificate | Flaw::NotX509(_) | Flaw::Expired(_) | Flaw::NotYet(_) => Part::Certificate,
            Flaw::Pem(part, _) => *part,
            Flaw::NoKey | Flaw::BadKey(_) | Flaw::Mismatch => Part::Key,
        }
    }
}
