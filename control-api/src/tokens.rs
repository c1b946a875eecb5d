//! API tokens: who may do what.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use catalog::tokens::NAME;
use catalog::{Caller, NewToken, Scope, Token, TokenId};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::Created;
use crate::check::Check;
use crate::control::Control;
use crate::id::Id;
use crate::idempotency::Repeatable;
use crate::page::{self, Listed, PageQuery};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::{Admin, Viewer};
use crate::words::Role;
use crate::{body, id, times};

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(own)).routes(routes!(get, revoke))
}

/// An API token, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
    /// Its id, which is no secret.
    #[schema(example = "tok_k3x9p2ab")]
    id: String,
    /// What its holder may do.
    role: Role,
    /// In which account; `null` on the whole server.
    #[schema(required)]
    account: Option<String>,
    /// Its name, for people.
    name: String,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// It opens nothing from then on.
    #[schema(required, format = DateTime)]
    expires: Option<String>,
    /// When it was used last, to about a minute.
    #[schema(required, format = DateTime)]
    last_used: Option<String>,
    /// When it was taken away.
    #[schema(required, format = DateTime)]
    revoked: Option<String>,
}

/// A new API token.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedToken)]
struct CreatedView {
    #[serde(flatten)]
    token: TokenView,
    /// The secret: what goes behind `Authorization: Bearer`. It is shown here and never again.
    #[schema(example = "hw_…")]
    secret: String,
}

/// What a token is created from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    /// What its holder may do.
    role: Role,
    /// Its name, for people.
    #[schema(min_length = 1, max_length = 250, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    name: String,
    /// In which account: for tokens of the whole server, where `null` is the whole server. Their own otherwise.
    #[schema(pattern = "^acc_[0-9a-z]{8}$")]
    account: Option<String>,
    /// It opens nothing from then on.
    #[schema(format = DateTime)]
    expires: Option<String>,
}

/// Lists tokens, by id, the revoked ones too.
#[utoipa::path(
    get, path = "/tokens", tag = "tokens", operation_id = "listTokens", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Listed<TokenView>))
)]
async fn list(
    admin: Admin,
    State(control): State<Control>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = control.catalog().tokens().list(admin.scope(), &query.paging()?).await?;
    Ok(page::answer(page, &uri, TokenView::new))
}

/// Creates a token.
///
/// Its secret is in the answer and never shown again. Sent again with the same `Idempotency-Key`, the answer is 409
/// with the token's id.
#[utoipa::path(
    post, path = "/tokens", tag = "tokens", operation_id = "createToken", request_body = TokenRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Created.", body = CreatedView, headers(("location" = String, description = "Where it is."))),
        (status = 404, response = crate::openapi::ProblemResponse),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    admin: Admin,
    State(control): State<Control>,
    repeatable: Repeatable,
    body::Json { value: request, digest }: body::Json<TokenRequest>,
) -> Result<Created, Problem> {
    let new = request.checked(admin.scope())?;
    let work = async |caller: Caller| {
        let (token, secret) = control.catalog().tokens().create(&caller, new).await?;
        let location = format!("/api/v1/tokens/{}", token.id);
        let view = CreatedView { token: TokenView::new(token), secret: secret.expose().to_owned() };
        Ok(Created::new(location, None, &view))
    };
    let again = async |id: String| {
        Err(Problem::conflict(format!("this was done: the token is {id}, and its secret was shown once")))
    };
    repeatable.once(control.catalog(), admin.token(), &digest, false, work, again).await
}

/// Shows the token that the request itself has.
#[utoipa::path(
    get, path = "/tokens/self", tag = "tokens", operation_id = "getOwnToken",
    responses((status = 200, description = "The token.", body = TokenView))
)]
async fn own(viewer: Viewer) -> Json<TokenView> {
    Json(TokenView::new(viewer.token().clone()))
}

/// Shows a token.
#[utoipa::path(
    get, path = "/tokens/{id}", tag = "tokens", operation_id = "getToken", params(("id" = String, Path)),
    responses((status = 200, description = "The token.", body = TokenView))
)]
async fn get(
    admin: Admin,
    State(control): State<Control>,
    Id(id): Id<TokenId>,
) -> Result<Json<TokenView>, Problem> {
    Ok(Json(TokenView::new(control.catalog().tokens().get(admin.scope(), &id).await?)))
}

/// Takes a token away: it opens nothing any more.
///
/// Doing it twice is as good as once. 409 for the token of the request itself: somebody is always left who can get in.
#[utoipa::path(
    delete, path = "/tokens/{id}", tag = "tokens", operation_id = "revokeToken", params(("id" = String, Path)),
    responses(
        (status = 204, description = "It opens nothing any more."),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn revoke(
    admin: Admin,
    State(control): State<Control>,
    Id(id): Id<TokenId>,
) -> Result<StatusCode, Problem> {
    if id == admin.token().id {
        return Err(Problem::conflict("this is the token of the request itself; revoke it with another"));
    }
    control.catalog().tokens().revoke(&admin.caller(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl TokenRequest {
    fn checked(self, scope: &Scope) -> Result<NewToken, Problem> {
        let mut check = Check::default();
        check.named("name", &self.name, NAME);
        let expires = self.expires.and_then(|at| check.time("expires", &at));
        check.done()?;
        let scope = match self.account {
            None => scope.clone(),
            Some(account) => Scope::Account(id::account(&account, scope)?),
        };
        Ok(NewToken { role: self.role.into(), scope, name: self.name, expires })
    }
}

impl TokenView {
    fn new(token: Token) -> TokenView {
        TokenView {
            id: token.id.to_string(),
            role: token.role.into(),
            account: match token.scope {
                Scope::Account(account) => Some(account.to_string()),
                Scope::All => None,
            },
            name: token.name,
            created: token.created.to_string(),
            expires: times::show(token.expires),
            last_used: times::show(token.last_used),
            revoked: times::show(token.revoked),
        }
    }
}
