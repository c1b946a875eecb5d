//! Stream keys from the catalog, which has them in memory.

use std::sync::Arc;
use std::time::SystemTime;

use catalog::keys::{LiveEntry, Opened};
use catalog::{AccountId, EntryId, Keys, Quotas, Secret};
use config::split_rendition;
use media::WallTime;
use stream::status::State;
use stream::{Air, Directory, Ended, Grant, Leg, Pass, Refusal, Request, Settings};

use super::fixed::unsupported;
use super::overrides;
use super::places::{Place, Places};

/// Lets in who has a key of an entry whose time it is and whose account may use more.
pub(super) struct Provisioned {
    keys: Keys,
    base: Arc<Settings>,
    directory: Directory,
    places: Arc<Places>,
}

impl Provisioned {
    pub(super) fn new(keys: Keys, base: Arc<Settings>, directory: Directory) -> Provisioned {
        Provisioned { keys, base, directory, places: Arc::default() }
    }

    pub(super) fn decide(&self, request: &Request) -> Result<Grant, Refusal> {
        let (key, opened, rendition) = self.find(&request.name).ok_or(Refusal::UnknownKey)?;
        if opened.leg == catalog::Leg::Backup || request.leg == Leg::Backup {
            return Err(unsupported("the backup leg", "publish to /live/ with the primary key"));
        }
        self.grant(&opened, rendition, Some(Secret::new(key)))
    }

    /// The same for what the server takes by itself, without a key.
    pub(super) fn for_input(
        &self,
        entry: &EntryId,
        rendition: Option<&str>,
    ) -> Option<Result<Grant, Refusal>> {
        let entry = self.keys.entry(entry)?;
        let quotas = self.keys.quotas(&entry.account);
        let opened = Opened { entry, leg: catalog::Leg::Primary, quotas };
        Some(self.grant(&opened, rendition, None))
    }

    fn grant(&self, opened: &Opened, rendition: Option<&str>, key: Option<Secret>) -> Result<Grant, Refusal> {
        in_time(&opened.entry)?;
        let place = self.place(opened)?;
        let entry = &opened.entry;
        let pass = EntryPass { keys: self.keys.clone(), key, entry: entry.id.clone(), _place: place };
        Ok(Grant {
            entry: entry.id.as_str().into(),
            leg: Leg::Primary,
            rendition: rendition.map(str::to_owned),
            settings: Arc::new(overrides::apply(&self.base, &entry.settings, opened.quotas)),
            air: air(entry.air),
            pass: Arc::new(pass),
        })
    }

    /// What the publisher of that name encrypts with.
    pub(super) fn passphrase(&self, name: &str) -> Option<String> {
        let (_, opened, _) = self.find(name)?;
        opened.entry.settings.srt_passphrase.as_ref().map(|secret| secret.expose().to_owned())
    }

    /// A name is a key, or a key and a rendition.
    fn find<'a>(&self, name: &'a str) -> Option<(&'a str, Opened, Option<&'a str>)> {
        if let Some(opened) = self.keys.find(name) {
            return Some((name, opened, None));
        }
        let (key, rendition) = split_rendition(name)?;
        Some((key, self.keys.find(key)?, Some(rendition)))
    }

    fn place(&self, opened: &Opened) -> Result<Place, Refusal> {
        let LiveEntry { id, account, .. } = &*opened.entry;
        let Quotas { streams, bitrate, .. } = opened.quotas;
        let refusal = |text| Refusal::Quota { entry: id.as_str().into(), text };
        if let Some(most) = bitrate
            && self.bitrate(account, id) >= most
        {
            return Err(refusal(format!(
                "the account's bitrate is used up by its other streams: {most} bit/s"
            )));
        }
        let place = self.places.take(account, id, streams, self.of(account, State::Waiting).collect());
        place.map_err(|most| refusal(format!("the account's streams at once are used up: {most}")))
    }

    /// What the other streams of an account bring, in bits per second.
    fn bitrate(&self, account: &AccountId, but: &EntryId) -> u64 {
        let others = self.of(account, State::Publishing).filter(|id| id != but);
        let legs = others.filter_map(|id| self.directory.report(id.as_str())).flat_map(|report| report.legs);
        legs.map(|leg| leg.health.bitrate).sum()
    }

    /// The streams of an account that stand there.
    fn of(&self, account: &AccountId, state: State) -> impl Iterator<Item = EntryId> {
        let there = self.directory.status().into_iter().filter(move |status| status.state == state);
        let ids = there.filter_map(|status| EntryId::parse(&status.entry));
        ids.filter(|id| self.keys.entry(id).is_some_and(|entry| entry.account == *account))
    }
}

/// What the catalog calls a preview is a preview.
pub(crate) fn air(air: catalog::Air) -> Air {
    match air {
        catalog::Air::Preview => Air::Preview,
        catalog::Air::Live => Air::Live,
    }
}

/// A named timeline as a stream knows it.
pub(crate) fn timeline(timeline: &catalog::Timeline) -> stream::Timeline {
    let catalog::timelines::Details { start, end, air: whose } = timeline.details;
    stream::Timeline { name: timeline.name.as_str().into(), start, end, air: air(whose) }
}

fn in_time(entry: &LiveEntry) -> Result<(), Refusal> {
    let now = WallTime::from(SystemTime::now());
    if entry.settings.is_open_at(now) {
        return Ok(());
    }
    let text = match (entry.settings.starts_at, entry.settings.ends_at) {
        (Some(start), _) if now < start => format!("this stream can be published to from {start} on"),
        (_, Some(end)) => format!("this stream could be published to until {end}"),
        _ => "this stream cannot be published to now".to_owned(),
    };
    Err(Refusal::NotNow { entry: entry.id.as_str().into(), text })
}

/// Holds as long as the entry is there, its key opens it where it came with one, and it is its time.
#[derive(Debug)]
struct EntryPass {
    keys: Keys,
    key: Option<Secret>,
    entry: EntryId,
    _place: Place,
}

impl Pass for EntryPass {
    fn check(&self) -> Option<Ended> {
        let Some(entry) = self.keys.entry(&self.entry) else { return Some(Ended::Deleted) };
        let opens = |key: &Secret| self.keys.find(key.expose()).is_some_and(|it| it.entry.id == self.entry);
        if !self.key.as_ref().is_none_or(opens) {
            return Some(Ended::KeyChanged);
        }
        in_time(&entry).err().map(|_| Ended::TimeOver)
    }
}
