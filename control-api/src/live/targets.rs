//! Targets of a live entry: servers that it is sent on to while it is live.

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use catalog::targets::{CHOICE, Details, KEY, MOST, NAME, PASSPHRASE, Secrets, Target, URL};
use catalog::{Caller, EntryId, Secret, TargetId};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::find;
use crate::answer::{self, Created};
use crate::body::{Json, clearable, given};
use crate::check::Check;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::id::Id;
use crate::idempotency::Repeatable;
use crate::page::Listed;
use crate::problem::Problem;
use crate::restreamer::{TargetState, TargetStatus};
use crate::roles::{Producer, Viewer};
use crate::times;

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// What a target is created from. A name and a URL with its key are enough.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTarget {
    /// What it is called.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$",
        example = "Video service"
    )]
    name: String,
    /// Where to: `rtmp://HOST/APP`, `rtmps://HOST/APP` or `srt://HOST:PORT`. A key that stands behind the application, and
    /// `streamid` and `passphrase` of SRT, are taken out of it and never shown.
    #[schema(
        min_length = 1,
        max_length = 2000,
        pattern = "^(rtmps?|srt)://.+$",
        example = "rtmps://live.example.org/app/a-stream-key"
    )]
    url: String,
    /// The stream key of RTMP, or the stream id of SRT, where it is not in the URL. It is never shown.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    stream_key: Option<Option<String>>,
    /// What SRT encrypts with, 10 to 79 bytes. It is never shown.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 79, pattern = r"^[^\u0000]*$")]
    passphrase: Option<Option<String>>,
    /// Which pictures, as `720p` or `video-720p`; the best when left out.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$", example = "720p")]
    rendition: Option<Option<String>>,
    /// Which sound, by its language or rendition; the first when left out.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$", example = "en")]
    audio: Option<Option<String>>,
    /// Whether the entry is sent there while it is live; it is when left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// What of a target is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TargetPatch {
    /// What it is called.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    name: Option<String>,
    /// Where to. The key and the passphrase of the old URL are forgotten: what was a secret between this server and that one
    /// is told no other.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2000, pattern = "^(rtmps?|srt)://.+$")]
    url: Option<String>,
    /// The stream key of RTMP, or the stream id of SRT.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    stream_key: Option<Option<String>>,
    /// What SRT encrypts with, 10 to 79 bytes; `null` for nothing.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 79, pattern = r"^[^\u0000]*$")]
    passphrase: Option<Option<String>>,
    /// Which pictures; `null` is the best.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    rendition: Option<Option<String>>,
    /// Which sound; `null` is the first.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    audio: Option<Option<String>>,
    /// Whether the entry is sent there while it is live. It begins and ends at once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
}

/// A target of a live entry, without its secrets.
#[derive(Serialize, ToSchema)]
#[schema(as = Target)]
struct TargetView {
    /// Its id.
    #[schema(example = "tgt_k3x9p2ab")]
    id: String,
    /// The entry that is sent.
    entry: String,
    /// What it is called.
    name: String,
    /// Where to, without what is secret.
    url: String,
    /// Whether a stream key, or a stream id, is sent with it.
    has_stream_key: bool,
    /// Whether it is encrypted with a passphrase.
    has_passphrase: bool,
    /// Which pictures; `null` is the best.
    #[schema(required)]
    rendition: Option<String>,
    /// Which sound; `null` is the first.
    #[schema(required)]
    audio: Option<String>,
    /// Whether the entry is sent there while it is live.
    enabled: bool,
    /// How it does, now.
    status: TargetStatusView,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// How a target does.
#[derive(Serialize, ToSchema)]
#[schema(as = TargetStatus)]
struct TargetStatusView {
    /// Where it stands.
    state: TargetStateView,
    /// Since when; `null` while it is off.
    #[schema(required, format = DateTime)]
    since: Option<String>,
    /// What went wrong last, in words; `null` since it is sent to without fault.
    #[schema(required)]
    error: Option<String>,
    /// Attempts to connect since it was switched on.
    attempts: u64,
    /// When it is tried again; `null` where that is not waited for.
    #[schema(required, format = DateTime)]
    next_attempt: Option<String>,
    /// The renditions that it is sent.
    renditions: Vec<String>,
    /// Bytes that it took since it was switched on.
    bytes: u64,
    /// Frames of pictures and sound that it was sent.
    frames: u64,
    /// Frames that were left out because it was too slow.
    skipped: u64,
    /// How far it is behind what is on air, in milliseconds.
    behind_ms: u64,
    /// Bits per second that it takes now.
    bitrate: u64,
}

/// Where a target stands.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = TargetState)]
enum TargetStateView {
    /// Switched off.
    Off,
    /// The entry is not live.
    Waiting,
    /// It is being connected to.
    Connecting,
    /// It is sent the entry.
    Sending,
    /// It could not be reached, or was lost, and is tried again.
    Retrying,
    /// It said no, or must not be sent to; it is tried again ever more rarely.
    Refused,
}

/// The entry and the target that a path names.
struct Named {
    entry: EntryId,
    id: TargetId,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, Problem> {
        let path: Option<Path<(String, String)>> = Path::from_request_parts(parts, state).await.ok();
        let (entry, id) = path.map(|Path(path)| path).ok_or_else(|| Problem::not_found("target"))?;
        let entry = EntryId::parse(&entry).ok_or_else(|| Problem::not_found("entry"))?;
        let id = TargetId::parse(&id).ok_or_else(|| Problem::not_found("target"))?;
        Ok(Named { entry, id })
    }
}

/// Lists the targets of a live entry, by id, with how they do.
#[utoipa::path(
    get, path = "/live/{id}/targets", tag = "live", operation_id = "listTargets", params(("id" = String, Path)),
    responses((status = 200, description = "All of them.", body = Listed<TargetView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    Id(id): Id<EntryId>,
) -> Result<Response, Problem> {
    find(&control, viewer.scope(), &id).await?;
    let all = control.catalog().targets().list(viewer.scope(), &id).await?;
    let views = all.iter().map(|target| TargetView::new(&control, target));
    Ok(axum::Json(Listed::all(views.collect())).into_response())
}

/// Adds a target to a live entry.
///
/// While the entry is live it is sent there as it is, without transcoding. A target that cannot be reached is tried again
/// after 1 s, and ever more rarely up to once a minute; one that is too slow goes on at the newest keyframe. 409 when the
/// entry has 16.
#[utoipa::path(
    post, path = "/live/{id}/targets", tag = "live", operation_id = "createTarget", request_body = NewTarget,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 201, description = "Created.", body = TargetView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    producer: Producer,
    State(control): State<Control>,
    repeatable: Repeatable,
    Id(id): Id<EntryId>,
    Json { value: new, digest }: Json<NewTarget>,
) -> Result<Created, Problem> {
    find(&control, producer.scope(), &id).await?;
    let (details, secrets) = new.checked()?;
    let created = |target: &Target| {
        let location = format!("/api/v1/live/{id}/targets/{}", target.id);
        Created::new(location, Some(tag(target.version, None)), &TargetView::new(&control, target))
    };
    let work = async |caller: Caller| {
        Ok(created(&control.catalog().targets().create(&caller, &id, details, secrets).await?))
    };
    let again = async |target: String| {
        let target = TargetId::parse(&target).ok_or_else(|| Problem::not_found("target"))?;
        Ok(created(&control.catalog().targets().get(producer.scope(), &id, &target).await?))
    };
    repeatable.once(control.catalog(), producer.token(), &digest, true, work, again).await
}

/// Shows a target, with how it does.
#[utoipa::path(
    get, path = "/live/{id}/targets/{target}", tag = "live", operation_id = "getTarget",
    params(("id" = String, Path), ("target" = String, Path)),
    responses((status = 200, description = "The target.", body = TargetView, headers(("etag" = String, description = "Its version."))))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    Named { entry, id }: Named,
) -> Result<Response, Problem> {
    let target = control.catalog().targets().get(viewer.scope(), &entry, &id).await?;
    // How it does changes all the time, and is no version.
    Ok(answer::changed(&TargetView::new(&control, &target), tag(target.version, None)))
}

/// Changes a target.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears. Who is sent to is sent to anew, but for
/// a change of the name.
#[utoipa::path(
    patch, path = "/live/{id}/targets/{target}", tag = "live", operation_id = "updateTarget",
    params(("id" = String, Path), ("target" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = TargetPatch,
    responses((status = 200, description = "The target.", body = TargetView, headers(("etag" = String, description = "Its version."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    Named { entry, id }: Named,
    Json { value: patch, .. }: Json<TargetPatch>,
) -> Result<Response, Problem> {
    let targets = control.catalog().targets();
    let old = targets.get(producer.scope(), &entry, &id).await?;
    conditions.expected(old.version)?;
    patch.check()?;
    let edit = |details: &mut Details, secrets: &mut Secrets| patch.apply(details, secrets);
    let new = targets.update(&producer.caller(), (&entry, &id), Some(old.version), edit).await?;
    Ok(answer::changed(&TargetView::new(&control, &new), tag(new.version, None)))
}

/// Deletes a target. Nothing more is sent there.
#[utoipa::path(
    delete, path = "/live/{id}/targets/{target}", tag = "live", operation_id = "deleteTarget",
    params(("id" = String, Path), ("target" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses((status = 204, description = "It is gone."), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    Named { entry, id }: Named,
) -> Result<StatusCode, Problem> {
    let targets = control.catalog().targets();
    let old = targets.get(producer.scope(), &entry, &id).await?;
    let expected = conditions.expected(old.version)?;
    targets.delete(&producer.caller(), (&entry, &id), expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl NewTarget {
    fn checked(self) -> Result<(Details, Secrets), Problem> {
        let NewTarget { name, url, stream_key, passphrase, rendition, audio, enabled } = self;
        let (name, url) = (Some(name), Some(url));
        let patch = TargetPatch { name, url, stream_key, passphrase, rendition, audio, enabled };
        patch.check()?;
        let (name, url) = (String::new(), String::new());
        let mut details = Details { name, url, rendition: None, audio: None, enabled: true };
        let mut secrets = Secrets::default();
        patch.apply(&mut details, &mut secrets);
        Ok((details, secrets))
    }
}

impl TargetPatch {
    /// What the catalog would say one after another. What a URL may be, it says alone.
    fn check(&self) -> Result<(), Problem> {
        let mut check = Check::default();
        let text = |it: &Option<Option<String>>| it.clone().flatten();
        if let Some(name) = &self.name {
            check.named("name", name, NAME);
        }
        if let Some(url) = &self.url {
            check.named("url", url, URL);
        }
        for (field, value, most) in [
            ("stream_key", text(&self.stream_key), KEY),
            ("rendition", text(&self.rendition), CHOICE),
            ("audio", text(&self.audio), CHOICE),
        ] {
            if let Some(value) = value {
                check.named(field, &value, most);
            }
        }
        if let Some(passphrase) = text(&self.passphrase) {
            let fits =
                (PASSPHRASE.0..=PASSPHRASE.1).contains(&passphrase.len()) && !passphrase.contains('\0');
            check.ensure(fits, "passphrase", || "is not 10 to 79 bytes".to_owned());
        }
        check.done()
    }

    fn apply(self, details: &mut Details, secrets: &mut Secrets) {
        if let Some(name) = self.name {
            details.name = name;
        }
        if let Some(url) = self.url {
            details.url = url;
            *secrets = Secrets::default();
        }
        if let Some(key) = self.stream_key {
            secrets.key = key.map(Secret::new);
        }
        if let Some(passphrase) = self.passphrase {
            secrets.passphrase = passphrase.map(Secret::new);
        }
        if let Some(rendition) = self.rendition {
            details.rendition = rendition;
        }
        if let Some(audio) = self.audio {
            details.audio = audio;
        }
        details.enabled = self.enabled.unwrap_or(details.enabled);
    }
}

impl TargetView {
    fn new(control: &Control, target: &Target) -> TargetView {
        let details = &target.details;
        TargetView {
            id: target.id.to_string(),
            entry: target.entry.to_string(),
            name: details.name.clone(),
            url: details.url.clone(),
            has_stream_key: target.has_key,
            has_passphrase: target.has_passphrase,
            rendition: details.rendition.clone(),
            audio: details.audio.clone(),
            enabled: details.enabled,
            status: TargetStatusView::new(control.restreamer().status(target.id.as_str())),
            created: target.created.to_string(),
            updated: target.updated.to_string(),
            version: target.version,
        }
    }
}

impl TargetStatusView {
    fn new(status: TargetStatus) -> TargetStatusView {
        TargetStatusView {
            state: match status.state {
                TargetState::Off => TargetStateView::Off,
                TargetState::Waiting => TargetStateView::Waiting,
                TargetState::Connecting => TargetStateView::Connecting,
                TargetState::Sending => TargetStateView::Sending,
                TargetState::Retrying => TargetStateView::Retrying,
                TargetState::Refused => TargetStateView::Refused,
            },
            since: times::show(status.since),
            error: status.error,
            attempts: status.attempts,
            next_attempt: times::show(status.next_attempt),
            renditions: status.renditions.iter().map(ToString::to_string).collect(),
            bytes: status.bytes,
            frames: status.frames,
            skipped: status.skipped,
            behind_ms: u64::try_from(status.behind.as_millis()).unwrap_or(u64::MAX),
            bitrate: status.bitrate,
        }
    }
}

const _: () = assert!(MOST == 16, "the description of POST says so");
