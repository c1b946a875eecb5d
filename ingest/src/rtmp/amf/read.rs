//! Reading values, bounded.

use super::{Object, Value, marker};
use crate::rtmp::Limits;

/// Reads the values of one message, one after another.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    values: usize,
}

/// What is wrong with an AMF message; the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value goes on beyond the end of the message.
    #[error("AMF ends inside a value at byte {at}")]
    Truncated {
        /// Offset in the message.
        at: usize,
    },
    /// A type that is reserved or not read here.
    #[error("AMF type {marker:#04x} at byte {at} is not supported")]
    Marker {
        /// The type marker.
        marker: u8,
        /// Offset in the message.
        at: usize,
    },
    /// Deeper than [`Limits::amf_depth`].
    #[error("AMF nests too deep at byte {at}")]
    TooDeep {
        /// Offset in the message.
        at: usize,
    },
    /// More than [`Limits::amf_values`].
    #[error("AMF has too many values at byte {at}")]
    TooMany {
        /// Offset in the message.
        at: usize,
    },
}

impl Error {
    /// Whether this is an attempt to make the server work, rather than a slip.
    pub fn is_abuse(&self) -> bool {
        matches!(self, Error::TooDeep { .. } | Error::TooMany { .. })
    }
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8], limits: &Limits) -> Reader<'a> {
        Reader { bytes, at: 0, depth: limits.amf_depth, values: limits.amf_values }
    }

    /// The next value, or `None` at the end.
    pub fn value(&mut self) -> Result<Option<Value>, Error> {
        if self.at == self.bytes.len() { Ok(None) } else { self.nested(self.depth).map(Some) }
    }

    /// All values that are left.
    pub fn rest(&mut self) -> Result<Vec<Value>, Error> {
        let mut values = Vec::new();
        while let Some(value) = self.value()? {
            values.push(value);
        }
        Ok(values)
    }

    fn nested(&mut self, depth: usize) -> Result<Value, Error> {
        let at = self.at;
        self.values = self.values.checked_sub(1).ok_or(Error::TooMany { at })?;
        let depth = depth.checked_sub(1).ok_or(Error::TooDeep { at })?;
        let [marker] = self.array()?;
        Ok(match marker {
            marker::NUMBER => Value::Number(f64::from_be_bytes(self.array()?)),
            marker::BOOLEAN => Value::Boolean(self.array::<1>()? != [0]),
            marker::STRING => Value::String(self.string()?),
            marker::LONG_STRING | marker::XML => Value::String(self.long_string()?),
            marker::OBJECT => Value::Object(self.object(depth)?),
            marker::TYPED_OBJECT => {
                self.string()?;
                Value::Object(self.object(depth)?)
            }
            marker::ECMA_ARRAY => {
                self.array::<4>()?;
                Value::Object(self.object(depth)?)
            }
            marker::STRICT_ARRAY => Value::Array(self.strict_array(depth)?),
            marker::DATE => self.date()?,
            marker::NULL => Value::Null,
            marker::UNDEFINED | marker::UNSUPPORTED => Value::Undefined,
            marker::REFERENCE => {
                self.array::<2>()?;
                Value::Null
            }
            marker::AVM_PLUS => self.amf3()?,
            marker => return Err(Error::Marker { marker, at }),
        })
    }

    /// Properties until the end marker. Some encoders leave it out after the last array of a message.
    fn object(&mut self, depth: usize) -> Result<Object, Error> {
        let mut properties = Vec::new();
        while self.at < self.bytes.len() {
            let name = self.string()?;
            if name.is_empty() && self.bytes.get(self.at) == Some(&marker::OBJECT_END) {
                self.at += 1;
                break;
            }
            properties.push((name, self.nested(depth)?));
        }
        Ok(Object(properties))
    }

    /// Each element takes at least a byte, so that a false count ends with the message.
    fn strict_array(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        let count = u32::from_be_bytes(self.array()?);
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(self.nested(depth)?);
        }
        Ok(values)
    }

    fn date(&mut self) -> Result<Value, Error> {
        let millis = f64::from_be_bytes(self.array()?);
        self.array::<2>()?;
        Ok(Value::Date(millis))
    }

    fn string(&mut self) -> Result<String, Error> {
        let len = u16::from_be_bytes(self.array()?);
        self.text(len.into())
    }

    fn long_string(&mut self) -> Result<String, Error> {
        let len = u32::from_be_bytes(self.array()?);
        self.text(len as usize)
    }

    /// Not every encoder writes UTF-8 into its metadata.
    fn text(&mut self, len: usize) -> Result<String, Error> {
        Ok(String::from_utf8_lossy(self.take(len)?).into_owned())
    }

    /// One AMF3 scalar (Adobe AMF3, 3.2 to 3.8).
    fn amf3(&mut self) -> Result<Value, Error> {
        let at = self.at;
        let [marker] = self.array()?;
        Ok(match marker {
            0x00 => Value::Undefined,
            0x01 => Value::Null,
            0x02 => Value::Boolean(false),
            0x03 => Value::Boolean(true),
            0x04 => Value::Number(f64::from((self.u29()? << 3) as i32 >> 3)),
            0x05 => Value::Number(f64::from_be_bytes(self.array()?)),
            0x06 => match self.u29()? {
                reference if reference & 1 == 0 => return Err(Error::Marker { marker, at }),
                len => Value::String(self.text(len as usize >> 1)?),
            },
            marker => return Err(Error::Marker { marker, at }),
        })
    }

    fn u29(&mut self) -> Result<u32, Error> {
        let mut value = 0;
        for _ in 0..3 {
            let [byte] = self.array()?;
            value = value << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        let [byte] = self.array()?;
        Ok(value << 8 | u32::from(byte))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let bytes = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let bytes = *bytes.ok_or(Error::Truncated { at: self.at })?;
        self.at += N;
        Ok(bytes)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.get(..len));
        let bytes = bytes.ok_or(Error::Truncated { at: self.at })?;
        self.at += len;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmp::amf::write;

    fn all(bytes: &[u8]) -> Result<Vec<Value>, Error> {
        Reader::new(bytes, &Limits::default()).rest()
    }

    fn one(bytes: &[u8]) -> Value {
        let mut values = all(bytes).expect("valid");
        assert_eq!(values.len(), 1);
        values.remove(0)
    }

    #[test]
    fn every_value_survives_writing_and_reading() {
        let values = [
            Value::Number(-1.5),
            Value::Boolean(true),
            "live".into(),
            Value::String("x".repeat(70_000)),
            Object::of([("a", Value::Null), ("b", Object::of([("c", Value::Undefined)]).into())]).into(),
            Value::Array(vec![1.0.into(), "two".into()]),
            Value::Date(1.7e12),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| write(value, &mut bytes));
        assert_eq!(all(&bytes), Ok(values.to_vec()));
    }

    #[test]
    fn ecma_array_ends_at_its_marker_whatever_its_count_says() {
        let object = Value::Object(Object::of([("w", 1.0.into())]));
        let mut bytes = vec![marker::ECMA_ARRAY, 0xff, 0xff, 0xff, 0xff, 0, 1, b'w'];
        write(&1.0.into(), &mut bytes);
        assert_eq!(one(&bytes), object, "no end marker at the end of the message");
        bytes.extend_from_slice(&[0, 0, marker::OBJECT_END]);
        assert_eq!(one(&bytes), object);
    }

    #[test]
    fn rarer_types() {
        assert_eq!(one(&[marker::LONG_STRING, 0, 0, 0, 2, b'h', b'i']), "hi".into());
        assert_eq!(one(&[marker::XML, 0, 0, 0, 3, b'<', b'a', b'>']), "<a>".into());
        assert_eq!(
            one(&[marker::TYPED_OBJECT, 0, 1, b'C', 0, 1, b'k', marker::NULL, 0, 0, 9]),
            Object::of([("k", Value::Null)]).into()
        );
        assert_eq!(one(&[marker::REFERENCE, 0, 1]), Value::Null);
        assert_eq!(one(&[marker::STRING, 0, 1, 0xe9]), "\u{fffd}".into(), "Latin-1 does no harm");
    }

    #[test]
    fn avm_plus_switches_for_one_value() {
        let bytes = [0x11, 0x04, 0x81, 0x00, 0x11, 0x06, 0x05, b'h', b'i', 0x11, 0x03, marker::NULL];
        assert_eq!(all(&bytes), Ok(vec![128.0.into(), "hi".into(), Value::Boolean(true), Value::Null]));
        assert_eq!(one(&[0x11, 0x04, 0xff, 0xff, 0xff, 0xff]), (-1.0).into());
        assert_eq!(all(&[0x11, 0x0a]), Err(Error::Marker { marker: 0x0a, at: 1 }));
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        let objects = [marker::OBJECT, 0, 1, b'k'].repeat(200_000);
        assert!(matches!(all(&objects), Err(Error::TooDeep { at: 128 })));
        let arrays = [marker::STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff].repeat(50_000);
        assert!(matches!(all(&arrays), Err(Error::TooDeep { at: 160 })));
    }

    #[test]
    fn four_billion_elements_cost_nothing() {
        assert!(matches!(
            all(&[marker::STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff]),
            Err(Error::Truncated { at: 5 })
        ));
        let many = [&[marker::STRICT_ARRAY, 0xff, 0xff, 0xff, 0xff][..], &[marker::NULL; 10_000]].concat();
        assert!(matches!(all(&many), Err(Error::TooMany { .. })));
    }

    #[test]
    fn truncations_and_reserved_types_are_errors() {
        assert_eq!(all(&[marker::NUMBER, 0, 0]), Err(Error::Truncated { at: 1 }));
        assert_eq!(all(&[marker::STRING, 0xff, 0xff, b'x']), Err(Error::Truncated { at: 3 }));
        for reserved in [0x04, 0x0e, 0x12, 0xff] {
            assert_eq!(all(&[reserved]), Err(Error::Marker { marker: reserved, at: 0 }));
        }
    }
}
