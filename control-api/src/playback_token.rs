//! Tokens for viewers: what `/t/TOKEN/…` in playback URLs is made of.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::SystemTime;

use access::Claims;
use axum::Json;
use axum::extract::State;
use catalog::EntryId;
use http::StatusCode;
use media::{MediaTime, Timescale, WallTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::Base;
use crate::body::{OptionalJson, given};
use crate::check::Check;
use crate::control::Control;
use crate::id::Id;
use crate::problem::Problem;
use crate::roles::Producer;

/// How long a token is good where nobody says, in seconds.
const USUAL: u32 = 3600;
/// From ten seconds to a week.
const SECONDS: std::ops::RangeInclusive<u32> = 10..=7 * 86_400;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(create))
}

/// What a playback token is to open.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PlaybackTokenRequest {
    /// For how many seconds it is good; 3600 when left out. Who is watching when it expires is cut off.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 10, maximum = 604_800)]
    expires_in: Option<u32>,
    /// The only address or network that may use it.
    #[schema(example = "192.0.2.7")]
    ip: Option<String>,
    /// Whether it also shows what is in preview.
    #[serde(default)]
    preview: bool,
}

/// A playback token, and where it leads.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaybackToken)]
struct PlaybackTokenView {
    /// What stands behind `/t/` in the URLs.
    token: String,
    /// From when on it opens nothing any more.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Where the entry is watched with it.
    urls: TokenUrls,
}

/// Where an entry is watched with a token.
#[derive(Serialize, ToSchema)]
#[schema(as = PlaybackTokenUrls)]
struct TokenUrls {
    /// HLS, the multivariant playlist.
    hls: String,
    /// DASH, the MPD.
    dash: String,
    /// The page to watch it on.
    watch: String,
    /// The frame for a page of one's own.
    embed: String,
}

/// Makes a token that opens an entry for a viewer.
///
/// It is not kept and cannot be taken back: make it short-lived. Entries that are open to everybody take one as well,
/// which is of use for `preview`.
#[utoipa::path(
    post, path = "/entries/{id}/playback-token", tag = "entries", operation_id = "createPlaybackToken",
    params(("id" = String, Path)), request_body = Option<PlaybackTokenRequest>,
    responses((status = 201, description = "Made.", body = PlaybackTokenView))
)]
async fn create(
    producer: Producer,
    State(control): State<Control>,
    base: Base,
    Id(id): Id<EntryId>,
    OptionalJson(request): OptionalJson<PlaybackTokenRequest>,
) -> Result<(StatusCode, Json<PlaybackTokenView>), Problem> {
    control.catalog().entries().get(producer.scope(), &id).await?;
    let claims = request.checked(&id, SystemTime::now().into())?;
    let token = control.signer().sign(&claims);
    let view = PlaybackTokenView {
        urls: TokenUrls::new(&base, &token, &id),
        expires_at: claims.expires.to_string(),
        token,
    };
    Ok((StatusCode::CREATED, Json(view)))
}

impl PlaybackTokenRequest {
    fn checked(&self, entry: &EntryId, now: WallTime) -> Result<Claims, Problem> {
        let mut check = Check::default();
        let seconds = self.expires_in.unwrap_or(USUAL);
        check.ensure(SECONDS.contains(&seconds), "expires_in", || {
            format!("is not {} to {} seconds", SECONDS.start(), SECONDS.end())
        });
        let network = self.ip.as_deref().map(access::network);
        check.ensure(network != Some(None), "ip", || "is neither an address nor a network".to_owned());
        check.done()?;
        // Whole seconds are what a token can say.
        let now = WallTime::from_millis(now.unix_seconds() * 1000);
        Ok(Claims {
            entry: entry.to_string(),
            expires: now.plus(MediaTime::new(i64::from(seconds) * 1000, Timescale::MILLIS)),
            not_before: None,
            network: network.flatten(),
            preview: self.preview,
            id: name(),
        })
    }
}

impl TokenUrls {
    fn new(base: &Base, token: &str, entry: &EntryId) -> TokenUrls {
        let url = |path: String| base.http(&format!("/t/{token}{path}"));
        TokenUrls {
            hls: url(format!("/play/{entry}/master.m3u8")),
            dash: url(format!("/play/{entry}/manifest.mpd")),
            watch: url(format!("/watch/{entry}")),
            embed: url(format!("/embed/{entry}")),
        }
    }
}

/// Tells one viewer from another, and is no secret.
fn name() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
