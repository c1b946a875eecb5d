//! Any bytes as AMF: within the limits, or an error; and what was read is written and read again the same.
#![no_main]

use ingest::rtmp::Limits;
use ingest::rtmp::amf::{self, Reader, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let Ok(values) = Reader::new(data, &limits).rest() else { return };
    let mut count = 0;
    for value in &values {
        assert!(depth(value, &mut count) <= limits.amf_depth);
    }
    assert!(count <= limits.amf_values);
    let written = write(&values);
    // What was read may have been spelt otherwise; what we write has one spelling.
    let again = Reader::new(&written, &limits).rest().expect("our own writing");
    assert_eq!(write(&again), written);
});

fn write(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| amf::write(value, &mut out));
    out
}

fn depth(value: &Value, count: &mut usize) -> usize {
    *count += 1;
    let inner = match value {
        Value::Object(object) => object.0.iter().map(|(_, value)| depth(value, count)).max(),
        Value::Array(values) => values.iter().map(|value| depth(value, count)).max(),
        _ => None,
    };
    1 + inner.unwrap_or(0)
}
