//! What must hold between settings.

use std::time::Duration;

use crate::reader::Reader;
use crate::sections::Config;
use crate::value::duration_text;

/// The fewest segments that a live playlist may hold (RFC 8216bis 6.2.2).
const SEGMENTS: u32 = 3;

pub(crate) fn check(reader: &mut Reader, config: &Config) {
    parts(reader, config);
    windows(reader, config);
    target_duration(reader, config);
    listeners(reader, config);
    object_store(reader, config);
}

fn object_store(reader: &mut Reader, config: &Config) {
    let storage = &config.storage;
    let (access, secret) = (&storage.object_access_key, &storage.object_secret_key);
    if access.is_some() != secret.is_some() {
        let wrong = "one of a pair of keys is set".to_owned();
        let paths = ["storage.object_access_key", "storage.object_secret_key"];
        reader.broken(&paths, wrong, "set both, or none".to_owned());
    }
    if storage.object_url.is_none() {
        let paths =
            ["endpoint", "region", "access_key", "secret_key"].map(|key| format!("storage.object_{key}"));
        let paths = paths.each_ref().map(String::as_str);
        let wrong = "says something of a store that is not named".to_owned();
        reader.broken(&paths, wrong, "set storage.object_url".to_owned());
    }
}

fn parts(reader: &mut Reader, config: &Config) {
    let packager = &config.packager;
    if packager.part > packager.segment {
        let [part, segment] = [packager.part, packager.segment].map(duration_text);
        let wrong = format!("a part of {part} is longer than a segment of {segment}");
        reader.broken(&["packager.part", "packager.segment"], wrong, format!("use at most {segment}"));
    }
}

fn windows(reader: &mut Reader, config: &Config) {
    let (packager, dvr) = (&config.packager, &config.dvr);
    let least = packager.segment * SEGMENTS;
    let paths = ["packager.window", "packager.segment"];
    shorter(reader, &paths, packager.window, least, "a live playlist of fewer than three segments");
    let paths = ["dvr.window", "packager.window"];
    shorter(reader, &paths, dvr.window, packager.window, "shorter than the live playlist");
}

fn shorter(reader: &mut Reader, paths: &[&str], is: Duration, least: Duration, wrong: &str) {
    if is < least {
        let wrong = format!("{} = {} is {wrong}", paths[0], duration_text(is));
        reader.broken(paths, wrong, format!("make {} at least {}", paths[0], duration_text(least)));
    }
}

fn target_duration(reader: &mut Reader, config: &Config) {
    let Some(seconds) = config.packager.target_duration else { return };
    if Duration::from_secs(seconds.into()) < config.packager.segment {
        let segment = duration_text(config.packager.segment);
        let wrong = format!("{seconds} seconds are shorter than a segment of {segment}");
        reader.broken(&["packager.target_duration"], wrong, format!("use at least {segment}, rounded up"));
    }
}

fn listeners(reader: &mut Reader, config: &Config) {
    let (http, rtmp, srt) = (&config.http, &config.rtmp, &config.srt);
    if !http.enabled && !rtmp.enabled && !srt.enabled {
        let wrong = "every listener is off".to_owned();
        let paths = ["http.enabled", "rtmp.enabled", "srt.enabled"];
        reader.broken(&paths, wrong, "enable at least one".to_owned());
    }
    let port = http.listen.port();
    if http.enabled
        && rtmp.enabled
        && port != 0
        && port == rtmp.listen.port()
        && overlap(http.listen.ip(), rtmp.listen.ip())
    {
        let wrong = format!("http and rtmp both listen on port {port}");
        reader.broken(&["rtmp.listen", "http.listen"], wrong, "give each its own".to_owned());
    }
}

fn overlap(one: std::net::IpAddr, other: std::net::IpAddr) -> bool {
    one == other || one.is_unspecified() || other.is_unspecified()
}
