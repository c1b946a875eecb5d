//! Everything that is wrong is said at once, with its place, its key, and what would be right.

use std::time::Duration;

use config::{Config, KeepFree, KeepLocal, RecorderSync, split_rendition};

/// A document and all its errors, in order.
fn check(toml: &str, expected: &[&str]) {
    check_with(toml, &[], expected);
}

fn check_with(toml: &str, variables: &[(&str, &str)], expected: &[&str]) {
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    let errors = Config::parse("f", toml, variables).err();
    let found: Vec<String> =
        errors.iter().flat_map(|errors| errors.iter()).map(ToString::to_string).collect();
    assert_eq!(found, expected);
}

fn parsed(toml: &str, variables: &[(&str, &str)]) -> Config {
    let variables = variables.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Config::parse("f", toml, variables).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn all_at_once_in_the_order_of_the_file() {
    check(
        r#"
[http]
listen = "8080"
enabled = "yes"

[packager]
segmnet = "2s"
part = 500

[pakager]
[log]
format = "xml"
"#,
        &[
            r#"f:3:1: http.listen: is "8080"; use IP:PORT, an IPv6 address in brackets"#,
            r#"f:4:1: http.enabled: is "yes"; use true or false, without quotes"#,
            r#"f:7:1: packager.segmnet: unknown key; did you mean "segment"?"#,
            r#"f:8:1: packager.part: is 500; use 100ms to 2s, with its unit and in quotes"#,
            r#"f:10:2: pakager: unknown section; did you mean "packager"?"#,
            r#"f:12:1: log.format: is "xml"; use text or json"#,
        ],
    );
}

#[test]
fn syntax_has_line_and_column_and_does_not_hide_the_rest() {
    check(
        "[http]\nlisten = \n[log]\nlevel = \"loud\"\n",
        &[
            "f:2:10: syntax: string values must be quoted, expected literal string; write TOML (https://toml.io)",
            r#"f:4:1: log.level: is "loud"; use error, warn, info, debug or trace"#,
        ],
    );
}

#[test]
fn a_broken_line_does_not_show_its_key() {
    let errors = Config::parse("f", "[[streams]]\nkey = \"hidden\nentry = \"e\"\n", []).expect_err("no TOML");
    assert!(!errors.to_string().contains("hidden"), "{errors}");
}

#[test]
fn values_out_of_range() {
    check(
        r#"
packager.segment = "31s"
rtmp.max_message = "1GiB"
rtmp.max_connections = 0
packager.target_duration = "4s"
storage.data = ""
stream.reconnect = 2.5
"#,
        &[
            r#"f:2:10: packager.segment: is "31s"; use 1s to 30s"#,
            r#"f:3:6: rtmp.max_message: is "1GiB"; use 64KiB to 16MiB"#,
            "f:4:6: rtmp.max_connections: is 0; use 1 to 100000",
            r#"f:5:10: packager.target_duration: is "4s"; use 1 to 60, whole seconds, without quotes"#,
            r#"f:6:9: storage.data: is ""; use a path"#,
            "f:7:8: stream.reconnect: is a float; use 0s to 1h, with its unit and in quotes",
        ],
    );
}

#[test]
fn values_that_do_not_go_together() {
    check(
        r#"
[packager]
segment = "1s"
part = "1500ms"
window = "10s"
[dvr]
window = "5s"
[http]
listen = "127.0.0.1:1935"
"#,
        &[
            "f:4:1: packager.part: a part of 1s 500ms is longer than a segment of 1s; use at most 1s",
            "f:7:1: dvr.window: dvr.window = 5s is shorter than the live playlist; make dvr.window at least 10s",
            "f:9:1: http.listen: http and rtmp both listen on port 1935; give each its own",
        ],
    );
    check(
        "[packager]\nsegment = \"30s\"\ntarget_duration = 4",
        &[
            "f:2:1: packager.segment: packager.window = 30s is a live playlist of fewer than three segments; \
             make packager.window at least 1m 30s",
            "f:3:1: packager.target_duration: 4 seconds are shorter than a segment of 30s; use at least 30s, rounded up",
        ],
    );
    check(
        "http.enabled = false\nrtmp.enabled = false\nsrt.enabled = false",
        &["f:1:6: http.enabled: every listener is off; enable at least one"],
    );
}

#[test]
fn no_rule_is_held_against_a_value_that_was_refused() {
    check(
        "[packager]\nsegment = \"50ms\"\nwindow = \"4s\"",
        &[r#"f:2:1: packager.segment: is "50ms"; use 1s to 30s"#],
    );
}

#[test]
fn a_port_may_be_shared_on_different_addresses_or_when_free() {
    parsed("http.listen = \"127.0.0.1:9000\"\nrtmp.listen = \"127.0.0.2:9000\"", &[]);
    parsed("http.listen = \"127.0.0.1:0\"\nrtmp.listen = \"127.0.0.1:0\"", &[]);
}

#[test]
fn what_comes_later_may_be_off_and_not_on() {
    parsed("[rtc]\n[origin]\nenabled = false\n", &[]);
    check(
        "[rtc]\nenabled = true\n[origin]\nlisten = \"[::]:8189\"",
        &[
            "f:2:1: rtc.enabled: this version does not support WebRTC; remove it",
            "f:4:1: origin.listen: this version does not support playback rules; remove it",
        ],
    );
}

#[test]
fn a_certificate_has_a_key_or_is_made_by_the_server() {
    let pair = "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n";
    assert!(parsed(pair, &[]).tls.configured() && parsed("tls.self_signed = true", &[]).tls.configured());
    assert!(!parsed("[https]\nenabled = true", &[]).tls.configured());
    check(
        "[tls]\nkey = \"k.pem\"",
        &["f:2:1: tls.key: one of a certificate and its key is set; set both, or none"],
    );
    check(
        &format!("{pair}self_signed = true"),
        &["f:4:1: tls.self_signed: asks for a certificate of the server's own beside one that is set; \
             set one of the two"],
    );
}

#[test]
fn listeners_for_tls_count_where_there_is_a_certificate() {
    let shared = "http.listen = \"[::]:8443\"\n";
    parsed(shared, &[]);
    check(
        &format!("{shared}tls.self_signed = true"),
        &["f:1:6: http.listen: http and https both listen on port 8443; give each its own"],
    );
    let off = "http.enabled = false\nrtmp.enabled = false\nsrt.enabled = false\n";
    check(off, &["f:1:6: http.enabled: every listener is off; enable at least one"]);
    parsed(&format!("{off}tls.self_signed = true"), &[]);
}

#[test]
fn what_stays_free_is_a_part_of_the_disk_or_a_size() {
    let keep = |text: &str| parsed(&format!("storage.keep_free = \"{text}\""), &[]).storage.keep_free;
    assert_eq!((keep("5%"), keep("2GiB")), (KeepFree::Percent(5), KeepFree::Bytes(2 << 30)));
    for wrong in ["91%", "-1%", "10", "all", "%"] {
        check(
            &format!("[storage]\nkeep_free = \"{wrong}\""),
            &[&format!("f:2:1: storage.keep_free: is {wrong:?}; use 0% to 90%, or a size up to 1024TiB")],
        );
    }
}

#[test]
fn an_object_store_is_named_and_its_secret_never_shown() {
    let storage = parsed("[storage]\nobject_url = \"s3://b/p/\"\nobject_keep_local = \"1day\"", &[]).storage;
    assert_eq!(storage.object_url.as_deref(), Some("s3://b/p"));
    assert_eq!(storage.object_keep_local, KeepLocal::For(Duration::from_secs(86_400)));
    check(
        "[storage]\nobject_url = \"https://b\"\nobject_keep_local = \"soon\"\nobject_secret_key = \"a b\"",
        &[
            r#"f:2:1: storage.object_url: is "https://b"; use s3://BUCKET or s3://BUCKET/PREFIX"#,
            r#"f:3:1: storage.object_keep_local: is "soon"; use true, false, or "1m" to "10years""#,
            "f:4:1: storage.object_secret_key: is something else; use a word",
        ],
    );
    check(
        "[storage]\nobject_access_key = \"a\"",
        &[
            "f:2:1: storage.object_access_key: one of a pair of keys is set; set both, or none",
            "f:2:1: storage.object_access_key: says something of a store that is not named; set storage.object_url",
        ],
    );
}

#[test]
fn a_recording_is_synced_by_a_word_or_an_interval() {
    let sync = |text: &str| parsed(&format!("recorder.sync = \"{text}\""), &[]).recorder.sync;
    assert_eq!((sync("part"), sync("segment")), (RecorderSync::Part, RecorderSync::Segment));
    assert_eq!(sync("2s"), RecorderSync::Interval(std::time::Duration::from_secs(2)));
    check(
        "[recorder]\nsync = \"10ms\"",
        &[r#"f:2:1: recorder.sync: is "10ms"; use part, segment, or 100ms to 1m"#],
    );
}

#[test]
fn inputs_are_checked_without_showing_their_urls() {
    check(
        r#"
[[inputs]]
entry = "E"
url = "srt://h:9000?passphrase=short"
[[inputs]]
url = "file:///etc/passwd"
enabled = "no"
rendition = "HD"
[[inputs]]
entry = "e"
url = "udp://0.0.0.0:5000"
leg = "backup"
ur = 1
[[inputs]]
entry = "e"
[[inputs]]
entry = "e"
url = 7
"#,
        &[
            "f:3:1: inputs.entry: has characters or a length that are not allowed; \
             use 1 to 64 of a-z 0-9 _ -, beginning with a letter or a digit, in quotes",
            "f:4:1: inputs.url: has a passphrase that is not 10 to 79 bytes long; use the one that the listener has",
            "f:5:1: inputs.entry: is missing; \
             use 1 to 64 of a-z 0-9 _ -, beginning with a letter or a digit, in quotes",
            r#"f:6:1: inputs.url: has the scheme "file", from which no input can be taken; use srt://HOST:PORT, udp://ADDRESS:PORT or tcp://HOST:PORT"#,
            r#"f:7:1: inputs.enabled: is "no"; use true or false, without quotes"#,
            "f:8:1: inputs.rendition: has characters or a length that are not allowed; use 1 to 32 of a-z 0-9, in quotes",
            "f:12:1: inputs.leg: this version does not support the backup leg; remove it",
            r#"f:13:1: inputs.ur: unknown key; did you mean "url"?"#,
            "f:14:1: inputs.url: is missing; use srt://HOST:PORT, udp://ADDRESS:PORT or tcp://HOST:PORT, in quotes",
            "f:18:1: inputs.url: is not a string; use srt://HOST:PORT, udp://ADDRESS:PORT or tcp://HOST:PORT, in quotes",
        ],
    );
    check("inputs = 7", &["f:1:1: inputs: is a list of tables; begin each with [[inputs]], double brackets"]);
}

#[test]
fn inputs_are_read() {
    let config = parsed(
        "[[inputs]]\nentry = \"e\"\nurl = \"udp://239.1.1.1:5000\"\nrendition = \"720p\"\nleg = \"primary\"\nenabled = false",
        &[],
    );
    let [input] = config.inputs.as_slice() else { panic!("{:?}", config.inputs) };
    assert_eq!(
        (input.entry.as_str(), input.url.expose(), input.enabled),
        ("e", "udp://239.1.1.1:5000", false)
    );
    assert_eq!(input.rendition.as_deref(), Some("720p"));
}

#[test]
fn streams_are_checked_without_showing_their_keys() {
    check(
        r#"
[[streams]]
entry = "_up"
key = "with space"
[[streams]]
entry = "a"
key = "one"
[[streams]]
entry = "a"
key = "one"
[[streams]]
entrie = "b"
key = 5
"#,
        &[
            "f:3:1: streams.entry: has characters or a length that are not allowed; \
             use 1 to 64 of a-z 0-9 _ -, beginning with a letter or a digit, in quotes",
            "f:4:1: streams.key: has characters or a length that are not allowed; \
             use 1 to 128 of A-Z a-z 0-9 _ -, in quotes",
            "f:9:1: streams.entry: is the same as at f:6:1; give each its own",
            "f:10:1: streams.key: is the same as at f:7:1; give each its own",
            "f:11:1: streams.entry: is missing; \
             use 1 to 64 of a-z 0-9 _ -, beginning with a letter or a digit, in quotes",
            r#"f:12:1: streams.entrie: unknown key; did you mean "entry"?"#,
            "f:13:1: streams.key: is not a string; use 1 to 128 of A-Z a-z 0-9 _ -, in quotes",
        ],
    );
    check(
        "[streams]\nkey = \"a\"",
        &["f:1:2: streams: is a list of tables; begin each with [[streams]], double brackets"],
    );
}

#[test]
fn a_key_that_another_key_and_a_rendition_spell_is_ambiguous() {
    check(
        r#"
streams = [{ entry = "a", key = "show" }, { entry = "b", key = "show_720p" }, { entry = "c", key = "show_HD" }]
"#,
        &["f:2:58: streams.key: is also the key at f:2:27 followed by a rendition; \
           choose a key without that beginning, or with other than a-z 0-9 after its last _"],
    );
}

#[test]
fn a_name_splits_at_its_last_underscore() {
    assert_eq!(split_rendition("a_b_720p"), Some(("a_b", "720p")));
    assert_eq!(split_rendition("a_HD"), None);
    assert_eq!(split_rendition("a_"), None);
    assert_eq!(split_rendition("_720p"), None);
    assert_eq!(split_rendition("a"), None);
}

#[test]
fn the_environment_wins_over_the_file() {
    let variables = [
        ("HEADWATER_PACKAGER__SEGMENT", "4s"),
        ("HEADWATER_HTTP__LISTEN", "[::1]:0"),
        ("HEADWATER_RTMP__ENABLED", "false"),
        ("HEADWATER_PACKAGER__TARGET_DURATION", "6"),
        ("HEADWATER_STORAGE__DATA", "\"/var/lib/headwater\""),
        ("PATH", "/bin"),
    ];
    let config = parsed("[packager]\nsegment = \"nonsense\"\npart = \"1s\"", &variables);
    assert_eq!(config.packager.segment, Duration::from_secs(4));
    assert_eq!(config.packager.part, Duration::from_secs(1));
    assert_eq!(config.packager.target_duration, Some(6));
    assert_eq!(config.http.listen.to_string(), "[::1]:0");
    assert!(!config.rtmp.enabled);
    assert_eq!(config.storage.data.to_str(), Some("/var/lib/headwater"));
}

#[test]
fn a_variable_that_names_nothing_is_an_error() {
    check_with(
        "",
        &[
            ("HEADWATER_HTTP__LISTN", "x"),
            ("HEADWATER_HTTP_LISTEN", "x"),
            ("HEADWATER_LOG__LEVEL", "loud"),
            ("HEADWATER_RTC__ENABLED", "true"),
            ("HEADWATER_STREAMS__KEY", "hidden"),
            ("HEADWATER_XYZZY__Y", "1"),
        ],
        &[
            "environment variable HEADWATER_HTTP_LISTEN: environment: names no setting; \
             did you mean HEADWATER_HTTP__LISTEN? Two underscores stand between section and key",
            r#"environment variable HEADWATER_HTTP__LISTN: http.listn: unknown key; did you mean "listen"?"#,
            r#"environment variable HEADWATER_LOG__LEVEL: log.level: is "loud"; use error, warn, info, debug or trace"#,
            "environment variable HEADWATER_RTC__ENABLED: rtc.enabled: this version does not support WebRTC; remove it",
            "environment variable HEADWATER_STREAMS__KEY: streams: cannot be set by environment; \
             write [[streams]] tables in the file",
            "environment variable HEADWATER_XYZZY__Y: xyzzy: unknown section; \
             there is http, tls, https, rtmp, rtmps, srt, stream, packager, dvr, storage, database, auth, webhooks, restream, log, streams, input, inputs, recorder, vod, \
             transcode",
        ],
    );
}

#[test]
fn no_debug_shows_a_key() {
    let config = parsed("[[streams]]\nentry = \"e\"\nkey = \"hush\"", &[]);
    assert_eq!(config.streams[0].key.expose(), "hush");
    assert!(!format!("{config:?}").contains("hush"));
}

#[test]
fn a_database_url_is_never_repeated() {
    check(
        "[database]\nurl = \"mysql://me:hunter2@db/x\"\n",
        &["f:2:1: database.url: is something else; use postgres://USER:PASSWORD@HOST:PORT/NAME"],
    );
    let config = Config::parse("f", "[database]\nurl = \"postgres://me:hunter2@db/x\"\n", []);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_public_url_is_a_place_and_nothing_more() {
    for (url, legal) in [
        ("https://live.example.org", true),
        ("http://[2001:db8::1]:8080/live/", true),
        ("live.example.org", false),
        ("https://", false),
        ("ftp://x", false),
        ("https://x/?a=b", false),
        ("https://me:secret@x", false),
        ("https://x/\\\"<", false),
    ] {
        let config = Config::parse("f", &format!("http.public_url = \"{url}\""), []);
        assert_eq!(config.is_ok(), legal, "{url}");
    }
}

#[test]
fn trusted_proxies_are_networks() {
    check(
        "[http]\ntrusted_proxies = [\"10.0.0.0/40\", \"::1\"]\n",
        &["f:2:1: http.trusted_proxies: is [\"10.0.0.0/40\", \"::1\"]; \
           use a list of at most 100 networks or addresses, [\"10.0.0.0/8\", \"::1\"]"],
    );
    let variable = |text: &str| {
        let variables = [("HEADWATER_HTTP__TRUSTED_PROXIES".to_owned(), text.to_owned())];
        let config = Config::parse("f", "", variables).map(|config| config.http.trusted_proxies);
        config.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>()).ok()
    };
    let both = Some(vec!["10.0.0.0/8".to_owned(), "::1/128".to_owned()]);
    assert_eq!(variable("10.0.0.0/8, ::1"), both);
    assert_eq!(variable("[\"10.0.0.0/8\", \"::1\"]"), both);
    assert_eq!(variable("proxy.example.org"), None);
    assert_eq!(variable("10.0.0.0/8,"), None);
}
