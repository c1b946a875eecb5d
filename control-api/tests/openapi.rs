//! The document is what is kept as `openapi.json`, and says everything that a handler answers.
//!
//! `UPDATE_GOLDEN=1 cargo test -p headwater-control-api --test openapi` writes the file anew; review the difference.

use std::path::Path;

use serde_json::Value;

#[test]
fn the_document_is_what_is_kept() {
    let path = Path::new("openapi.json");
    let document = control_api::openapi();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &document).expect("a file that can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == document,
        "openapi.json differs: renew it with UPDATE_GOLDEN=1 and review the difference"
    );
}

#[test]
fn every_operation_has_a_name_a_summary_and_the_problems_of_all() {
    let document: Value = serde_json::from_str(&control_api::openapi()).expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    for (name, operation) in operations {
        assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{name}");
        for status in ["401", "403", "429", "500", "503"] {
            assert!(operation["responses"][status].is_object(), "{name}: {status}");
        }
    }
}

#[test]
fn everything_that_is_referred_to_is_there() {
    let document: Value = serde_json::from_str(&control_api::openapi()).expect("JSON");
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').expect("a reference into the document");
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        open.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        open.extend(value.as_array().into_iter().flatten());
    }
}
