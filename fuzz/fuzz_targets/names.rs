//! URL names, and what publishers call things: one spelling for each, nothing that leaves its place.
#![no_main]

use arbitrary::Arbitrary;
use ingest::rtmp::name::{App, MAX_KEY};
use libfuzzer_sys::fuzz_target;
use packager::names::{Resource, is_entry_id};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    path: &'a str,
    app: &'a str,
    tc_url: &'a str,
    name: &'a str,
    number: u64,
    index: u32,
    quality: &'a str,
}

fuzz_target!(|input: Input<'_>| {
    if let Some(resource) = Resource::parse(input.path) {
        assert_eq!(resource.to_string(), input.path, "one spelling");
        assert!(!input.path.contains("..") && input.path.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if is_entry_id(input.path) {
        assert!(!input.path.is_empty() && !input.path.contains(['/', '.', '%', '\0']));
    }
    check_written(&input);
    let Ok(app) = App::parse(input.app, input.tc_url) else { return };
    if let Ok(key) = app.key(input.name) {
        let key = key.into_secret();
        assert!((1..=MAX_KEY).contains(&key.len()));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    }
});

/// What we can write reads back as what it was.
fn check_written(input: &Input<'_>) {
    let Input { number, index, .. } = *input;
    let rendition = format!("video-{}", input.quality);
    let playlist = Resource::Playlist { rendition: rendition.clone() };
    if Resource::parse(&playlist.to_string()) != Some(playlist) {
        return;
    }
    for resource in [
        Resource::Init { rendition: rendition.clone(), period: number },
        Resource::Segment { rendition: rendition.clone(), number },
        Resource::Part { rendition, number, index },
    ] {
        assert_eq!(Resource::parse(&resource.to_string()), Some(resource));
    }
}
