//! Signatures of Standard Webhooks, scheme v1: HMAC-SHA-256 over `ID.TIMESTAMP.BODY`, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use catalog::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one signature each secret, a space between two. A secret that is none signs
/// nothing.
pub(crate) fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &str) -> String {
    let each = secrets.iter().filter_map(|secret| signature(secret, id, timestamp, body));
    each.collect::<Vec<_>>().join(" ")
}

fn signature(secret: &Secret, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.expose().strip_prefix(catalog::webhooks::PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body.as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's hmac, hashlib and base64.
    #[test]
    fn a_signature_is_what_another_implementation_makes() {
        let secret = Secret::new("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
        let old = Secret::new("whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=");
        let body = r#"{"type":"stream.live"}"#;
        let expected =
            "v1,6NV8rnOCLP8TYxsLkT2LcCerTt9V+WbsTHzjeUTHIxk= v1,kRuYA/nu4L6AXhbPKsU4lu2wvMXg8zsdJoDH8xYMBCg=";
        assert_eq!(signatures(&[secret, old], "dlv_k3x9p2ab", 1_700_000_000, body), expected);
        assert_eq!(signatures(&[Secret::new("no secret")], "a", 1, body), "");
    }
}
