//! `headwater.toml` is the reference: it holds every default, every key, and what each accepts.

use config::{Config, settings};

const REFERENCE: &str = include_str!("../../headwater.toml");

#[test]
fn says_the_defaults() {
    let config = Config::parse("headwater.toml", REFERENCE, []).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config, Config::default());
}

#[test]
fn has_every_key_below_what_it_accepts() {
    for setting in settings() {
        let range = range(setting.section, setting.key);
        assert_eq!(range, Some(format!("# Range: {}.", setting.accepts).as_str()), "{}", setting.path());
    }
}

#[test]
fn examples_in_comments_are_legal() {
    let config =
        Config::parse("headwater.toml", &uncommented(), []).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.packager.target_duration, Some(4));
    assert_eq!((config.streams.len(), config.inputs.len()), (1, 1));
}

#[test]
fn an_empty_file_says_the_defaults_too() {
    assert_eq!(Config::parse("empty", "", []), Ok(Config::default()));
}

/// The line before a key, which may be commented out.
fn range(section: &str, key: &str) -> Option<&'static str> {
    let header = format!("[{section}]");
    let body = REFERENCE.lines().skip_while(|line| *line != header).skip(1);
    let body: Vec<&str> = body.take_while(|line| !line.starts_with('[')).collect();
    let at = body.iter().position(|line| line.trim_start_matches("# ").starts_with(&format!("{key} = ")))?;
    body.get(at.checked_sub(1)?).copied()
}

fn uncommented() -> String {
    let example = |line: &str| line.starts_with("[[") || (line.contains(" = ") && !line.contains('`'));
    let bare = |line: &'static str| match line.strip_prefix("# ") {
        Some(rest) if example(rest) => rest,
        _ => line,
    };
    REFERENCE.lines().map(bare).collect::<Vec<_>>().join("\n")
}
