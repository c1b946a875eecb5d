//! Jobs: work for entries that is done in the background.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use catalog::jobs::Job;
use catalog::{EntryId, JobId};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::control::Control;
use crate::id::Id;
use crate::page::{self, Listed};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::Viewer;
use crate::words::JobState;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Work for an entry that is done in the background.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
struct JobView {
    /// Its id.
    id: String,
    /// For which entry.
    entry: String,
    /// What kind of work.
    kind: String,
    /// How far it is.
    state: JobState,
    /// How much is done, from 0 to 1.
    progress: f64,
    /// How often it was tried.
    attempts: u32,
    /// What came of it.
    #[schema(required, value_type = Option<Object>)]
    output: Option<Value>,
    /// Why it failed, in words.
    #[schema(required)]
    error: Option<String>,
    /// When it was added.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// For this entry only.
    #[param(pattern = "^0_[0-9a-z]{8}$")]
    entry: Option<String>,
    /// As far as this only.
    state: Option<JobState>,
    /// At most so many items.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 4096)]
    cursor: Option<String>,
}

/// Lists jobs, by id.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", operation_id = "listJobs", params(JobQuery),
    responses((status = 200, description = "A page of them.", body = Listed<JobView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    uri: Uri,
    Query(query): Query<JobQuery>,
) -> Result<Response, Problem> {
    let paging = page::paging(query.limit, query.cursor)?;
    let wrong = || Problem::invalid_field("entry", "is not the id of an entry");
    let entry = query.entry.map(|id| EntryId::parse(&id).ok_or_else(wrong)).transpose()?;
    let state = query.state.map(Into::into);
    let page = control.catalog().jobs().list(viewer.scope(), entry.as_ref(), state, &paging).await?;
    Ok(page::answer(page, &uri, JobView::new))
}

/// Shows a job.
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", operation_id = "getJob", params(("id" = String, Path)),
    responses((status = 200, description = "The job.", body = JobView))
)]
async fn get(
    viewer: Viewer,
    State(control): State<Control>,
    Id(id): Id<JobId>,
) -> Result<Json<JobView>, Problem> {
    let job = control.catalog().jobs().get(viewer.scope(), &id).await?;
    Ok(Json(JobView::new(job)))
}

impl JobView {
    fn new(job: Job) -> JobView {
        JobView {
            id: job.id.to_string(),
            entry: job.entry.to_string(),
            kind: job.kind,
            state: job.status.state.into(),
            progress: f64::from(job.status.progress) / 1000.0,
            attempts: job.status.attempts,
            output: job.status.output,
            error: job.status.error,
            created: job.created.to_string(),
            updated: job.updated.to_string(),
        }
    }
}
