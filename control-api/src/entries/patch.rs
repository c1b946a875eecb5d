//! What of an entry can be written: given when it is created, edited by a merge patch (RFC 7396).

use std::sync::Arc;

use catalog::entry::{DESCRIPTION, METADATA, NAME, OWNER, TAG, TAGS};
use catalog::{Details, Kind};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::access::AccessPatch;
use crate::api::LiveDefaults;
use crate::body::{clearable, clearable_object, given, given_object};
use crate::check::Check;
use crate::live::settings::{self, LiveSettingsPatch};
use crate::live::srt::SrtPatch;
use crate::problem::Problem;

/// What of an entry is to be changed: a JSON Merge Patch (RFC 7396). What is left out stays, `null` clears.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryPatch {
    /// Its name, for people.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 250, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub(crate) name: Option<String>,
    /// A longer text.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 10_000, pattern = r"^[^\u0000]*$")]
    pub(crate) description: Option<Option<String>>,
    /// Tags, each once.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub(crate) tags: Option<Option<Vec<String>>>,
    /// Whatever is to be kept with it: at most 32 KiB of JSON. Patches merge into it, at any depth.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Object>)]
    pub(crate) metadata: Option<Option<Map<String, Value>>>,
    /// Who it belongs to, in the customer's own words.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, max_length = 250, pattern = r"^[^\u0000]*$")]
    pub(crate) owner: Option<Option<String>>,
    /// Who may watch it; `null` lets everybody.
    #[serde(default, deserialize_with = "clearable_object")]
    #[schema(value_type = Option<AccessPatch>)]
    pub(crate) access: Option<Option<AccessPatch>>,
    /// What overrides the configuration, of a live entry. Most of it takes effect with the next session.
    #[serde(default, deserialize_with = "given_object")]
    #[schema(value_type = LiveSettingsPatch, required = false)]
    pub(crate) settings: Option<LiveSettingsPatch>,
    /// How a live entry is published to by SRT.
    #[serde(default, deserialize_with = "given_object")]
    #[schema(value_type = SrtPatch, required = false)]
    pub(crate) srt: Option<SrtPatch>,
}

impl EntryPatch {
    /// Merges into what there is, or says everything that is wrong with what would come of it.
    pub(crate) fn apply(
        &self,
        kind: Kind,
        details: &mut Details,
        configured: &LiveDefaults,
    ) -> Result<(), Problem> {
        let mut wrong = Check::default();
        self.describe(details);
        check(details, &mut wrong);
        match &self.access {
            Some(Some(patch)) => patch.apply(&mut details.access, &mut wrong),
            Some(None) => details.access = Arc::default(),
            None => {}
        }
        match (kind, &self.settings) {
            (Kind::Live, Some(patch)) => {
                patch.apply(&mut details.live, &mut wrong);
                settings::check(&details.live, configured, &mut wrong);
            }
            (Kind::Vod, Some(_)) => wrong.wrong("settings", "are of live entries only"),
            (_, None) => {}
        }
        match (kind, &self.srt) {
            (Kind::Live, Some(patch)) => patch.apply(&mut details.live, &mut wrong),
            (Kind::Vod, Some(_)) => wrong.wrong("srt", "is of live entries only"),
            (_, None) => {}
        }
        wrong.done()
    }

    fn describe(&self, details: &mut Details) {
        if let Some(name) = &self.name {
            details.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            details.description = description.clone().unwrap_or_default();
        }
        if let Some(tags) = &self.tags {
            details.tags = tags.clone().unwrap_or_default();
        }
        if let Some(owner) = &self.owner {
            details.owner.clone_from(owner);
        }
        match &self.metadata {
            Some(Some(patch)) => merge(&mut details.metadata, patch),
            Some(None) => details.metadata.clear(),
            None => {}
        }
    }
}

/// What is wrong with details, as they would be stored.
fn check(details: &Details, check: &mut Check) {
    check.named("name", &details.name, NAME);
    check.text("description", &details.description, DESCRIPTION);
    if let Some(owner) = &details.owner {
        check.text("owner", owner, OWNER);
    }
    check.ensure(details.tags.len() <= TAGS, "tags", || format!("are more than {TAGS}"));
    for (at, tag) in details.tags.iter().enumerate() {
        check.named(&format!("tags[{at}]"), tag, TAG);
    }
    let metadata = Value::Object(details.metadata.clone()).to_string();
    check.ensure(metadata.len() <= METADATA, "metadata", || {
        format!("is larger than {METADATA} bytes of JSON")
    });
}

/// RFC 7396 §2. How deep it goes is bounded by how deep JSON is read.
fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(name)),
            Value::Object(patch) => {
                let member = target.entry(name).or_insert(Value::Null);
                if !member.is_object() {
                    *member = Value::Object(Map::new());
                }
                if let Value::Object(member) = member {
                    merge(member, patch);
                }
            }
            value => drop(target.insert(name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A, that are objects.
    #[test]
    fn metadata_merges_as_the_standard_says() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let (mut merged, patch) = (target.as_object().cloned(), patch.as_object().cloned());
            if let (Some(target), Some(patch)) = (&mut merged, &patch) {
                merge(target, patch);
            }
            assert_eq!(merged.map(Value::Object), Some(expected));
        }
    }
}
