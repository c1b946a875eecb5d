//! Stream keys from the catalog, which has them in memory.

use std::collections::BTreeSet;
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
        let Some(opened) = self.keys.find(&request.name) else { return Err(self.stranger(&request.name)) };
        if opened.leg == catalog::Leg::Backup || request.leg == Leg::Backup {
            return Err(unsupported("the backup leg", "publish to /live/ with the primary key"));
        }
        in_time(&opened.entry)?;
        let place = self.place(&opened)?;
        let entry = &opened.entry;
        let pass = KeyPass {
            keys: self.keys.clone(),
            key: Secret::new(request.name.as_str()),
            entry: entry.id.clone(),
            _place: place,
        };
        Ok(Grant {
            entry: entry.id.as_str().into(),
            leg: Leg::Primary,
            rendition: None,
            settings: Arc::new(overrides::apply(&self.base, &entry.settings)),
            air: air(entry.air),
            pass: Arc::new(pass),
        })
    }

    /// A name that is no key: perhaps a key and a rendition.
    fn stranger(&self, name: &str) -> Refusal {
        match split_rendition(name) {
            Some((key, _)) if self.keys.find(key).is_some() => {
                unsupported("renditions of an ABR group", "publish one quality to the key alone")
            }
            _ => Refusal::UnknownKey,
        }
    }

    fn place(&self, opened: &Opened) -> Result<Place, Refusal> {
        let LiveEntry { id, account, .. } = &*opened.entry;
        let Quotas { streams, .. } = opened.quotas;
        let place = self.places.take(account, id, streams, self.waiting(account));
        place.map_err(|limit| Refusal::Quota {
            entry: id.as_str().into(),
            text: format!("the account's streams at once are used up: {limit}"),
        })
    }

    /// The streams of an account whose encoders are expected back.
    fn waiting(&self, account: &AccountId) -> BTreeSet<EntryId> {
        let waits = self.directory.status().into_iter().filter(|status| status.state == State::Waiting);
        let ids = waits.filter_map(|status| EntryId::parse(&status.entry));
        ids.filter(|id| self.keys.entry(id).is_some_and(|entry| entry.account == *account)).collect()
    }
}

/// What the catalog calls a preview is a preview.
pub(super) fn air(air: catalog::Air) -> Air {
    match air {
        catalog::Air::Preview => Air::Preview,
        catalog::Air::Live => Air::Live,
    }
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

/// Holds as long as the key opens the entry and it is its time.
#[derive(Debug)]
struct KeyPass {
    keys: Keys,
    key: Secret,
    entry: EntryId,
    _place: Place,
}

impl Pass for KeyPass {
    fn check(&self) -> Option<Ended> {
        match self.keys.find(self.key.expose()) {
            Some(opened) if opened.entry.id == self.entry => {
                in_time(&opened.entry).err().map(|_| Ended::TimeOver)
            }
            _ if self.keys.entry(&self.entry).is_none() => Some(Ended::Deleted),
            _ => Some(Ended::KeyChanged),
        }
    }
}
