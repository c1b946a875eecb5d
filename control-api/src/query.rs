//! The query of a request. A parameter that is not known is refused: a filter with a typo would hide nothing.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A query. Unknown parameters are refused by the type itself (`deny_unknown_fields`).
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let deserializer = serde_urlencoded::Deserializer::new(pairs);
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        Problem::invalid_field(path, error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Some {
        limit: Option<u32>,
        q: Option<String>,
    }

    #[test]
    fn a_query_is_read_and_what_is_not_known_refused() {
        let read = |text| parse::<Some>(text).ok();
        assert_eq!(read("limit=3&q=a%20b+c"), Some { limit: Some(3), q: Some("a b c".to_owned()) }.into());
        assert_eq!(read(""), Some { limit: None, q: None }.into());
        for text in ["limit=-1", "limit=x", "limit=", "limit=1&limit=2", "limt=3"] {
            let problem = parse::<Some>(text).expect_err(text);
            assert_eq!(problem.kind(), crate::problem::Kind::Invalid, "{text}");
        }
    }
}
