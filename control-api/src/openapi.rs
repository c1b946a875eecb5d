//! The description of the API: OpenAPI 3.1, generated from the code.
//!
//! Each handler says what is its own; what every request can meet with (no token, a database that is away) and what
//! follows from its shape (a body can be too large) is added here, once.

use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr};
use utoipa::{OpenApi as _, ToResponse};

use crate::{problem, router, words};

/// The name of a problem in the document.
const PROBLEM: &str = "ProblemResponse";
const BEARER: &str = "token";

/// What went wrong (RFC 9457).
#[derive(ToResponse)]
#[response(description = "What went wrong.", content_type = "application/problem+json")]
#[allow(dead_code, reason = "for the document alone")]
pub(crate) struct ProblemResponse(problem::View);

/// What is said of the API as a whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Headwater control API",
        version = "1",
        description = "Provision, watch and run live entries.\n\n\
            Each request has an API token: `Authorization: Bearer hw_…`. What belongs to another account is not \
            there (404). Errors are problem details (RFC 9457); programs decide by their `type`. \
            `Idempotency-Key` makes a repeated creation safe, `If-Match` an edit. `RateLimit-*` headers say what is \
            left of the token's rate.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "live", description = "Live entries: provision, publish, run."),
        (name = "entries", description = "All entries: find, edit, delete."),
        (name = "tokens", description = "API tokens and their roles."),
        (name = "accounts", description = "Tenants and their quotas."),
        (name = "jobs", description = "Work in the background."),
        (name = "audit", description = "Who changed what, and when."),
        (name = "events", description = "What happens, as it happens."),
        (name = "webhooks", description = "Addresses that events are sent to."),
    ),
    components(responses(ProblemResponse), schemas(problem::View, problem::FieldError, words::Sort, words::Order)),
)]
struct Document;

/// The OpenAPI document, as JSON for people to read.
pub fn openapi() -> String {
    let mut text = router::document().to_pretty_json().expect("an OpenAPI document is JSON");
    text.push('\n');
    text
}

/// What all routes are merged into.
pub(crate) fn base() -> OpenApi {
    let mut document = Document::openapi();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("hw_…").build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    document
}

/// Adds what a handler does not say.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let methods = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
        methods.into_iter().flatten().for_each(|operation| complete_operation(path, operation));
    }
    document
}

fn complete_operation(path: &str, operation: &mut Operation) {
    let mut statuses = vec!["400", "401", "403", "429", "500", "503"];
    if path.contains('{') {
        statuses.push("404");
    }
    if operation.parameters.iter().flatten().any(can_be_invalid) {
        statuses.push("422");
    }
    if operation.parameters.iter().flatten().any(is_in_query) {
        statuses.push("414");
    }
    if operation.request_body.is_some() {
        statuses.extend(["408", "413", "415", "422"]);
    }
    for status in statuses {
        let problem = || RefOr::Ref(Ref::from_response_name(PROBLEM));
        operation.responses.responses.entry(status.to_owned()).or_insert_with(problem);
    }
    let scheme = utoipa::openapi::SecurityRequirement::new(BEARER, Vec::<String>::new());
    operation.security = Some(vec![scheme]);
}

fn is_in_query(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(it) if it.parameter_in == ParameterIn::Query)
}

/// An id that is none is not there, and a condition that is none does not hold.
fn can_be_invalid(parameter: &RefOr<Parameter>) -> bool {
    match parameter {
        RefOr::T(it) => it.parameter_in != ParameterIn::Path && !it.name.starts_with("If-"),
        RefOr::Ref(_) => true,
    }
}
