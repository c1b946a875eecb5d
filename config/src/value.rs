//! A value as it was written, and the small grammars inside strings: durations, sizes and networks.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use toml::de::DeValue;

/// A scalar or a list of strings as it was written, or the kind of what is neither.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<String>),
    Other(&'static str),
}

impl Value {
    pub(crate) fn from_toml(value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("an integer beyond 64 bits"), Value::Integer),
            DeValue::Boolean(yes) => Value::Boolean(*yes),
            DeValue::Float(_) => Value::Other("a float"),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(items) => {
                let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
                texts.collect::<Option<_>>().map_or(Value::Other("an array"), Value::List)
            }
            DeValue::Table(_) => Value::Other("a table"),
        }
    }

    /// What stands in an environment variable: a TOML scalar or list of strings, or else a bare string.
    pub(crate) fn from_variable(text: &str) -> Value {
        match DeValue::parse(text).map(|value| Value::from_toml(value.get_ref())) {
            Ok(Value::Other(_)) | Err(_) => Value::Text(text.to_owned()),
            Ok(value) => value,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{:?}", shortened(text)),
            Value::Integer(number) => number.fmt(f),
            Value::Boolean(yes) => yes.fmt(f),
            Value::List(texts) => {
                write!(f, "{:?}", texts.iter().map(|text| shortened(text)).collect::<Vec<_>>())
            }
            Value::Other(kind) => f.write_str(kind),
        }
    }
}

/// `2s`, `500ms`, `1h 30m`: a number always has a unit.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    humantime::parse_duration(text).ok()
}

/// `8MiB`, `500kB`, `0B`: a number always has a unit.
pub(crate) fn size(text: &str) -> Option<u64> {
    let with_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    with_unit.then(|| text.parse::<ByteSize>().ok()).flatten().map(|size| size.as_u64())
}

/// `10.0.0.0/8`, or one address, which is a network of one.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(crate) fn duration_text(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// In the largest unit that divides it.
pub(crate) fn size_text(bytes: u64) -> String {
    let units = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fits = |unit: &u64| bytes >= *unit && bytes.is_multiple_of(*unit);
    match units.iter().find(|(unit, _)| fits(unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_need_a_unit() {
        assert_eq!(size("8MiB"), Some(8 << 20));
        assert_eq!(size("500 kB"), Some(500_000));
        assert_eq!(size("8"), None);
        assert_eq!(size("MiB"), None);
        assert_eq!(duration("1h 30m"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("2"), None);
        assert_eq!(duration("0"), None);
        assert_eq!(duration(""), None);
    }

    #[test]
    fn what_is_written_in_an_error_can_be_read_back() {
        for bytes in [0, 1, 1000, 1024, 8 << 20, (1 << 40) + 1] {
            assert_eq!(size(&size_text(bytes)), Some(bytes));
        }
        assert_eq!(duration(&duration_text(Duration::from_millis(1500))), Some(Duration::from_millis(1500)));
    }

    #[test]
    fn a_variable_is_a_scalar_or_a_bare_string() {
        assert_eq!(Value::from_variable("12"), Value::Integer(12));
        assert_eq!(Value::from_variable("true"), Value::Boolean(true));
        assert_eq!(Value::from_variable("\"a b\""), Value::Text("a b".into()));
        assert_eq!(Value::from_variable("[::]:80"), Value::Text("[::]:80".into()));
        assert_eq!(Value::from_variable("4s"), Value::Text("4s".into()));
        assert_eq!(Value::from_variable("[\"a\"]"), Value::List(vec!["a".into()]));
        assert_eq!(Value::from_variable("[1]"), Value::Text("[1]".into()));
    }
}
