//! Playback tokens and rules, made up or bent: nothing is a ticket that was not signed, and rules read back as they are
//! shown.
#![no_main]

use std::net::IpAddr;
use std::sync::LazyLock;

use access::{Claims, Rules, Signer, Visit};
use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use media::WallTime;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    token: &'a str,
    /// Where a good token is bent, and how.
    bent: (usize, u8),
    rules: &'a str,
    entry: &'a str,
    id: &'a str,
    referrer: Option<&'a str>,
    host: Option<&'a str>,
    address: IpAddr,
    now: i64,
}

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new(b"a secret that no fuzzer finds"));

fuzz_target!(|input: Input<'_>| {
    assert!(SIGNER.verify(input.token, WallTime::from_micros(input.now)).is_err(), "a forged token");
    check_bent(&input);
    check_rules(&input);
});

/// A good token is one, and with any other byte in it is none.
fn check_bent(input: &Input<'_>) {
    let now = WallTime::from_micros(input.now.clamp(0, 1 << 52));
    let claims = Claims {
        entry: input.entry.chars().take(64).collect(),
        expires: WallTime::from_micros(1 << 53),
        not_before: None,
        network: None,
        preview: false,
        id: input.id.chars().take(10).collect(),
    };
    let good = SIGNER.sign(&claims);
    let mut bytes = good.clone().into_bytes();
    let at = input.bent.0 % bytes.len();
    bytes[at] = input.bent.1;
    let Ok(bent) = String::from_utf8(bytes) else { return };
    if good.len() <= access::MAX_TOKEN {
        let ticket = SIGNER.verify(&good, now).expect("what was signed is good");
        assert_eq!((ticket.entry, ticket.id), (claims.entry, claims.id));
        assert_eq!(SIGNER.verify(&bent, now).is_ok(), bent == good, "{bent}");
    }
}

fn check_rules(input: &Input<'_>) {
    let Ok(rules) = serde_json::from_str::<Rules>(input.rules) else { return };
    let shown = serde_json::to_string(&rules).expect("rules are JSON");
    assert_eq!(serde_json::from_str::<Rules>(&shown).ok(), Some(rules.clone()), "{shown}");
    let visit = Visit {
        entry: input.entry,
        ticket: None,
        referrer: input.referrer,
        host: input.host,
        address: input.address,
        now: WallTime::from_micros(input.now),
    };
    if rules.is_open() {
        assert_eq!(rules.decide(&visit), Ok(()));
    }
    let _ = rules.decide(&visit);
}
