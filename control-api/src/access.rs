//! Who may watch an entry, as it is shown and edited.

use std::sync::Arc;

use access::{Addresses, Form, Rules};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::{clearable, clearable_object};
use crate::check::Check;
use crate::words::Playback;

/// Who may watch an entry. All of it has to hold, with every request of a viewer.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessRules)]
pub(crate) struct AccessView {
    /// Whether a playback token is asked for.
    playback: Playback,
    /// Sites on whose pages it may be watched; any where there is none. `*.example.org` is all below `example.org` and
    /// not itself.
    referrers: Vec<String>,
    /// Whether who names no site is refused too, where sites are listed. Players outside browsers never name one.
    require_referrer: bool,
    /// From where it may be watched.
    addresses: AddressesView,
    /// From when on.
    #[schema(required, format = DateTime)]
    from: Option<String>,
    /// Until when; not at that time any more.
    #[schema(required, format = DateTime)]
    until: Option<String>,
}

/// Networks like `192.0.2.0/24` and `2001:db8::/32`; one address is a network of one.
#[derive(Serialize, ToSchema)]
#[schema(as = AccessAddresses)]
struct AddressesView {
    /// Only these are let in, where there are any.
    allow: Vec<String>,
    /// These are not, whatever `allow` says.
    deny: Vec<String>,
}

/// What of the rules is to be changed. What is left out stays, `null` lets everybody in as far as it goes.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessRulesPatch)]
pub(crate) struct AccessPatch {
    /// Whether a playback token is asked for.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Playback>)]
    playback: Option<Option<Playback>>,
    /// Sites on whose pages it may be watched: `example.org`, `*.example.org`.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 100)]
    referrers: Option<Option<Vec<String>>>,
    /// Whether who names no site is refused too, where sites are listed.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<bool>)]
    require_referrer: Option<Option<bool>>,
    /// From where it may be watched.
    #[serde(default, deserialize_with = "clearable_object")]
    #[schema(value_type = Option<AddressesPatch>)]
    addresses: Option<Option<AddressesPatch>>,
    /// From when on.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Option<String>>,
    /// Until when; not at that time any more.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Option<String>>,
}

/// What of the networks is to be changed: `192.0.2.0/24`, `2001:db8::/32`, or single addresses.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccessAddressesPatch)]
struct AddressesPatch {
    /// Only these are let in, where there are any.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 200)]
    allow: Option<Option<Vec<String>>>,
    /// These are not, whatever `allow` says.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 200)]
    deny: Option<Option<Vec<String>>>,
}

impl AccessView {
    pub(crate) fn new(rules: &Rules) -> AccessView {
        let Form { referrers, require_referrer, addresses, from, until, .. } = Form::from(rules);
        let addresses = AddressesView { allow: addresses.allow, deny: addresses.deny };
        AccessView { playback: rules.playback.into(), referrers, require_referrer, addresses, from, until }
    }
}

impl AccessPatch {
    /// Merges into what there is, unless what would come of it is wrong.
    pub(crate) fn apply(&self, rules: &mut Arc<Rules>, wrong: &mut Check) {
        let mut form = Form::from(&**rules);
        self.merge(&mut form);
        match Rules::read(&form) {
            Ok(read) => *rules = Arc::new(read),
            Err(invalid) => wrong.wrong(&format!("access.{}", invalid.field), invalid.why),
        }
    }

    fn merge(&self, form: &mut Form) {
        let playback = self.playback.map(|word| access::Playback::from(word.unwrap_or(Playback::Open)));
        set(&mut form.playback, &playback.map(|word| Some(word.as_str().to_owned())));
        set(&mut form.referrers, &self.referrers);
        set(&mut form.require_referrer, &self.require_referrer);
        match &self.addresses {
            Some(Some(patch)) => patch.merge(&mut form.addresses),
            Some(None) => form.addresses = Addresses::default(),
            None => {}
        }
        set(&mut form.from, &self.from.clone().map(Some));
        set(&mut form.until, &self.until.clone().map(Some));
    }
}

impl AddressesPatch {
    fn merge(&self, addresses: &mut Addresses) {
        set(&mut addresses.allow, &self.allow);
        set(&mut addresses.deny, &self.deny);
    }
}

/// Left out stays, `null` clears.
fn set<T: Clone + Default>(target: &mut T, patch: &Option<Option<T>>) {
    if let Some(value) = patch {
        *target = value.clone().unwrap_or_default();
    }
}
