//! Lists, page by page.
//!
//! A page ends with a *cursor*: where in the order the next one begins, not how many were passed. What is added or
//! removed meanwhile neither repeats nor hides anything else. A cursor belongs to the order that it was made for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;
use crate::words::words;

/// Items of a page when nobody says.
pub const USUAL: u32 = 20;
/// Most items of a page; asking for more gives these.
pub const MOST: u32 = 500;
/// Longest cursor that is looked at, in bytes.
const LONGEST: usize = 4096;

words! {
    /// Which end comes first.
    Order {
        /// The smallest, the earliest.
        Ascending = "asc",
        /// The largest, the latest.
        Descending = "desc",
    }
}

/// Which part of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Paging {
    /// At most so many items; [`USUAL`] by default, [`MOST`] at most, not zero.
    pub limit: Option<u32>,
    /// What the page before ended with.
    pub cursor: Option<String>,
}

/// A part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// The items, in the order that was asked for.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<String>,
}

/// Where a page begins: after the item with this value and this id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct After {
    pub(crate) value: String,
    pub(crate) id: String,
}

impl Paging {
    pub(crate) fn limit(&self) -> Result<u64, Error> {
        match self.limit.unwrap_or(USUAL) {
            0 => Err(Error::invalid("limit", "is zero")),
            limit => Ok(u64::from(limit.min(MOST))),
        }
    }

    /// Where to begin in an order; `None` is its beginning.
    pub(crate) fn after(&self, order: &str) -> Result<Option<After>, Error> {
        match &self.cursor {
            None => Ok(None),
            Some(text) => decode(text, order)
                .map(Some)
                .ok_or_else(|| Error::invalid("cursor", "is not one that this list gave, in this order")),
        }
    }
}

impl<T> Page<T> {
    /// A page of what was found when one more than `limit` was asked for.
    pub(crate) fn cut(mut items: Vec<T>, limit: u64, order: &str, after: impl Fn(&T) -> After) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|last| encode(order, &after(last))) } else { None };
        Page { items, next }
    }

    pub(crate) fn map<U>(self, change: impl FnMut(T) -> Result<U, Error>) -> Result<Page<U>, Error> {
        Ok(Page { items: self.items.into_iter().map(change).collect::<Result<_, _>>()?, next: self.next })
    }
}

fn encode(order: &str, after: &After) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::json!([order, after.value, after.id]).to_string())
}

fn decode(text: &str, order: &str) -> Option<After> {
    let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= LONGEST)?).ok()?;
    let [of, value, id]: [String; 3] = serde_json::from_slice(&bytes).ok()?;
    (of == order && !value.contains('\0') && !id.contains('\0')).then_some(After { value, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_in_its_own_order_only() {
        let after = After { value: "ö 'x' \u{1f600}".to_owned(), id: "0_k3x9p2ab".to_owned() };
        let text = encode("name asc", &after);
        assert_eq!(decode(&text, "name asc"), Some(after));
        assert_eq!(decode(&text, "name desc"), None);
    }

    #[test]
    fn what_is_no_cursor_is_invalid() {
        for text in [
            "",
            "x",
            "%%%",
            "W10",
            "bnVsbA",
            &URL_SAFE_NO_PAD.encode(r#"["o","a\u0000","b"]"#),
            &"A".repeat(9000),
        ] {
            let paging = Paging { cursor: Some(text.to_owned()), limit: None };
            assert!(matches!(paging.after("o"), Err(Error::Invalid { field: "cursor", .. })), "{text}");
        }
    }
}
