//! Lists, page by page.

use axum::Json;
use axum::response::{IntoResponse, Response};
use catalog::{Page, Paging};
use http::header::LINK;
use http::{HeaderValue, Uri};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;
use crate::router::PREFIX;

/// Which part of a list, where it has no other parameters.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// At most so many items.
    #[param(minimum = 1, maximum = 500, default = 20)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[param(max_length = 4096)]
    cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn paging(self) -> Result<Paging, Problem> {
        paging(self.limit, self.cursor)
    }
}

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// The items.
    items: Vec<T>,
    /// Where the next page begins, for `cursor`; `null` at the end of the list.
    #[schema(required)]
    next: Option<String>,
}

impl<T> Listed<T> {
    /// A whole list.
    pub(crate) fn all(items: Vec<T>) -> Listed<T> {
        Listed { items, next: None }
    }
}

/// Reads what part of a list is wanted.
pub(crate) fn paging(limit: Option<u32>, cursor: Option<String>) -> Result<Paging, Problem> {
    if limit.is_some_and(|limit| !(1..=catalog::page::MOST).contains(&limit)) {
        return Err(Problem::invalid_field("limit", format!("is not 1 to {}", catalog::page::MOST)));
    }
    Ok(Paging { limit, cursor })
}

/// A page as an answer, with `Link: rel=next` (RFC 8288) to where the next one is.
pub(crate) fn answer<T, V: Serialize>(page: Page<T>, uri: &Uri, view: impl FnMut(T) -> V) -> Response {
    let link = page.next.as_deref().and_then(|next| link(uri, next));
    let listed = Listed { items: page.items.into_iter().map(view).collect(), next: page.next };
    let mut response = Json(listed).into_response();
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    response
}

/// The same query with another cursor. Handlers see the path below the API's prefix.
fn link(uri: &Uri, next: &str) -> Option<HeaderValue> {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.filter(|(name, _)| name != "cursor")).append_pair("cursor", next);
    HeaderValue::try_from(format!("<{PREFIX}{}?{}>; rel=\"next\"", uri.path(), query.finish())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_has_the_same_query() {
        let uri = Uri::from_static("/entries?q=a%20%3E%22&cursor=old&limit=3");
        let link = link(&uri, "new").expect("a header value");
        assert_eq!(link, "</api/v1/entries?q=a+%3E%22&limit=3&cursor=new>; rel=\"next\"");
    }
}
