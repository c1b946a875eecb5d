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
    certificate(reader, config);
}

fn certificate(reader: &mut Reader, config: &Config) {
    let tls = &config.tls;
    if tls.certificate.is_some() != tls.key.is_some() {
        let wrong = "one of a certificate and its key is set".to_owned();
        reader.broken(&["tls.certificate", "tls.key"], wrong, "set both, or none".to_owned());
    }
    if tls.self_signed && tls.certificate.is_some() {
        let wrong = "asks for a certificate of the server's own beside one that is set".to_owned();
        reader.broken(&["tls.self_signed", "tls.certificate"], wrong, "set one of the two".to_owned());
    }
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
    let (http, rtmp, srt, tls) = (&config.http, &config.rtmp, &config.srt, config.tls.configured());
    let all = [
        ("http", http.enabled, http.listen),
        ("https", tls && config.https.enabled, config.https.listen),
        ("rtmp", rtmp.enabled, rtmp.listen),
        ("rtmps", tls && config.rtmps.enabled, config.rtmps.listen),
    ];
    let on: Vec<_> = all.into_iter().filter(|(_, enabled, _)| *enabled).collect();
    if on.is_empty() && !srt.enabled {
        let wrong = "every listener is off".to_owned();
        let paths = ["http.enabled", "rtmp.enabled", "srt.enabled"];
        reader.broken(&paths, wrong, "enable at least one".to_owned());
    }
    for (at, (one, _, listen)) in on.iter().enumerate() {
        for (other, _, taken) in &on[..at] {
            let port = listen.port();
            if port != 0 && port == taken.port() && overlap(listen.ip(), taken.ip()) {
                let wrong = format!("{other} and {one} both listen on port {port}");
                let paths = [one, other].map(|name| format!("{name}.listen"));
                reader.broken(&paths.each_ref().map(String::as_str), wrong, "give each its own".to_owned());
            }
        }
    }
}

fn overlap(one: std::net::IpAddr, other: std::net::IpAddr) -> bool {
    one == other || one.is_unspecified() || other.is_unspecified()
}
