//! Playback tokens: making them, and reading them back.
//!
//! A token is a JSON Web Token (RFC 7519) in compact form, signed with HMAC-SHA-256 (RFC 7515, HS256). Only this server
//! makes and reads them, so that one header is legal and is compared as a whole: there is no algorithm to choose and no
//! key to name, which is where such tokens usually break (RFC 8725 §3.1). What is left of the format is three texts
//! with dots between them, so that no library for all of it is needed. The text is base64url and stands in a path as
//! it is.
//!
//! ```text
//! eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9 . { sub: entry, aud: "playback", exp, nbf?, ip?, preview?, jti } . signature
//! ```

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use media::WallTime;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::denied::Denied;
use crate::network::{canonical, network};

/// Longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 1024;

/// What a token is for.
const AUDIENCE: &str = "playback";

/// `{"typ":"JWT","alg":"HS256"}`, the one header.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

/// What a token is to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The entry that it opens.
    pub entry: String,
    /// Until when; whole seconds count, and not at that one any more.
    pub expires: WallTime,
    /// From when on.
    pub not_before: Option<WallTime>,
    /// The only address or network that may use it.
    pub network: Option<IpNet>,
    /// Whether it shows what is in preview.
    pub preview: bool,
    /// A name for it, which tells one viewer from another; at most 64 bytes.
    pub id: String,
}

/// A token that was good when it was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// The entry that it opens.
    pub entry: String,
    /// The only address or network that may use it.
    pub network: Option<IpNet>,
    /// Whether it shows what is in preview.
    pub preview: bool,
    /// Its name.
    pub id: String,
    /// Until when it is good.
    pub expires: WallTime,
}

/// Makes and reads tokens, with one secret.
pub struct Signer(Hmac<Sha256>);

/// The claims as they are written (RFC 7519 §4.1).
#[derive(Serialize, Deserialize)]
struct Written {
    sub: String,
    aud: String,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    preview: bool,
    #[serde(default)]
    jti: String,
}

impl Ticket {
    /// Whether it opens this entry for this address.
    pub(crate) fn admits(&self, entry: &str, address: IpAddr) -> Result<(), Denied> {
        if self.entry != entry {
            return Err(Denied::TokenEntry);
        }
        match self.network {
            Some(network) if !network.contains(&canonical(address)) => Err(Denied::TokenAddress),
            _ => Ok(()),
        }
    }
}

impl Signer {
    /// One with this secret, which should have 256 bits of randomness (RFC 7518 §3.2).
    pub fn new(secret: &[u8]) -> Signer {
        Signer(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// A token.
    pub fn sign(&self, claims: &Claims) -> String {
        let written = Written {
            sub: claims.entry.clone(),
            aud: AUDIENCE.to_owned(),
            exp: claims.expires.unix_seconds(),
            nbf: claims.not_before.map(WallTime::unix_seconds),
            ip: claims.network.map(|network| network.to_string()),
            preview: claims.preview,
            jti: claims.id.clone(),
        };
        self.seal(&serde_json::to_vec(&written).expect("text and numbers are JSON"))
    }

    /// What a token says, if it is good now.
    ///
    /// # Errors
    /// Why it is not; what it says is not looked at before its signature was.
    pub fn verify(&self, token: &str, now: WallTime) -> Result<Ticket, Denied> {
        let payload = self.opened(token)?;
        let claims: Written = serde_json::from_slice(&payload).map_err(|_| Denied::TokenMalformed)?;
        if claims.aud != AUDIENCE {
            return Err(Denied::TokenAudience);
        }
        if claims.nbf.is_some_and(|nbf| now.unix_seconds() < nbf) {
            return Err(Denied::TokenNotYetValid);
        }
        if claims.exp <= now.unix_seconds() {
            return Err(Denied::TokenExpired);
        }
        let network = claims.ip.as_deref().map(|ip| network(ip).ok_or(Denied::TokenMalformed)).transpose()?;
        let expires = WallTime::from_micros(claims.exp.saturating_mul(1_000_000));
        Ok(Ticket { entry: claims.sub, network, preview: claims.preview, id: claims.jti, expires })
    }

    fn seal(&self, payload: &[u8]) -> String {
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = self.0.clone().chain_update(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The payload of a token whose signature matches, which is compared in constant time.
    fn opened(&self, token: &str) -> Result<Vec<u8>, Denied> {
        let (signed, payload, signature) = parts(token)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Denied::TokenSignature)?;
        let mac = self.0.clone().chain_update(signed);
        mac.verify_slice(&signature).map_err(|_| Denied::TokenSignature)?;
        URL_SAFE_NO_PAD.decode(payload).map_err(|_| Denied::TokenMalformed)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// What is signed, the payload in it, and the signature (RFC 7515 §3.1).
fn parts(token: &str) -> Result<(&str, &str, &str), Denied> {
    if token.len() > MAX_TOKEN {
        return Err(Denied::TokenTooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Denied::TokenMalformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Denied::TokenMalformed)?;
    if header.is_empty() || payload.is_empty() || payload.contains('.') {
        return Err(Denied::TokenMalformed);
    }
    if header == HEADER { Ok((signed, payload, signature)) } else { Err(Denied::TokenAlgorithm) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime::from_millis(1_795_309_432_500);

    fn signer() -> Signer {
        Signer::new(b"one secret of a server, for tests")
    }

    fn after(seconds: i64) -> WallTime {
        WallTime::from_millis(1_795_309_432_500 + seconds * 1000)
    }

    fn claims() -> Claims {
        Claims {
            entry: "0_k3x9p2ab".to_owned(),
            expires: after(60),
            not_before: None,
            network: None,
            preview: false,
            id: "7".to_owned(),
        }
    }

    /// A token of any claims, well signed.
    fn signed(claims: &serde_json::Value) -> String {
        signer().seal(claims.to_string().as_bytes())
    }

    #[test]
    fn what_was_signed_is_read_back() {
        let network = network("2001:db8::/64");
        let token = signer().sign(&Claims { network, preview: true, not_before: Some(NOW), ..claims() });
        let ticket = signer().verify(&token, NOW).expect("a good token");
        assert_eq!((ticket.entry.as_str(), ticket.id.as_str()), ("0_k3x9p2ab", "7"));
        assert_eq!((ticket.network, ticket.preview), (network, true));
        assert_eq!(ticket.expires.unix_seconds(), after(60).unix_seconds());
        assert!(token.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)), "{token}");
        assert_eq!(token.split('.').next(), Some(HEADER));
        assert!(token.len() < 300, "{}", token.len());
    }

    #[test]
    fn another_implementation_makes_the_same_token() {
        // Python: hmac.new(secret, header + b"." + payload, hashlib.sha256), base64.urlsafe_b64encode.
        let token = concat!(
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.",
            "eyJzdWIiOiIwX2szeDlwMmFiIiwiYXVkIjoicGxheWJhY2siLCJleHAiOjE3OTUzMDk0OTIsImp0aSI6IjcifQ.",
            "lkTryw4-PHuY7059vzrE60579CVNGU_PgqL3JxYG1E0",
        );
        assert_eq!(signer().sign(&claims()), token);
    }

    #[test]
    fn a_token_has_its_time() {
        let token = signer().sign(&Claims { not_before: Some(after(10)), ..claims() });
        let at = |seconds| signer().verify(&token, after(seconds)).map(drop);
        assert_eq!(at(9), Err(Denied::TokenNotYetValid));
        assert_eq!([at(10), at(59)], [Ok(()), Ok(())]);
        assert_eq!([at(60), at(86_400)], [Err(Denied::TokenExpired), Err(Denied::TokenExpired)]);
    }

    #[test]
    fn only_this_servers_signature_counts() {
        let token = signer().sign(&claims());
        let other = Signer::new(b"another secret").sign(&claims());
        let (signed, signature) = token.rsplit_once('.').expect("dots");
        let stolen = signer().sign(&Claims { entry: "0_00000000".to_owned(), ..claims() });
        let payload = stolen.split('.').nth(1).expect("a payload");
        for wrong in [
            other,
            format!("{HEADER}.{payload}.{signature}"),
            format!("{signed}."),
            format!("{signed}.{}", &signature[1..]),
            format!("{signed}.{}", "A".repeat(43)),
            format!("{signed}.{signature}{signature}"),
        ] {
            assert_eq!(signer().verify(&wrong, NOW), Err(Denied::TokenSignature), "{wrong}");
        }
    }

    #[test]
    fn one_header_is_legal() {
        let token = signer().sign(&claims());
        let (_, rest) = token.split_once('.').expect("dots");
        let (payload, _) = rest.split_once('.').expect("dots");
        for header in [
            r#"{"typ":"JWT","alg":"none"}"#,
            r#"{"alg":"NONE"}"#,
            r#"{"typ":"JWT","alg":"HS384"}"#,
            r#"{"typ":"JWT","alg":"RS256"}"#,
            r#"{"typ":"JWT","alg":"HS256","crit":["exp"]}"#,
            r#"{"typ":"JWT","alg":"HS256","jwk":{"kty":"oct","k":""}}"#,
        ] {
            let header = URL_SAFE_NO_PAD.encode(header);
            for wrong in [format!("{header}.{payload}."), format!("{header}.{rest}")] {
                assert_eq!(signer().verify(&wrong, NOW), Err(Denied::TokenAlgorithm), "{wrong}");
            }
        }
    }

    #[test]
    fn what_is_no_token_is_refused_before_it_is_looked_at() {
        for text in ["", ".", "..", "a", "a.b", "..a", "a..b", ".a.b", "a.b.c.d", "admin"] {
            assert_eq!(signer().verify(text, NOW), Err(Denied::TokenMalformed), "{text}");
        }
        let long = format!("{HEADER}.{}", "a".repeat(MAX_TOKEN));
        assert_eq!(signer().verify(&long, NOW), Err(Denied::TokenTooLong));
    }

    #[test]
    fn a_signature_alone_does_not_make_a_ticket() {
        let exp = after(60).unix_seconds();
        for (claims, denied) in [
            (serde_json::json!({"sub": "x", "aud": "api", "exp": exp}), Denied::TokenAudience),
            (serde_json::json!({"sub": "x", "exp": exp}), Denied::TokenMalformed),
            (serde_json::json!({"sub": "x", "aud": "playback"}), Denied::TokenMalformed),
            (serde_json::json!({"aud": "playback", "exp": exp}), Denied::TokenMalformed),
            (
                serde_json::json!({"sub": "x", "aud": "playback", "exp": exp, "ip": "a"}),
                Denied::TokenMalformed,
            ),
            (serde_json::json!({"sub": "x", "aud": "playback", "exp": i64::MIN}), Denied::TokenExpired),
        ] {
            assert_eq!(signer().verify(&signed(&claims), NOW), Err(denied), "{claims}");
        }
    }
}
