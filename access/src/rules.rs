//! Whether somebody may watch.

use std::net::IpAddr;

use ipnet::IpNet;
use media::WallTime;
use serde::{Deserialize, Serialize};

use crate::denied::Denied;
use crate::domain::{self, DomainPattern};
use crate::form::Form;
use crate::network::canonical;
use crate::signer::Ticket;

/// Whether a ticket is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Playback {
    /// No.
    #[default]
    Open,
    /// Yes.
    Signed,
}

/// Who may watch an entry. The default lets everybody. As JSON it is a [`Form`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct Rules {
    /// Whether a ticket is asked for.
    pub playback: Playback,
    /// Sites on whose pages it may be watched; any where there is none.
    pub referrers: Vec<DomainPattern>,
    /// Whether who names no site is refused, where sites are listed. Players outside browsers name none, and people may
    /// tell their browser not to.
    pub require_referrer: bool,
    /// Networks that are let in; all where there is none.
    pub allow: Vec<IpNet>,
    /// Networks that are not, whatever `allow` says.
    pub deny: Vec<IpNet>,
    /// Nobody before this.
    pub from: Option<WallTime>,
    /// Nor from this on.
    pub until: Option<WallTime>,
}

/// Somebody who wants to watch.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// What.
    pub entry: &'a str,
    /// With which ticket.
    pub ticket: Option<&'a Ticket>,
    /// On whose page: the whole `Referer`, or `Origin` where there is none.
    pub referrer: Option<&'a str>,
    /// By which name the server was asked, as in `Host`: the server's own pages are no foreign site.
    pub host: Option<&'a str>,
    /// From where.
    pub address: IpAddr,
    /// When.
    pub now: WallTime,
}

impl Playback {
    /// The word that stands for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Playback::Open => "open",
            Playback::Signed => "signed",
        }
    }

    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Playback> {
        [Playback::Open, Playback::Signed].into_iter().find(|playback| playback.as_str() == word)
    }
}

impl Rules {
    /// Whether they let in everybody at any time.
    pub fn is_open(&self) -> bool {
        *self == Rules::default()
    }

    /// Whether somebody may watch. A ticket is looked at even where none is asked for: a link that names another entry
    /// is a mistake that should be seen.
    ///
    /// A ticket for what is in preview is for the entry's own people, who look before the public does, and on pages
    /// that are not on air yet: sites and times do not bind it. Addresses do.
    ///
    /// # Errors
    /// The first reason why not.
    pub fn decide(&self, visit: &Visit<'_>) -> Result<(), Denied> {
        match visit.ticket {
            Some(ticket) => ticket.admits(visit.entry, visit.address)?,
            None if self.playback == Playback::Signed => return Err(Denied::TokenMissing),
            None => {}
        }
        self.address(visit.address)?;
        if is_staff(visit) {
            return Ok(());
        }
        self.time(visit.now)?;
        self.referrer(visit)
    }

    /// Whether a page with a player may be shown where it is asked for. It holds no media and says itself why nothing
    /// plays; the site that frames it is what only the page's own request tells.
    ///
    /// # Errors
    /// Why not.
    pub fn decide_page(&self, visit: &Visit<'_>) -> Result<(), Denied> {
        if is_staff(visit) { Ok(()) } else { self.referrer(visit) }
    }

    fn address(&self, address: IpAddr) -> Result<(), Denied> {
        let address = canonical(address);
        let within = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        let welcome = self.allow.is_empty() || within(&self.allow);
        if welcome && !within(&self.deny) { Ok(()) } else { Err(Denied::Address) }
    }

    fn time(&self, now: WallTime) -> Result<(), Denied> {
        if self.from.is_some_and(|from| now < from) {
            return Err(Denied::TooEarly);
        }
        if self.until.is_some_and(|until| until <= now) { Err(Denied::TooLate) } else { Ok(()) }
    }

    fn referrer(&self, visit: &Visit<'_>) -> Result<(), Denied> {
        if self.referrers.is_empty() {
            return Ok(());
        }
        match visit.referrer.and_then(domain::host) {
            None if self.require_referrer => Err(Denied::ReferrerMissing),
            None => Ok(()),
            Some(site) if is_own(site, visit.host) => Ok(()),
            Some(site) if self.referrers.iter().any(|pattern| pattern.matches(site)) => Ok(()),
            Some(_) => Err(Denied::Referrer),
        }
    }
}

/// Whether this is one of the entry's own people, who look before the public does.
fn is_staff(visit: &Visit<'_>) -> bool {
    visit.ticket.is_some_and(|ticket| ticket.preview)
}

/// Whether a page is the server's own: the watch page or the embed frame, which were decided on themselves.
fn is_own(site: &str, host: Option<&str>) -> bool {
    host.and_then(domain::without_port).is_some_and(|own| own.eq_ignore_ascii_case(site))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime::from_millis(1_795_309_432_000);
    const LATER: WallTime = WallTime::from_millis(1_795_309_432_001);

    fn rules(json: &str) -> Rules {
        serde_json::from_str(json).expect("rules")
    }

    fn ticket(entry: &str) -> Ticket {
        Ticket { entry: entry.to_owned(), network: None, preview: false, id: String::new(), expires: LATER }
    }

    fn visit(address: &str) -> Visit<'static> {
        let address = address.parse().expect("an address");
        Visit { entry: "x", ticket: None, referrer: None, host: Some("live.test:8080"), address, now: NOW }
    }

    fn on<'a>(referrer: &'a str) -> Visit<'a> {
        Visit { referrer: Some(referrer), ..visit("192.0.2.1") }
    }

    #[test]
    fn addresses_are_let_in_and_kept_out() {
        let some =
            rules(r#"{"addresses":{"allow":["192.0.2.0/24","2001:db8::/32"],"deny":["192.0.2.128/25"]}}"#);
        for (address, decided) in [
            ("192.0.2.7", Ok(())),
            ("::ffff:192.0.2.7", Ok(())),
            ("2001:db8::7", Ok(())),
            ("192.0.2.200", Err(Denied::Address)),
            ("::ffff:192.0.2.200", Err(Denied::Address)),
            ("198.51.100.1", Err(Denied::Address)),
            ("::192.0.2.7", Err(Denied::Address)),
        ] {
            assert_eq!(some.decide(&visit(address)), decided, "{address}");
        }
        let others = rules(r#"{"addresses":{"deny":["10.0.0.0/8"]}}"#);
        assert_eq!(others.decide(&visit("192.0.2.7")), Ok(()));
        assert_eq!(others.decide(&visit("10.1.2.3")), Err(Denied::Address));
    }

    #[test]
    fn a_site_is_one_that_is_listed_or_the_servers_own() {
        let some = rules(r#"{"referrers":["example.org","*.example.org"]}"#);
        for (referrer, decided) in [
            ("https://example.org/live?x=1", Ok(())),
            ("https://WWW.example.org:8443/", Ok(())),
            ("http://live.test:8080/watch/x", Ok(())),
            ("https://evil.test/", Err(Denied::Referrer)),
            ("https://evil.test/https://example.org/", Err(Denied::Referrer)),
            ("https://example.org@evil.test/", Err(Denied::Referrer)),
            ("https://example.org.evil.test/", Err(Denied::Referrer)),
            ("null", Ok(())),
        ] {
            assert_eq!(some.decide(&on(referrer)), decided, "{referrer}");
        }
        assert_eq!(some.decide(&visit("192.0.2.1")), Ok(()), "a player outside browsers names none");
        assert_eq!(some.decide_page(&on("https://evil.test/")), Err(Denied::Referrer));
        let signed = Rules { playback: Playback::Signed, ..some.clone() };
        assert_eq!(signed.decide_page(&on("https://example.org/")), Ok(()), "the page says what is missing");
        let strict = Rules { require_referrer: true, ..some };
        assert_eq!(strict.decide(&visit("192.0.2.1")), Err(Denied::ReferrerMissing));
        assert_eq!(strict.decide(&on("null")), Err(Denied::ReferrerMissing));
        assert_eq!(strict.decide(&on("https://example.org/")), Ok(()));
    }

    #[test]
    fn the_window_has_its_first_moment_and_not_its_last() {
        let at = |now| Visit { now, ..visit("192.0.2.1") };
        let from = Rules { from: Some(LATER), ..Rules::default() };
        assert_eq!([from.decide(&at(NOW)), from.decide(&at(LATER))], [Err(Denied::TooEarly), Ok(())]);
        let until = Rules { until: Some(LATER), ..Rules::default() };
        assert_eq!([until.decide(&at(NOW)), until.decide(&at(LATER))], [Ok(()), Err(Denied::TooLate)]);
    }

    #[test]
    fn signed_playback_asks_for_a_ticket_of_this_entry() {
        let signed = Rules { playback: Playback::Signed, ..Rules::default() };
        let with = |rules: &Rules, ticket: Ticket| {
            rules.decide(&Visit { ticket: Some(&ticket), ..visit("::ffff:192.0.2.1") })
        };
        assert_eq!(signed.decide(&visit("192.0.2.1")), Err(Denied::TokenMissing));
        assert_eq!(with(&signed, ticket("x")), Ok(()));
        for rules in [signed.clone(), Rules::default()] {
            assert_eq!(with(&rules, ticket("y")), Err(Denied::TokenEntry), "{rules:?}");
        }
        let bound = |network: &str| Ticket { network: network.parse().ok(), ..ticket("x") };
        assert_eq!(with(&signed, bound("192.0.2.1/32")), Ok(()));
        assert_eq!(with(&signed, bound("192.0.2.2/32")), Err(Denied::TokenAddress));
    }

    #[test]
    fn who_looks_before_the_public_is_bound_by_addresses_alone() {
        let preview = Ticket { preview: true, ..ticket("x") };
        let visit = |address| Visit {
            ticket: Some(&preview),
            referrer: Some("https://staff.test/"),
            ..visit(address)
        };
        let mut rules =
            rules(r#"{"playback":"signed","referrers":["a.org"],"addresses":{"deny":["10.0.0.0/8"]}}"#);
        rules.from = Some(LATER);
        assert_eq!(rules.decide(&visit("192.0.2.1")), Ok(()));
        assert_eq!(rules.decide(&visit("10.0.0.1")), Err(Denied::Address));
    }
}
