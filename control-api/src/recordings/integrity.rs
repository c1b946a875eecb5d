//! What a recording has and lacks, and whether what it has is what was written.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::one::Named;
use crate::archive::{DamagedSegment, Gap, Integrity, OfRendition, Unreadable, Verified};
use crate::control::Control;
use crate::problem::{Kind, Problem};
use crate::query::Query;
use crate::roles::Viewer;
use crate::times;
use crate::words::MediaPlace;

/// Most gaps of a rendition, and most damaged segments, that an answer lists.
const MOST: usize = 1000;
/// Seconds after which somebody else's verification may be over.
const AGAIN: u64 = 10;

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(integrity))
}

/// How closely to look.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IntegrityQuery {
    /// Whether to read all of it and compare it with what was written: for producers, one at a time.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    verify: bool,
}

/// What a recording has and lacks.
#[derive(Serialize, ToSchema)]
#[schema(as = Integrity)]
struct IntegrityView {
    /// Whether nothing is missing, and nothing was found to be damaged.
    complete: bool,
    /// Whether times and sessions are estimated, because the index was lost and made anew from the media.
    estimated: bool,
    /// Rendition by rendition.
    renditions: Vec<RenditionView>,
    /// What reading all of it found; `null` without `verify=true`.
    #[schema(required)]
    verified: Option<VerifiedView>,
}

/// What a recording has and lacks of a rendition.
#[derive(Serialize, ToSchema)]
#[schema(as = RenditionIntegrity)]
struct RenditionView {
    /// Its name.
    rendition: String,
    /// Segments that it had on air, from its first one here to the end of the recording.
    expected: u64,
    /// Those that are here, whole.
    stored: u64,
    /// Those of which only the first parts are here.
    partial: u64,
    /// Those that had no media on air either.
    silent: u64,
    /// Bytes of media.
    bytes: u64,
    /// What is missing, in order; at most 1000.
    gaps: Vec<GapView>,
    /// How many gaps there are beyond these.
    more_gaps: u64,
}

/// Segments that were on air and are not in a recording.
#[derive(Serialize, ToSchema)]
#[schema(as = RecordingGap)]
struct GapView {
    /// Number of the first.
    first: u64,
    /// Number of the last.
    last: u64,
    /// Since when; `null` where it is not known.
    #[schema(required, format = DateTime)]
    from: Option<String>,
    /// Until when; `null` where it is not known.
    #[schema(required, format = DateTime)]
    until: Option<String>,
    /// Why: `interrupted`, `no-space`, `failed`, `behind`, `paused`, `damaged` or `unknown`.
    #[schema(example = "no-space")]
    reason: &'static str,
    /// The same in a sentence.
    note: String,
}

/// What reading all of a recording found.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
struct VerifiedView {
    /// Segments that were read.
    checked: u64,
    /// Those that are not what was written; at most 1000.
    damaged: Vec<DamagedView>,
    /// How many there are beyond these.
    more_damaged: u64,
}

/// A segment that is not what was written.
#[derive(Serialize, ToSchema)]
#[schema(as = DamagedSegment)]
struct DamagedView {
    /// Of which rendition.
    rendition: String,
    /// Its number.
    number: u64,
    /// Where it was read.
    place: MediaPlace,
    /// Whether there is nothing of it, or nothing that can be read.
    missing: bool,
}

/// Shows what a recording has and lacks, and why.
///
/// With `verify=true` all of it is read first, also what is in the object store alone, and compared with what was written,
/// which takes as long as reading takes; 503 while another one is being verified, or the object store is out of reach.
#[utoipa::path(
    get, path = "/entries/{id}/recordings/{recording}/integrity", tag = "entries", operation_id = "getIntegrity",
    params(("id" = String, Path), ("recording" = String, Path), IntegrityQuery),
    responses((status = 200, description = "What there is and what is missing.", body = IntegrityView))
)]
async fn integrity(
    viewer: Viewer,
    State(control): State<Control>,
    Named { entry, recording }: Named,
    Query(query): Query<IntegrityQuery>,
) -> Result<Json<IntegrityView>, Problem> {
    if query.verify && !viewer.runs_entries() {
        return Err(Problem::new(Kind::Forbidden, "verifying needs the role producer"));
    }
    control.catalog().recordings().get(viewer.scope(), &entry, &recording).await?;
    let found = control.archive().integrity(&entry, &recording, query.verify).await?;
    Ok(Json(IntegrityView::new(found)))
}

impl From<Unreadable> for Problem {
    fn from(error: Unreadable) -> Problem {
        match error {
            Unreadable::Missing => Problem::not_found("file of the recording"),
            Unreadable::Busy => Problem::new(Kind::Unavailable, error.to_string()).after(AGAIN),
            Unreadable::Failed(_) => {
                tracing::warn!(%error, "request not answered");
                Problem::new(Kind::Unavailable, "the files of the recording cannot be read").after(AGAIN)
            }
        }
    }
}

impl IntegrityView {
    fn new(found: Integrity) -> IntegrityView {
        let whole = found.renditions.iter().all(|it| it.gaps.is_empty() && it.partial == 0);
        let sound = found.verified.as_ref().is_none_or(|it| it.damaged.is_empty());
        IntegrityView {
            complete: whole && sound,
            estimated: found.estimated,
            renditions: found.renditions.into_iter().map(RenditionView::new).collect(),
            verified: found.verified.map(VerifiedView::new),
        }
    }
}

impl RenditionView {
    fn new(found: OfRendition) -> RenditionView {
        let more_gaps = found.gaps.len().saturating_sub(MOST) as u64;
        RenditionView {
            rendition: found.name,
            expected: found.expected,
            stored: found.stored,
            partial: found.partial,
            silent: found.silent,
            bytes: found.bytes,
            gaps: found.gaps.into_iter().take(MOST).map(GapView::new).collect(),
            more_gaps,
        }
    }
}

impl GapView {
    fn new(gap: Gap) -> GapView {
        let (from, until) = (times::show(gap.from), times::show(gap.until));
        GapView { first: gap.first, last: gap.last, from, until, reason: gap.reason, note: gap.note }
    }
}

impl VerifiedView {
    fn new(found: Verified) -> VerifiedView {
        let more_damaged = found.damaged.len().saturating_sub(MOST) as u64;
        let damaged = found.damaged.into_iter().take(MOST);
        VerifiedView {
            checked: found.checked,
            damaged: damaged.map(DamagedView::new).collect(),
            more_damaged,
        }
    }
}

impl DamagedView {
    fn new(found: DamagedSegment) -> DamagedView {
        let DamagedSegment { rendition, number, place, missing } = found;
        DamagedView { rendition, number, place: place.into(), missing }
    }
}
