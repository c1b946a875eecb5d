//! URL names, and what publishers call things: one spelling for each, nothing that leaves its place.
#![no_main]

use arbitrary::Arbitrary;
use ingest::rtmp::name::{App, MAX_KEY};
use libfuzzer_sys::fuzz_target;
use packager::names::smooth::publishing_point;
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
    /// What stands where a Smooth URL has `(`, `=` and `)`, and in which case its words are.
    marks: [&'a str; 5],
    upper: bool,
}

fuzz_target!(|input: Input<'_>| {
    if let Some(resource) = Resource::parse(input.path) {
        check_spelling(&resource, input.path);
        assert!(!input.path.contains("..") && input.path.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if is_entry_id(input.path) {
        assert!(!input.path.is_empty() && !input.path.contains(['/', '.', '%', '\0']));
    }
    check_written(&input);
    check_smooth(&input);
    let Ok(app) = App::parse(input.app, input.tc_url) else { return };
    if let Ok(key) = app.key(input.name) {
        let key = key.into_secret();
        assert!((1..=MAX_KEY).contains(&key.len()));
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    }
});

/// Smooth clients spell some characters in ways of their own; all of them mean what we write.
fn check_spelling(resource: &Resource, path: &str) {
    let written = resource.to_string();
    if !resource.is_smooth() {
        assert_eq!(written, path, "one spelling");
    }
    assert_eq!(Resource::parse(&written).as_ref(), Some(resource));
    let (entry, _) = publishing_point(path);
    assert!(path.starts_with(entry));
}

/// A URL of Smooth in any spelling, right or wrong.
fn check_smooth(input: &Input<'_>) {
    let Input { number, index, quality, marks: [open, close, open_too, equals, close_too], .. } = input;
    let path =
        format!("QualityLevels{open}{index}{close}/Fragments{open_too}{quality}{equals}{number}{close_too}");
    let path = if input.upper { path.to_ascii_uppercase() } else { path };
    for path in [format!("from/{number}{close}/{index}/{path}"), path] {
        if let Some(resource) = Resource::parse(&path) {
            assert!(resource.is_smooth());
            check_spelling(&resource, &path);
        }
    }
    let plain = format!("QualityLevels({index})/Fragments(video={number})");
    let since = format!("from/{number}/{index}/{plain}");
    for name in [plain, since] {
        assert_eq!(Resource::parse(&name).map(|it| it.to_string()), Some(name));
    }
}

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
