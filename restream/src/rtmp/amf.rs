//! AMF0 as far as a publisher needs it (Adobe AMF0, 2006): commands out, answers in.

/// Objects in objects.
const DEPTH: usize = 8;
/// Values of one message.
const VALUES: usize = 512;
const END: u8 = 9;

/// A value. What no answer needs is [`Value::Other`].
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// 64-bit floating point.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text.
    Text(String),
    /// Properties in their order.
    Object(Vec<(String, Value)>),
    /// Values in their order.
    Array(Vec<Value>),
    /// Null.
    Null,
    /// Something else.
    Other,
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    /// A property that is text.
    pub fn property(&self, name: &str) -> Option<&str> {
        let Value::Object(properties) = self else { return None };
        properties.iter().find(|(key, _)| key == name).and_then(|(_, value)| value.text())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

/// An object of these properties.
pub fn object<'a>(properties: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The values of a message, one after another.
pub fn write(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    values.iter().for_each(|value| append(value, &mut out));
    out
}

fn append(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(0);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(yes) => out.extend_from_slice(&[1, u8::from(*yes)]),
        Value::Text(text) => {
            out.push(2);
            short(text, out);
        }
        Value::Object(properties) => {
            out.push(3);
            for (name, value) in properties {
                short(name, out);
                append(value, out);
            }
            out.extend_from_slice(&[0, 0, END]);
        }
        Value::Array(values) => {
            out.push(10);
            out.extend_from_slice(&u32::try_from(values.len()).unwrap_or(u32::MAX).to_be_bytes());
            values.iter().for_each(|value| append(value, out));
        }
        Value::Null => out.push(5),
        Value::Other => out.push(6),
    }
}

/// Nothing that is sent is longer than its length can say: URLs and keys are bounded.
fn short(text: &str, out: &mut Vec<u8>) {
    let len = text.floor_char_boundary(usize::from(u16::MAX).min(text.len()));
    out.extend_from_slice(&(len as u16).to_be_bytes());
    out.extend_from_slice(&text.as_bytes()[..len]);
}

/// Reads the values of a message; `None` where they are not AMF0, or too many.
pub fn read(bytes: &[u8]) -> Option<Vec<Value>> {
    let mut reader = Reader { bytes, values: VALUES };
    let mut values = Vec::new();
    while !reader.bytes.is_empty() {
        values.push(reader.value(DEPTH)?);
    }
    Some(values)
}

struct Reader<'a> {
    bytes: &'a [u8],
    values: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        self.values = self.values.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        let [marker] = self.array()?;
        Some(match marker {
            0 => Value::Number(f64::from_be_bytes(self.array()?)),
            1 => Value::Boolean(self.array()? != [0]),
            2 => Value::Text(self.short()?),
            3 => Value::Object(self.properties(depth)?),
            5 => Value::Null,
            6 | 13 => Value::Other,
            7 => self.skip::<2>()?,
            8 => {
                self.skip::<4>()?;
                Value::Object(self.properties(depth)?)
            }
            10 => Value::Array(self.elements(depth)?),
            11 => self.skip::<10>()?,
            12 | 15 => {
                let len = u32::from_be_bytes(self.array()?);
                Value::Text(self.string(len as usize)?)
            }
            16 => {
                self.short()?;
                Value::Object(self.properties(depth)?)
            }
            _ => return None,
        })
    }

    fn properties(&mut self, depth: usize) -> Option<Vec<(String, Value)>> {
        let mut properties = Vec::new();
        // Some leave out the end of the last one.
        while !self.bytes.is_empty() {
            let name = self.short()?;
            if name.is_empty() && self.bytes.first() == Some(&END) {
                self.skip::<1>()?;
                break;
            }
            properties.push((name, self.value(depth)?));
        }
        Some(properties)
    }

    fn elements(&mut self, depth: usize) -> Option<Vec<Value>> {
        let count = u32::from_be_bytes(self.array()?);
        (0..count).map(|_| self.value(depth)).collect()
    }

    fn short(&mut self) -> Option<String> {
        let len = u16::from_be_bytes(self.array()?);
        self.string(len.into())
    }

    fn string(&mut self, len: usize) -> Option<String> {
        let (text, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    fn skip<const N: usize>(&mut self) -> Option<Value> {
        self.array::<N>().map(|_| Value::Other)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let codecs = Value::Array(vec!["hvc1".into(), "av01".into()]);
        let inner = object([("code", "NetStream.Publish.Start".into()), ("n", 1.5.into())]);
        let values = ["onStatus".into(), 0.0.into(), Value::Null, inner, Value::Boolean(true), codecs];
        assert_eq!(read(&write(&values)), Some(values.to_vec()));
        assert_eq!(values[3].property("code"), Some("NetStream.Publish.Start"));
        assert_eq!(values[3].property("n"), None, "a number is no text");
    }

    #[test]
    fn what_makes_no_sense_ends_soon() {
        assert_eq!(read(&[3, 0, 1, b'k'].repeat(100)), None, "deeper than any answer");
        assert_eq!(read(&[10, 0xff, 0xff, 0xff, 0xff]), None, "four thousand million elements");
        assert_eq!(read(&[5].repeat(VALUES + 1)), None);
        assert_eq!(read(&[2, 0xff, 0xff, b'x']), None, "cut off");
        assert_eq!(read(&[17]), None, "AMF3");
    }
}
