//! Rules as they are written: what an API takes and shows, and what is stored.

use media::WallTime;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::DomainPattern;
use crate::network::network;
use crate::rules::{Playback, Rules};

/// Most sites of an entry.
const MAX_REFERRERS: usize = 100;
/// Most networks of an entry that are let in, and most that are kept out.
const MAX_NETWORKS: usize = 200;

/// Rules in words: [`Rules::read`] says whether they are any.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Form {
    /// `open` or `signed`.
    pub playback: String,
    /// Sites: `example.org`, `*.example.org`; any where there is none. At most 100.
    pub referrers: Vec<String>,
    /// Whether who names no site is refused, where sites are listed.
    pub require_referrer: bool,
    /// Addresses and networks.
    pub addresses: Addresses,
    /// From when on it may be watched, in RFC 3339.
    pub from: Option<String>,
    /// Until when, in RFC 3339; not at that time any more.
    pub until: Option<String>,
}

/// Networks in words, `192.0.2.0/24`, `2001:db8::/32`, or single addresses; at most 200 in each list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Addresses {
    /// Only these are let in, where there are any.
    pub allow: Vec<String>,
    /// These are not, whatever `allow` says.
    pub deny: Vec<String>,
}

/// What is wrong with a [`Form`], and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field} {why}")]
pub struct Invalid {
    /// The field, with its path: `addresses.allow`.
    pub field: &'static str,
    /// What is wrong with it, to be read behind the name.
    pub why: String,
}

impl Default for Form {
    fn default() -> Form {
        Form {
            playback: Playback::Open.as_str().to_owned(),
            referrers: Vec::new(),
            require_referrer: false,
            addresses: Addresses::default(),
            from: None,
            until: None,
        }
    }
}

impl Rules {
    /// Reads them.
    ///
    /// # Errors
    /// The first field that is wrong, and why.
    pub fn read(form: &Form) -> Result<Rules, Invalid> {
        let rules = Rules {
            playback: Playback::parse(&form.playback)
                .ok_or_else(|| invalid("playback", "is neither open nor signed".to_owned()))?,
            referrers: list("referrers", &form.referrers, MAX_REFERRERS, "a domain", DomainPattern::parse)?,
            require_referrer: form.require_referrer,
            allow: list("addresses.allow", &form.addresses.allow, MAX_NETWORKS, "a network", network)?,
            deny: list("addresses.deny", &form.addresses.deny, MAX_NETWORKS, "a network", network)?,
            from: moment("from", form.from.as_deref())?,
            until: moment("until", form.until.as_deref())?,
        };
        match (rules.from, rules.until) {
            (Some(from), Some(until)) if until <= from => {
                Err(invalid("until", "is not after from".to_owned()))
            }
            _ => Ok(rules),
        }
    }
}

impl From<&Rules> for Form {
    fn from(rules: &Rules) -> Form {
        Form {
            playback: rules.playback.as_str().to_owned(),
            referrers: words(&rules.referrers),
            require_referrer: rules.require_referrer,
            addresses: Addresses { allow: words(&rules.allow), deny: words(&rules.deny) },
            from: rules.from.map(|at| at.to_string()),
            until: rules.until.map(|at| at.to_string()),
        }
    }
}

impl From<Rules> for Form {
    fn from(rules: Rules) -> Form {
        Form::from(&rules)
    }
}

impl TryFrom<Form> for Rules {
    type Error = Invalid;

    fn try_from(form: Form) -> Result<Rules, Invalid> {
        Rules::read(&form)
    }
}

/// Each of them once, in order.
fn list<T: Ord>(
    field: &'static str,
    texts: &[String],
    most: usize,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, Invalid> {
    if texts.len() > most {
        return Err(invalid(field, format!("has {} of at most {most}", texts.len())));
    }
    let one = |(at, text): (usize, &String)| {
        parse(text).ok_or_else(|| invalid(field, format!("[{at}] is not {what}")))
    };
    let mut all = texts.iter().enumerate().map(one).collect::<Result<Vec<T>, Invalid>>()?;
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<WallTime>, Invalid> {
    let Some(text) = text else { return Ok(None) };
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| invalid(field, "is not a time in RFC 3339, such as 2026-11-22T18:00:00Z".to_owned()))?;
    // Whole milliseconds, as they are shown.
    let millis = i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000));
    millis
        .map(|millis| Some(WallTime::from_millis(millis)))
        .map_err(|_| invalid(field, "is too far away".to_owned()))
}

fn words<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(T::to_string).collect()
}

fn invalid(field: &'static str, why: String) -> Invalid {
    Invalid { field, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Rules, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn rules_are_written_as_they_are_shown() {
        let json = r#"{"playback":"signed","referrers":["*.example.org","example.org"],"require_referrer":true,"addresses":{"allow":["192.0.2.0/24"],"deny":["192.0.2.7/32","2001:db8::/32"]},"from":"2026-11-22T18:00:00.000Z","until":"2026-11-22T20:00:00.500Z"}"#;
        let rules = read(json).expect("rules");
        // Sites are sorted, names before stars.
        let shown = serde_json::to_string(&rules).expect("JSON");
        assert_eq!(read(&shown), Ok(rules.clone()));
        assert_eq!(shown.len(), json.len(), "{shown}");
        assert_eq!(rules.until, Some(WallTime::from_millis(1_795_377_600_500)));
    }

    #[test]
    fn nothing_written_is_open_to_everybody() {
        let rules = read("{}").expect("rules");
        assert_eq!(rules, Rules::default());
        assert!(rules.is_open());
        assert!(!read(r#"{"playback":"signed"}"#).expect("rules").is_open());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_field() {
        let many = format!(r#"{{"referrers":[{}"a.org"]}}"#, r#""a.org","#.repeat(MAX_REFERRERS));
        for (json, words) in [
            (r#"{"playback":"secret"}"#, "playback is neither open nor signed"),
            (r#"{"referrers":["a.org","https://b.org"]}"#, "referrers [1] is not a domain"),
            (r#"{"addresses":{"deny":["10.0.0.0/40"]}}"#, "addresses.deny [0] is not a network"),
            (r#"{"from":"tomorrow"}"#, "from is not a time in RFC 3339"),
            (r#"{"from":"2026-01-01T00:00:00Z","until":"2026-01-01T00:00:00Z"}"#, "until is not after from"),
            (many.as_str(), "referrers has 101 of at most 100"),
            (r#"{"play":"open"}"#, "unknown field `play`"),
            (r#"{"addresses":{"permit":[]}}"#, "unknown field `permit`"),
        ] {
            let error = read(json).expect_err(json);
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_time_of_another_zone_is_the_same_time() {
        let rules = read(r#"{"from":"2026-11-22T19:00:00+01:00"}"#).expect("rules");
        assert_eq!(Form::from(&rules).from.as_deref(), Some("2026-11-22T18:00:00.000Z"));
    }
}
