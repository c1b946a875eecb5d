//! `POST /live`: a name is enough, and the answer is everything.

use axum::extract::State;
use catalog::{Caller, Details, EntryId, Kind, NewEntry, Scope};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::settings::LiveSettingsPatch;
use super::srt::SrtPatch;
use super::view::LiveView;
use super::{find, shown_tag};
use crate::access::AccessPatch;
use crate::answer::Created;
use crate::base::Base;
use crate::body::{Json, optional_object};
use crate::control::Control;
use crate::entries::EntryPatch;
use crate::id;
use crate::idempotency::Repeatable;
use crate::problem::Problem;
use crate::roles::Producer;
use crate::words::Air;

/// What a live entry is created from. A name is enough.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLive {
    /// Its name, for people.
    #[schema(
        min_length = 1,
        max_length = 250,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Sunday service"
    )]
    name: String,
    /// A longer text.
    #[schema(max_length = 10_000, pattern = r"^[^\u0000]*$")]
    description: Option<String>,
    /// Tags.
    #[schema(max_items = 50)]
    tags: Option<Vec<String>>,
    /// Whatever is to be kept with it: at most 32 KiB of JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
    /// Who it belongs to, in the customer's own words.
    #[schema(max_length = 250, pattern = r"^[^\u0000]*$")]
    owner: Option<String>,
    /// The account that it will belong to: for tokens of the whole server. Their main account otherwise.
    #[schema(pattern = "^acc_[0-9a-z]{8}$")]
    account: Option<String>,
    /// Whether everybody may watch as soon as an encoder publishes, or its own people only until `go-live`. `live` when
    /// left out.
    air: Option<Air>,
    /// Who may watch it; everybody when left out.
    #[serde(default, deserialize_with = "optional_object")]
    #[schema(value_type = Option<AccessPatch>)]
    access: Option<AccessPatch>,
    /// What overrides the configuration.
    #[serde(default, deserialize_with = "optional_object")]
    settings: Option<LiveSettingsPatch>,
    /// How it is published to by SRT.
    #[serde(default, deserialize_with = "optional_object")]
    srt: Option<SrtPatch>,
}

/// Creates a live entry.
///
/// The answer has everything that is needed to go on air: keys, URLs to publish to and to watch, ready-made settings
/// for encoders. It can be published to at once.
#[utoipa::path(
    post, path = "/live", tag = "live", operation_id = "createLive", request_body = NewLive,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Created.", body = LiveView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
pub(super) async fn create(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    repeatable: Repeatable,
    Json { value: new, digest }: Json<NewLive>,
) -> Result<Created, Problem> {
    let entry = new.checked(&control, producer.scope())?;
    let work = async |caller: Caller| {
        let (entry, keys) = control.catalog().entries().create(&caller, entry).await?;
        Ok(created(&control, &base, &entry, &keys))
    };
    let again = async |id: String| {
        let id = EntryId::parse(&id).ok_or_else(|| Problem::not_found("entry"))?;
        let entry = find(&control, producer.scope(), &id).await?;
        let keys = control.catalog().stream_keys().get(producer.scope(), &id).await?;
        Ok(created(&control, &base, &entry, &keys))
    };
    repeatable.once(control.catalog(), producer.token(), &digest, true, work, again).await
}

fn created(control: &Control, base: &Base, entry: &catalog::Entry, keys: &catalog::StreamKeys) -> Created {
    let view = LiveView::new(control, base, entry, Some(keys));
    Created::new(format!("/api/v1/live/{}", entry.id), Some(shown_tag(control, entry)), &view)
}

impl NewLive {
    fn checked(self, control: &Control, scope: &Scope) -> Result<NewEntry, Problem> {
        let (air, account) = (self.air.unwrap_or(Air::Live).into(), self.account.clone());
        let mut details = Details::default();
        self.patch().apply(Kind::Live, &mut details, &control.settings().live)?;
        let account = account.map(|account| id::account(&account, scope)).transpose()?;
        Ok(NewEntry { account, kind: Kind::Live, air, details })
    }

    fn patch(self) -> EntryPatch {
        EntryPatch {
            name: Some(self.name),
            description: self.description.map(Some),
            tags: self.tags.map(Some),
            metadata: self.metadata.map(Some),
            owner: self.owner.map(Some),
            access: self.access.map(Some),
            settings: self.settings,
            srt: self.srt,
        }
    }
}
