//! Inputs of a live entry: where it takes media from by itself.

mod view;
mod written;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use catalog::inputs::{Input, MOST};
use catalog::{Caller, EntryId, InputId};
use http::StatusCode;
use http::request::Parts;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::find;
use crate::answer::{self, Created};
use crate::body::Json;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::idempotency::Repeatable;
use crate::page::Listed;
use crate::problem::Problem;
use crate::roles::{Producer, Viewer};
use view::InputView;
use written::{InputPatch, NewInput};

/// The routes of this module.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, update, delete))
        .routes(routes!(restart))
}

/// The entry and the input that a path names.
struct Named {
    entry: EntryId,
    input: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Named, Problem> {
        let path: Option<Path<(String, String)>> = Path::from_request_parts(parts, state).await.ok();
        let (entry, input) = path.map(|Path(path)| path).ok_or_else(|| Problem::not_found("input"))?;
        let entry = EntryId::parse(&entry).ok_or_else(|| Problem::not_found("entry"))?;
        Ok(Named { entry, input })
    }
}

impl Named {
    /// The id of one that can be changed here.
    fn changeable(&self, control: &Control) -> Result<InputId, Problem> {
        InputId::parse(&self.input).ok_or_else(|| {
            match control.inputs().configured(self.entry.as_str()).iter().any(|it| *it.id == *self.input) {
                true => Problem::conflict("this input is written in the configuration of the server"),
                false => Problem::not_found("input"),
            }
        })
    }
}

/// Lists the inputs of a live entry, with those that the configuration names.
///
/// A viewer sees URLs with `hidden` in place of passphrases and stream ids.
#[utoipa::path(
    get, path = "/live/{id}/inputs", tag = "live", operation_id = "listInputs", params(("id" = String, Path)),
    responses((status = 200, description = "All of them.", body = Listed<InputView>))
)]
async fn list(
    viewer: Viewer,
    State(control): State<Control>,
    crate::id::Id(id): crate::id::Id<EntryId>,
) -> Result<Response, Problem> {
    find(&control, viewer.scope(), &id).await?;
    let all = control.catalog().inputs().list(viewer.scope(), &id).await?;
    let secrets = viewer.sees_keys();
    let own = all.iter().map(|input| InputView::new(&control, input, secrets));
    let configured = control.inputs().configured(id.as_str());
    let configured = configured.into_iter().map(|input| InputView::configured(input, secrets));
    Ok(axum::Json(Listed::all(own.chain(configured).collect())).into_response())
}

/// Adds an input to a live entry, and runs it.
///
/// The server takes media from its URL as if an encoder had published it, and tries again by itself where that fails. 409
/// when the entry has 16.
#[utoipa::path(
    post, path = "/live/{id}/inputs", tag = "live", operation_id = "createInput", request_body = NewInput,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 201, description = "Created.", body = InputView, headers(
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
    crate::id::Id(id): crate::id::Id<EntryId>,
    Json { value: new, digest }: Json<NewInput>,
) -> Result<Created, Problem> {
    find(&control, producer.scope(), &id).await?;
    let details = new.checked(control.settings().inputs)?;
    let created = |input: &Input| {
        let location = format!("/api/v1/live/{id}/inputs/{}", input.id);
        Created::new(location, Some(tag(input.version, None)), &InputView::new(&control, input, true))
    };
    let work = async |caller: Caller| {
        let input = control.catalog().inputs().create(&caller, &id, details).await?;
        control.inputs().changed();
        Ok(created(&input))
    };
    let again = async |subject: String| {
        let input = InputId::parse(&subject).ok_or_else(|| Problem::not_found("input"))?;
        Ok(created(&control.catalog().inputs().get(producer.scope(), &id, &input).await?))
    };
    repeatable.once(control.catalog(), producer.token(), &digest, false, work, again).await
}

/// Shows an input, and how it does.
#[utoipa::path(
    get, path = "/live/{id}/inputs/{input}", tag = "live", operation_id = "getInput",
    params(("id" = String, Path), ("input" = String, Path)),
    responses((status = 200, description = "The input.", body = InputView, headers(("etag" = String, description = "Its version."))))
)]
async fn get(viewer: Viewer, State(control): State<Control>, named: Named) -> Result<Response, Problem> {
    find(&control, viewer.scope(), &named.entry).await?;
    let secrets = viewer.sees_keys();
    if let Some(id) = InputId::parse(&named.input) {
        let input = control.catalog().inputs().get(viewer.scope(), &named.entry, &id).await?;
        return Ok(answer::changed(&InputView::new(&control, &input, secrets), tag(input.version, None)));
    }
    let configured = control.inputs().configured(named.entry.as_str());
    let input = configured.into_iter().find(|input| *input.id == *named.input);
    let input = input.ok_or_else(|| Problem::not_found("input"))?;
    Ok(answer::changed(&InputView::configured(input, secrets), tag(0, None)))
}

/// Changes an input, at once.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears. Another name interrupts nothing; anything
/// else begins anew.
#[utoipa::path(
    patch, path = "/live/{id}/inputs/{input}", tag = "live", operation_id = "updateInput",
    params(("id" = String, Path), ("input" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = InputPatch,
    responses(
        (status = 200, description = "The input.", body = InputView, headers(("etag" = String, description = "Its version."))),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 412, response = crate::openapi::ProblemResponse),
    )
)]
async fn update(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    named: Named,
    Json { value: patch, .. }: Json<InputPatch>,
) -> Result<Response, Problem> {
    find(&control, producer.scope(), &named.entry).await?;
    let (id, inputs) = (named.changeable(&control)?, control.catalog().inputs());
    let old = inputs.get(producer.scope(), &named.entry, &id).await?;
    conditions.expected(old.version)?;
    let details = patch.applied(old.details, control.settings().inputs)?;
    let caller = producer.caller();
    let new = inputs.update(&caller, &named.entry, &id, Some(old.version), |it| *it = details).await?;
    control.inputs().changed();
    Ok(answer::changed(&InputView::new(&control, &new, true), tag(new.version, None)))
}

/// Deletes an input. What it brings goes off air.
#[utoipa::path(
    delete, path = "/live/{id}/inputs/{input}", tag = "live", operation_id = "deleteInput",
    params(("id" = String, Path), ("input" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 412, response = crate::openapi::ProblemResponse),
    )
)]
async fn delete(
    producer: Producer,
    State(control): State<Control>,
    conditions: Conditions,
    named: Named,
) -> Result<StatusCode, Problem> {
    find(&control, producer.scope(), &named.entry).await?;
    let (id, inputs) = (named.changeable(&control)?, control.catalog().inputs());
    let old = inputs.get(producer.scope(), &named.entry, &id).await?;
    let expected = conditions.expected(old.version)?;
    inputs.delete(&producer.caller(), &named.entry, &id, expected).await?;
    control.inputs().changed();
    Ok(StatusCode::NO_CONTENT)
}

/// Tries an input again, at once.
///
/// For one that waits for its next try, or whose stream was ended. One that is on air is left alone.
#[utoipa::path(
    post, path = "/live/{id}/inputs/{input}/restart", tag = "live", operation_id = "restartInput",
    params(("id" = String, Path), ("input" = String, Path)),
    responses((status = 204, description = "It tries again."))
)]
async fn restart(
    producer: Producer,
    State(control): State<Control>,
    named: Named,
) -> Result<StatusCode, Problem> {
    find(&control, producer.scope(), &named.entry).await?;
    let id = match InputId::parse(&named.input) {
        Some(id) => {
            control.catalog().inputs().get(producer.scope(), &named.entry, &id).await?;
            id.to_string()
        }
        None => {
            let configured = control.inputs().configured(named.entry.as_str());
            let known = configured.iter().any(|input| *input.id == *named.input);
            if !known {
                return Err(Problem::not_found("input"));
            }
            named.input
        }
    };
    control.inputs().restart(&id);
    Ok(StatusCode::NO_CONTENT)
}

const _: () = assert!(MOST == 16, "the description of POST says so");
