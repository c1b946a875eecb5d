//! Every section, key and range in one place: what may be written.

use std::time::Duration;

use crate::error::{Error, Errors, Place};
use crate::reader::{Reader, Setting, suggestion};
use crate::sections::{
    Auth, Config, Database, Dvr, Http, Https, Input, Log, LogFormat, LogLevel, Packager, Recorder,
    RecorderMode, Restream, Rtmp, Rtmps, Srt, Storage, Stream, Takeover, Tls, Transcode, Vod, Webhooks,
};
use crate::tree::{PREFIX, Tree};
use crate::{inputs, later, rules, streams};

const SECTIONS: &[&str] = &[
    "http",
    "tls",
    "https",
    "rtmp",
    "rtmps",
    "srt",
    "stream",
    "packager",
    "dvr",
    "storage",
    "database",
    "auth",
    "webhooks",
    "restream",
    "log",
    "streams",
    "input",
    "inputs",
    "recorder",
    "vod",
    "transcode",
];

/// As calendars count them in the mean.
const TEN_YEARS: Duration = Duration::from_secs(315_576_000);

/// Networks of proxies that are believed.
const MAX_PROXIES: usize = 100;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Config {
    /// Reads a document called `name`, and over it the variables `HEADWATER_SECTION__KEY`; other variables are
    /// left alone. What is written nowhere has its default.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(
        name: &str,
        text: &str,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, Errors> {
        let mut reader = Reader::new(Tree::parse(name, text, variables));
        let mut config = Config::default();
        read(&mut reader, &mut config);
        rules::check(&mut reader, &config);
        leftovers(&mut reader);
        match Errors::new(causes(reader.errors)) {
            Some(errors) => Err(errors),
            None => Ok(config),
        }
    }
}

/// Every key that can be set, except those of `[[streams]]` and `[[inputs]]`.
pub fn settings() -> Vec<Setting> {
    let mut reader = Reader::default();
    read(&mut reader, &mut Config::default());
    reader.settings
}

fn read(reader: &mut Reader, config: &mut Config) {
    http(reader, &mut config.http);
    tls(reader, &mut config.tls);
    https(reader, &mut config.https);
    rtmp(reader, &mut config.rtmp);
    rtmps(reader, &mut config.rtmps);
    srt(reader, &mut config.srt);
    stream(reader, &mut config.stream);
    packager(reader, &mut config.packager);
    dvr(reader, &mut config.dvr);
    storage(reader, &mut config.storage);
    database(reader, &mut config.database);
    auth(reader, &mut config.auth);
    webhooks(reader, &mut config.webhooks);
    restream(reader, &mut config.restream);
    log(reader, &mut config.log);
    vod(reader, &mut config.vod);
    config.streams = streams::read(reader);
    input(reader, &mut config.input);
    config.inputs = inputs::read(reader);
    recorder(reader, &mut config.recorder);
    transcode(reader, &mut config.transcode);
}

fn http(reader: &mut Reader, into: &mut Http) {
    let mut section = reader.section("http");
    section.boolean("enabled", &mut into.enabled);
    section.address("listen", &mut into.listen);
    section.base_url("public_url", &mut into.public_url);
    section.networks("trusted_proxies", MAX_PROXIES, &mut into.trusted_proxies);
    section.count("max_connections", 1..=1_000_000, &mut into.max_connections);
    section.count("max_waiting", 0..=10_000_000, &mut into.max_waiting);
    section.duration("header_timeout", secs(1)..=secs(60), &mut into.header_timeout);
    section.duration("idle_timeout", secs(1)..=secs(600), &mut into.idle_timeout);
    section.duration("write_timeout", secs(1)..=secs(600), &mut into.write_timeout);
    section.size("manifest_cache", MIB..=4 * GIB, &mut into.manifest_cache);
    section.size("ts_cache", MIB..=16 * GIB, &mut into.ts_cache);
    section.size("media_cache", MIB..=256 * GIB, &mut into.media_cache);
    section.duration("start_hold", secs(0)..=secs(30), &mut into.start_hold);
}

fn tls(reader: &mut Reader, into: &mut Tls) {
    let mut section = reader.section("tls");
    section.path_or_none("certificate", &mut into.certificate);
    section.path_or_none("key", &mut into.key);
    section.boolean("self_signed", &mut into.self_signed);
    section.duration("reload", secs(1)..=secs(3600), &mut into.reload);
    section.duration("handshake_timeout", secs(1)..=secs(60), &mut into.handshake_timeout);
}

fn https(reader: &mut Reader, into: &mut Https) {
    let mut section = reader.section("https");
    section.boolean("enabled", &mut into.enabled);
    section.address("listen", &mut into.listen);
}

fn rtmps(reader: &mut Reader, into: &mut Rtmps) {
    let mut section = reader.section("rtmps");
    section.boolean("enabled", &mut into.enabled);
    section.address("listen", &mut into.listen);
}

fn rtmp(reader: &mut Reader, into: &mut Rtmp) {
    let mut section = reader.section("rtmp");
    section.boolean("enabled", &mut into.enabled);
    section.address("listen", &mut into.listen);
    section.count("max_connections", 1..=100_000, &mut into.max_connections);
    section.duration("handshake_timeout", secs(1)..=secs(60), &mut into.handshake_timeout);
    section.duration("idle_timeout", secs(1)..=secs(600), &mut into.idle_timeout);
    section.size("max_message", 64 * KIB..=16 * MIB, &mut into.max_message);
    section.duration("drain_timeout", secs(0)..=secs(5), &mut into.drain_timeout);
}

fn srt(reader: &mut Reader, into: &mut Srt) {
    let mut section = reader.section("srt");
    section.boolean("enabled", &mut into.enabled);
    section.address("listen", &mut into.listen);
    section.duration("latency", Duration::from_millis(20)..=secs(10), &mut into.latency);
    section.count("max_connections", 1..=10_000, &mut into.max_connections);
    section.duration("peer_timeout", secs(1)..=secs(60), &mut into.peer_timeout);
    section.duration("idle_timeout", secs(1)..=secs(600), &mut into.idle_timeout);
    section.size("receive_buffer", MIB..=256 * MIB, &mut into.receive_buffer);
}

fn input(reader: &mut Reader, into: &mut Input) {
    let mut section = reader.section("input");
    section.boolean("enabled", &mut into.enabled);
    section.count("max_running", 1..=10_000, &mut into.max_running);
    section.boolean("allow_listen", &mut into.allow_listen);
    section.boolean("allow_private", &mut into.allow_private);
    section.duration("connect_timeout", Duration::from_millis(100)..=secs(60), &mut into.connect_timeout);
    section.duration("silence", Duration::from_millis(200)..=secs(60), &mut into.silence);
    section.duration("idle_timeout", secs(1)..=secs(600), &mut into.idle_timeout);
    section.duration("retry_max", secs(1)..=secs(600), &mut into.retry_max);
    section.size("udp_buffer", 64 * KIB..=256 * MIB, &mut into.udp_buffer);
}

fn stream(reader: &mut Reader, into: &mut Stream) {
    let mut section = reader.section("stream");
    section.duration("reconnect", secs(0)..=secs(3600), &mut into.reconnect);
    let words = [("stale", Takeover::Stale), ("always", Takeover::Always), ("never", Takeover::Never)];
    section.choice("takeover", &words, &mut into.takeover);
    section.count("max_renditions", 1..=24, &mut into.max_renditions);
    section.duration("keep_ended", secs(0)..=secs(86_400), &mut into.keep_ended);
}

fn packager(reader: &mut Reader, into: &mut Packager) {
    let mut section = reader.section("packager");
    section.duration("segment", secs(1)..=secs(30), &mut into.segment);
    section.duration("part", Duration::from_millis(100)..=secs(2), &mut into.part);
    section.boolean("low_latency", &mut into.low_latency);
    section.duration("window", secs(3)..=secs(600), &mut into.window);
    section.duration("probe", secs(1)..=secs(60), &mut into.probe);
    section.seconds("target_duration", 1..=60, &mut into.target_duration);
}

fn dvr(reader: &mut Reader, into: &mut Dvr) {
    let mut section = reader.section("dvr");
    section.duration("window", secs(3)..=secs(7 * 86_400), &mut into.window);
    section.size("memory", 0..=1024 * GIB, &mut into.memory);
}

fn storage(reader: &mut Reader, into: &mut Storage) {
    let mut section = reader.section("storage");
    section.path("data", &mut into.data);
    section.path_or_none("recordings", &mut into.recordings);
    section.keep_free("keep_free", &mut into.keep_free);
    section.bucket("object_url", &mut into.object_url);
    section.base_url("object_endpoint", &mut into.object_endpoint);
    section.word("object_region", &mut into.object_region);
    section.word("object_access_key", &mut into.object_access_key);
    section.secret("object_secret_key", &mut into.object_secret_key);
    section.keep_local("object_keep_local", secs(60)..=TEN_YEARS, &mut into.object_keep_local);
}

fn database(reader: &mut Reader, into: &mut Database) {
    reader.section("database").database("url", &mut into.url);
}

fn auth(reader: &mut Reader, into: &mut Auth) {
    let mut section = reader.section("auth");
    section.count("rate", 1..=10_000, &mut into.rate);
    section.count("burst", 1..=100_000, &mut into.burst);
    section.count("failures", 1..=10_000, &mut into.failures);
}

fn webhooks(reader: &mut Reader, into: &mut Webhooks) {
    const DAY: u64 = 86_400;
    let mut section = reader.section("webhooks");
    section.boolean("allow_private", &mut into.allow_private);
    section.duration("connect_timeout", Duration::from_millis(100)..=secs(60), &mut into.connect_timeout);
    section.duration("timeout", secs(1)..=secs(120), &mut into.timeout);
    section.duration("give_up", secs(60)..=secs(30 * DAY), &mut into.give_up);
    section.duration("disable_after", secs(3600)..=secs(30 * DAY), &mut into.disable_after);
    section.count("concurrency", 1..=1000, &mut into.concurrency);
    section.count("per_webhook", 1..=100, &mut into.per_webhook);
}

fn restream(reader: &mut Reader, into: &mut Restream) {
    let mut section = reader.section("restream");
    section.boolean("allow_private", &mut into.allow_private);
    section.path_or_none("ca", &mut into.ca);
    section.duration("connect_timeout", secs(1)..=secs(60), &mut into.connect_timeout);
    section.duration("stall_timeout", secs(1)..=secs(600), &mut into.stall_timeout);
    section.duration("max_behind", secs(1)..=secs(60), &mut into.max_behind);
    section.duration("retry_min", Duration::from_millis(100)..=secs(60), &mut into.retry_min);
    section.duration("retry_max", secs(1)..=secs(3600), &mut into.retry_max);
}

fn transcode(reader: &mut Reader, into: &mut Transcode) {
    let mut section = reader.section("transcode");
    section.size("image_cache", MIB..=16 * GIB, &mut into.image_cache);
    section.count("image_queue", 1..=10_000, &mut into.image_queue);
    section.duration("image_timeout", Duration::from_millis(100)..=secs(60), &mut into.image_timeout);
    section.count("image_quality", 1..=100, &mut into.image_quality);
}

fn recorder(reader: &mut Reader, into: &mut Recorder) {
    const DAY: u64 = 86_400;
    const YEAR: u64 = 365 * DAY + DAY / 4;
    let modes = [
        ("append", RecorderMode::Append),
        ("per-session", RecorderMode::PerSession),
        ("off", RecorderMode::Off),
    ];
    let mut section = reader.section("recorder");
    section.choice("mode", &modes, &mut into.mode);
    section.duration("max_length", secs(60)..=secs(30 * DAY), &mut into.max_length);
    section.sync("sync", Duration::from_millis(100)..=secs(60), &mut into.sync);
    section.duration_or_none("keep_age", secs(3600)..=secs(10 * YEAR), &mut into.keep_age);
    section.count_or_none("keep_count", 1..=1_000_000, &mut into.keep_count);
    section.size_or_none("keep_size", MIB..=1 << 50, &mut into.keep_size);
}

fn vod(reader: &mut Reader, into: &mut Vod) {
    reader.section("vod").size("cache", MIB..=64 * GIB, &mut into.cache);
}

fn log(reader: &mut Reader, into: &mut Log) {
    let mut section = reader.section("log");
    let levels = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    section.choice("level", &levels, &mut into.level);
    section.choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)], &mut into.format);
}

/// What nobody read: sections of a later version, unknown sections, variables that miss an underscore.
fn leftovers(reader: &mut Reader) {
    for (name, table) in std::mem::take(&mut reader.tree.sections) {
        match later::section(&name) {
            Some(what) => reader.errors.extend(later::asked(&name, table, what)),
            None => reader.errors.push(unknown_section(&name, table.place)),
        }
    }
    for variable in std::mem::take(&mut reader.tree.strays) {
        let meant = reader.settings.iter().find(|setting| single(setting) == variable).map(double);
        reader.errors.extend(meant.map(|meant| Error {
            place: Place::Environment(variable),
            key: "environment".to_owned(),
            wrong: "names no setting".to_owned(),
            right: format!("did you mean {meant}? Two underscores stand between section and key"),
        }));
    }
}

fn unknown_section(name: &str, place: Place) -> Error {
    let right = suggestion(name, SECTIONS);
    Error { place, key: name.to_owned(), wrong: "unknown section".to_owned(), right }
}

fn single(setting: &Setting) -> String {
    format!("{PREFIX}{}_{}", setting.section, setting.key).to_ascii_uppercase()
}

fn double(setting: &Setting) -> String {
    format!("{PREFIX}{}__{}", setting.section, setting.key).to_ascii_uppercase()
}

/// Drops what a syntax error only brings about: anything else said of the same line.
fn causes(errors: Vec<Error>) -> Vec<Error> {
    let line = |error: &Error| match &error.place {
        Place::File { line, .. } => Some(*line),
        Place::Environment(_) => None,
    };
    let broken: Vec<_> = errors.iter().filter(|it| it.key == "syntax").filter_map(line).collect();
    let stays = |error: &Error| error.key == "syntax" || line(error).is_none_or(|at| !broken.contains(&at));
    errors.into_iter().filter(stays).collect()
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
