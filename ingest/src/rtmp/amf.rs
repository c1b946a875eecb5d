//! AMF0, in which commands and metadata are written (Adobe AMF0, 2006).
//!
//! Nesting, the number of values and the length are bounded, and nothing is allocated by a count that a peer
//! sends. Of AMF3, scalars are read where a value switches to it; no publisher sends more.

mod read;
mod write;

pub use read::{Error, Reader};
pub use write::write;

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// 64-bit floating point.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text of any length; XML documents too.
    String(String),
    /// An object, a typed object (its class is dropped) or an ECMA array (its count means nothing).
    Object(Object),
    /// Null; also a reference to an earlier value, which no command needs.
    Null,
    /// Undefined.
    Undefined,
    /// An array by position.
    Array(Vec<Value>),
    /// Milliseconds since the Unix epoch; the time zone is to be ignored (2.13).
    Date(f64),
}

/// Properties in their order.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Object(pub Vec<(String, Value)>);

impl Object {
    /// An object of these properties.
    pub fn of<const N: usize>(properties: [(&str, Value); N]) -> Object {
        Object(properties.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The first property called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Value {
    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The properties, if it has any.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(object)
    }
}

mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0a;
    pub(super) const DATE: u8 = 0x0b;
    pub(super) const LONG_STRING: u8 = 0x0c;
    pub(super) const UNSUPPORTED: u8 = 0x0d;
    pub(super) const XML: u8 = 0x0f;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
    pub(super) const AVM_PLUS: u8 = 0x11;
}
