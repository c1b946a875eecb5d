//! Why somebody may not watch.

use crate::signer::MAX_TOKEN;

/// Why a viewer is refused. The text is for the viewer and holds nothing that was sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
pub enum Denied {
    /// The entry asks for a token and there is none.
    #[error("this stream needs a link with a token")]
    TokenMissing,
    /// Longer than any that this server makes.
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TokenTooLong,
    /// It has not the shape of one.
    #[error("the token is malformed")]
    TokenMalformed,
    /// Its header is not the one header that is accepted: another algorithm, or none.
    #[error("the token is not signed with HS256 (RFC 7515)")]
    TokenAlgorithm,
    /// It was changed on its way, or somebody else made it.
    #[error("the signature of the token does not match")]
    TokenSignature,
    /// It is for something else than playback.
    #[error("the token is not for playback")]
    TokenAudience,
    /// Its time has not come (RFC 7519 §4.1.5).
    #[error("the token is not valid yet")]
    TokenNotYetValid,
    /// Its time is over (RFC 7519 §4.1.4).
    #[error("the token has expired: ask for a new link")]
    TokenExpired,
    /// It opens another entry.
    #[error("the token is for another stream")]
    TokenEntry,
    /// It is bound to another address.
    #[error("the token is for another address")]
    TokenAddress,
    /// The rules do not let this address in.
    #[error("this stream may not be watched from this address")]
    Address,
    /// The rules do not let this site in.
    #[error("this stream may not be watched on this site")]
    Referrer,
    /// The rules ask for a site and none is named.
    #[error("this stream may be watched on certain sites only, and the request names none")]
    ReferrerMissing,
    /// Its window has not begun.
    #[error("this stream may not be watched yet")]
    TooEarly,
    /// Its window is over.
    #[error("this stream may not be watched any more")]
    TooLate,
}

impl Denied {
    /// A short word for metrics, logs and programs; it never changes.
    pub const fn word(self) -> &'static str {
        match self {
            Denied::TokenMissing => "token-missing",
            Denied::TokenTooLong => "token-too-long",
            Denied::TokenMalformed => "token-malformed",
            Denied::TokenAlgorithm => "token-algorithm",
            Denied::TokenSignature => "token-signature",
            Denied::TokenAudience => "token-audience",
            Denied::TokenNotYetValid => "token-not-yet-valid",
            Denied::TokenExpired => "token-expired",
            Denied::TokenEntry => "token-entry",
            Denied::TokenAddress => "token-address",
            Denied::Address => "address",
            Denied::Referrer => "referrer",
            Denied::ReferrerMissing => "referrer-missing",
            Denied::TooEarly => "too-early",
            Denied::TooLate => "too-late",
        }
    }

    /// Whether another token could help: there is none, or it is none that counts. Otherwise who asks is known well
    /// enough and may not (RFC 9110 §15.5.2 and §15.5.4: 401 and 403).
    pub const fn lacks_token(self) -> bool {
        matches!(
            self,
            Denied::TokenMissing
                | Denied::TokenTooLong
                | Denied::TokenMalformed
                | Denied::TokenAlgorithm
                | Denied::TokenSignature
                | Denied::TokenAudience
                | Denied::TokenNotYetValid
                | Denied::TokenExpired
        )
    }
}
