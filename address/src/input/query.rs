//! The part behind `?`. Percent-encoding is undone and nothing else: a `+` is a plus, as SRT's own tools have it.

use percent_encoding::percent_decode_str;

use super::Wrong;

/// Whose values nobody is shown who may not see keys.
const SECRET: [&str; 2] = ["passphrase", "streamid"];

/// What stands there, each name once; a name without `=` has no value.
pub(super) struct Query<'t>(Vec<(String, Option<&'t str>)>);

impl<'t> Query<'t> {
    pub(super) fn read(text: Option<&'t str>) -> Result<Query<'t>, Wrong> {
        let mut pairs: Vec<(String, Option<&str>)> = Vec::new();
        for pair in text.into_iter().flat_map(|text| text.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (pair, None),
            };
            let name = decoded("the name of a parameter", name)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(wrong(format!("has the parameter {name:?} twice"), "give it once"));
            }
            pairs.push((name, value));
        }
        Ok(Query(pairs))
    }

    /// Takes a parameter that has a value.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        match self.remove(name) {
            None => Ok(None),
            Some(Some(value)) if !value.is_empty() => decoded(name, value).map(Some),
            Some(_) => Err(wrong(
                format!("has {name:?} without a value"),
                &format!("write {name}=… or leave it out"),
            )),
        }
    }

    /// Takes a parameter that is there or not.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, Wrong> {
        match self.remove(name) {
            None | Some(Some("0" | "false")) => Ok(false),
            Some(None | Some("" | "1" | "true")) => Ok(true),
            Some(Some(_)) => Err(wrong(
                format!("has another value of {name:?} than 0 or 1"),
                &format!("write {name} without a value"),
            )),
        }
    }

    /// That nothing is left of it.
    pub(super) fn end(self, scheme: &str, known: &str) -> Result<(), Wrong> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(40).collect();
                Err(wrong(format!("has the parameter {shown:?}, which {scheme} inputs do not know"), known))
            }
        }
    }

    fn remove(&mut self, name: &str) -> Option<Option<&'t str>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }
}

/// A URL with `hidden` in place of its secrets.
pub(super) fn hide(text: &str) -> String {
    let Some((before, query)) = text.split_once('?') else { return text.to_owned() };
    let shown = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        let plain = percent_decode_str(name).decode_utf8_lossy();
        match SECRET.contains(&plain.as_ref()) {
            true => format!("{name}=hidden"),
            false => pair.to_owned(),
        }
    };
    let pairs: Vec<String> = query.split('&').map(shown).collect();
    format!("{before}?{}", pairs.join("&"))
}

fn decoded(name: &str, text: &str) -> Result<String, Wrong> {
    let text = percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| wrong(format!("has bytes in {name} that are not UTF-8"), "percent-encode UTF-8"))?;
    match text.contains(char::is_control) {
        true => Err(wrong(format!("has a control character in {name}"), "remove it")),
        false => Ok(text.into_owned()),
    }
}

pub(super) fn wrong(wrong: impl Into<String>, right: &str) -> Wrong {
    Wrong { wrong: wrong.into(), right: right.to_owned() }
}
