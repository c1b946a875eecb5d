//! Writing values.

use super::{Object, Value, marker};

/// Appends `value` to `out`.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => {
            out.push(marker::NUMBER);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(yes) => out.extend_from_slice(&[marker::BOOLEAN, u8::from(*yes)]),
        Value::String(text) => string(text, out),
        Value::Object(Object(properties)) => object(properties, out),
        Value::Null => out.push(marker::NULL),
        Value::Undefined => out.push(marker::UNDEFINED),
        Value::Array(values) => array(values, out),
        Value::Date(millis) => {
            out.push(marker::DATE);
            out.extend_from_slice(&millis.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
        }
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    match u16::try_from(text.len()) {
        Ok(len) => {
            out.push(marker::STRING);
            out.extend_from_slice(&len.to_be_bytes());
        }
        Err(_) => {
            out.push(marker::LONG_STRING);
            out.extend_from_slice(&(text.len() as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

fn object(properties: &[(String, Value)], out: &mut Vec<u8>) {
    out.push(marker::OBJECT);
    for (name, value) in properties {
        out.extend_from_slice(&(name.len() as u16).to_be_bytes());
        out.extend_from_slice(name.as_bytes());
        write(value, out);
    }
    out.extend_from_slice(&[0, 0, marker::OBJECT_END]);
}

fn array(values: &[Value], out: &mut Vec<u8>) {
    out.push(marker::STRICT_ARRAY);
    out.extend_from_slice(&(values.len() as u32).to_be_bytes());
    for value in values {
        write(value, out);
    }
}
