//! The audit log: who changed what, and when.

use axum::extract::State;
use axum::response::Response;
use catalog::audit::{Filter, Record};
use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::check::Check;
use crate::control::Control;
use crate::page::{self, Listed};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::Admin;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What of the log to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditQuery {
    /// Of this thing only: an id.
    #[param(max_length = 100)]
    subject: Option<String>,
    /// From this time on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// Until before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
    /// At most so many items.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 4096)]
    cursor: Option<String>,
}

/// A change.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditRecord)]
struct RecordView {
    /// Grows with time.
    number: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Whose the thing is; `null` for what is the server's.
    #[schema(required)]
    account: Option<String>,
    /// Who did it: `server`, or the id of a token.
    who: String,
    /// What was done.
    #[schema(example = "update")]
    action: &'static str,
    /// To what: its id.
    subject: String,
    /// What differs, as it was; `null` of what was not. No secret is in it.
    #[schema(required, value_type = Option<Object>)]
    before: Option<Value>,
    /// What differs, as it is now; `null` of what is no more.
    #[schema(required, value_type = Option<Object>)]
    after: Option<Value>,
    /// Why, where the server did it by a rule; `null` otherwise.
    #[schema(required, example = "it ended more than 30 days ago")]
    reason: Option<String>,
}

/// Lists changes, the latest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", operation_id = "listAudit", params(AuditQuery),
    responses((status = 200, description = "A page of them.", body = Listed<RecordView>))
)]
async fn list(
    admin: Admin,
    State(control): State<Control>,
    uri: Uri,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Problem> {
    let paging = page::paging(query.limit, query.cursor.clone())?;
    let page = control.catalog().audit().list(admin.scope(), &query.filter()?, &paging).await?;
    Ok(page::answer(page, &uri, RecordView::new))
}

impl AuditQuery {
    fn filter(self) -> Result<Filter, Problem> {
        let mut check = Check::default();
        let subject = self.subject.inspect(|subject| check.text("subject", subject, 100));
        let from = self.from.and_then(|at| check.time("from", &at));
        let until = self.until.and_then(|at| check.time("until", &at));
        check.done().map(|()| Filter { subject, from, until })
    }
}

impl RecordView {
    fn new(record: Record) -> RecordView {
        RecordView {
            number: record.number,
            at: record.at.to_string(),
            account: record.account.map(|account| account.to_string()),
            who: record.who,
            action: record.action.as_str(),
            subject: record.subject,
            before: record.before,
            after: record.after,
            reason: record.reason,
        }
    }
}
