//! Accounts: tenants, who see nothing of each other.

use axum::extract::State;
use axum::response::Response;
use catalog::accounts::NAME;
use catalog::{Account, AccountId, Caller, Quotas};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{self, Created};
use crate::body::{Json, clearable, given, given_object, optional_object};
use crate::check::Check;
use crate::conditions::{Conditions, tag};
use crate::control::Control;
use crate::id::Id;
use crate::idempotency::Repeatable;
use crate::length::Length;
use crate::page::{self, Listed, PageQuery};
use crate::problem::Problem;
use crate::query::Query;
use crate::roles::Admin;
use crate::{length, retention};

/// Most streams of a quota.
const STREAMS: u32 = 1_000_000;
/// Highest bitrate of a quota, in bits a second.
const BITRATE: u64 = 1_000_000_000_000;

/// The routes of this module.
pub(crate) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, update, delete))
}

/// A tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountView {
    /// Its id.
    #[schema(example = "acc_k3x9p2ab")]
    id: String,
    /// Its name, for people.
    name: String,
    /// What it may use.
    quotas: QuotasView,
    /// When it was created.
    #[schema(format = DateTime)]
    created: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    updated: String,
    /// Grows by one with each change; what its ETag is made of.
    version: u64,
}

/// What an account may use; `null` is without limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Quotas)]
struct QuotasView {
    /// Streams on air at once.
    #[schema(required)]
    streams: Option<u32>,
    /// Bitrate of all its streams together, in bits a second.
    #[schema(required)]
    bitrate: Option<u64>,
    /// Its recordings are kept so long after their end.
    #[schema(required, value_type = Option<Length>)]
    keep_age: Option<String>,
    /// So many recordings are kept, of all its entries together.
    #[schema(required)]
    keep_count: Option<u32>,
    /// So many bytes of recordings are kept, of all its entries together.
    #[schema(required)]
    keep_size: Option<u64>,
}

/// What an account may use; `null` is without limit.
#[derive(Clone, Default, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuotasPatch {
    /// Streams on air at once.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>, maximum = 1_000_000)]
    streams: Option<Option<u32>>,
    /// Bitrate of all its streams together, in bits a second.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u64>, maximum = 1_000_000_000_000_u64)]
    bitrate: Option<Option<u64>>,
    /// Its recordings are kept so long after their end; 1 h to 3650 d. What is protected stays, here and below, and is
    /// not counted.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<Length>)]
    keep_age: Option<Option<String>>,
    /// So many recordings are kept, of all its entries together.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    keep_count: Option<Option<u32>>,
    /// So many bytes of recordings are kept, of all its entries together, and the newest in any case.
    #[serde(default, deserialize_with = "clearable")]
    #[schema(value_type = Option<u64>, minimum = 1_048_576, maximum = 1_125_899_906_842_624_u64)]
    keep_size: Option<Option<u64>>,
}

/// What an account is created from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// Its name, for people.
    #[schema(min_length = 1, max_length = 250, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    name: String,
    /// What it may use; all of it without limit when left out.
    #[serde(default, deserialize_with = "optional_object")]
    quotas: Option<QuotasPatch>,
}

/// What of an account is to be changed: a JSON Merge Patch (RFC 7396).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountPatch {
    /// Its name, for people.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 250, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    name: Option<String>,
    /// What it may use.
    #[serde(default, deserialize_with = "given_object")]
    #[schema(value_type = QuotasPatch, required = false)]
    quotas: Option<QuotasPatch>,
}

/// Lists accounts, by id: all of them, or the token's own.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts", operation_id = "listAccounts", params(PageQuery),
    responses((status = 200, description = "A page of them.", body = Listed<AccountView>))
)]
async fn list(
    admin: Admin,
    State(control): State<Control>,
    uri: Uri,
    Query(query): Query<PageQuery>,
) -> Result<Response, Problem> {
    let page = control.catalog().accounts().list(admin.scope(), &query.paging()?).await?;
    Ok(page::answer(page, &uri, |account| AccountView::new(&account)))
}

/// Creates an account: for tokens of the whole server.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", operation_id = "createAccount", request_body = NewAccount,
    params(("Idempotency-Key" = Option<String>, Header, description = "Sent again with the same body, it is done once.", min_length = 1, max_length = 255)),
    responses(
        (status = 201, description = "Created.", body = AccountView, headers(
            ("location" = String, description = "Where it is."),
            ("etag" = String, description = "Its version."),
        )),
        (status = 409, response = crate::openapi::ProblemResponse),
    )
)]
async fn create(
    admin: Admin,
    State(control): State<Control>,
    repeatable: Repeatable,
    Json { value: new, digest }: Json<NewAccount>,
) -> Result<Created, Problem> {
    admin.of_all()?;
    let quotas = checked(&new.name, new.quotas.as_ref(), Quotas::default())?;
    let work = async |caller: Caller| {
        let account = control.catalog().accounts().create(&caller, &new.name, quotas).await?;
        Ok(created(&account))
    };
    let again = async |id: String| {
        let id = AccountId::parse(&id).ok_or_else(|| Problem::not_found("account"))?;
        Ok(created(&control.catalog().accounts().get(admin.scope(), &id).await?))
    };
    repeatable.once(control.catalog(), admin.token(), &digest, true, work, again).await
}

fn created(account: &Account) -> Created {
    let location = format!("/api/v1/accounts/{}", account.id);
    Created::new(location, Some(tag(account.version, None)), &AccountView::new(account))
}

/// Shows an account.
#[utoipa::path(
    get, path = "/accounts/{id}", tag = "accounts", operation_id = "getAccount",
    params(("id" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, description = "The account.", body = AccountView, headers(("etag" = String, description = "Its version."))), (status = 304, description = "Nothing has changed."))
)]
async fn get(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<AccountId>,
) -> Result<Response, Problem> {
    let account = control.catalog().accounts().get(admin.scope(), &id).await?;
    Ok(answer::found(&AccountView::new(&account), tag(account.version, None), &conditions))
}

/// Changes an account: for tokens of the whole server.
///
/// The body is a JSON Merge Patch (RFC 7396): what is left out stays, `null` clears.
#[utoipa::path(
    patch, path = "/accounts/{id}", tag = "accounts", operation_id = "updateAccount",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    request_body = AccountPatch,
    responses((status = 200, description = "The account.", body = AccountView, headers(("etag" = String, description = "Its version."))), (status = 412, response = crate::openapi::ProblemResponse))
)]
async fn update(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<AccountId>,
    Json { value: patch, .. }: Json<AccountPatch>,
) -> Result<Response, Problem> {
    let accounts = control.catalog().accounts();
    let old = accounts.get(admin.scope(), &id).await?;
    admin.of_all()?;
    conditions.expected(old.version)?;
    let name = patch.name.as_ref().unwrap_or(&old.name);
    let quotas = checked(name, patch.quotas.as_ref(), old.quotas)?;
    let new = accounts.update(&admin.caller(), &id, Some(old.version), name, quotas).await?;
    Ok(answer::changed(&AccountView::new(&new), tag(new.version, None)))
}

/// Deletes an account without entries, and its tokens: for tokens of the whole server. 409 when it has entries.
#[utoipa::path(
    delete, path = "/accounts/{id}", tag = "accounts", operation_id = "deleteAccount",
    params(("id" = String, Path), ("If-Match" = Option<String>, Header, description = "Only when it still has this ETag.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, response = crate::openapi::ProblemResponse),
        (status = 412, response = crate::openapi::ProblemResponse),
    )
)]
async fn delete(
    admin: Admin,
    State(control): State<Control>,
    conditions: Conditions,
    Id(id): Id<AccountId>,
) -> Result<StatusCode, Problem> {
    let old = control.catalog().accounts().get(admin.scope(), &id).await?;
    admin.of_all()?;
    conditions.expected(old.version)?;
    control.catalog().accounts().delete(&admin.caller(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The quotas with what is to be changed, or what is wrong with name and quotas.
fn checked(name: &str, patch: Option<&QuotasPatch>, mut quotas: Quotas) -> Result<Quotas, Problem> {
    let mut check = Check::default();
    check.named("name", name, NAME);
    if let Some(streams) = patch.and_then(|patch| patch.streams) {
        quotas.streams = streams;
    }
    if let Some(bitrate) = patch.and_then(|patch| patch.bitrate) {
        quotas.bitrate = bitrate;
    }
    let fits = quotas.streams.is_none_or(|streams| streams <= STREAMS);
    check.ensure(fits, "quotas.streams", || format!("is above {STREAMS}"));
    let fits = quotas.bitrate.is_none_or(|bitrate| bitrate <= BITRATE);
    check.ensure(fits, "quotas.bitrate", || format!("is above {BITRATE}"));
    if let Some(patch) = patch {
        let wanted =
            retention::Patch { age: &patch.keep_age, count: patch.keep_count, size: patch.keep_size };
        wanted.apply("quotas", &mut quotas.keep, &mut check);
    }
    check.done().map(|()| quotas)
}

impl QuotasView {
    fn new(quotas: &Quotas) -> QuotasView {
        QuotasView {
            streams: quotas.streams,
            bitrate: quotas.bitrate,
            keep_age: quotas.keep.age.map(length::format),
            keep_count: quotas.keep.count,
            keep_size: quotas.keep.bytes,
        }
    }
}

impl AccountView {
    fn new(account: &Account) -> AccountView {
        AccountView {
            id: account.id.to_string(),
            name: account.name.clone(),
            quotas: QuotasView::new(&account.quotas),
            created: account.created.to_string(),
            updated: account.updated.to_string(),
            version: account.version,
        }
    }
}
