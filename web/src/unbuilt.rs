//! The page that stands in where the pages were not built.

/// It plays where the browser knows HLS by itself, and says what is missing. `entry` is an entry id, and so needs
/// no escaping.
pub(crate) fn page(entry: &str) -> String {
    include_str!("unbuilt.html").replace("ENTRY", entry)
}
