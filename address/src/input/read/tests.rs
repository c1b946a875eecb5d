use super::super::InputUrl;
use super::*;

fn read(text: &str) -> Source {
    source(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
}

fn refused(text: &str, word: &str) {
    let wrong = source(text).err().unwrap_or_else(|| panic!("{text} was taken")).to_string();
    assert!(wrong.contains(word), "{text}: {wrong}");
}

#[test]
fn an_srt_caller_has_the_parameters_of_libsrts_tools() {
    let Source::Srt(srt) = read(
        "srt://enc.example.org:9000?streamid=%23!::r=a,m=request&passphrase=correct+horse%26&pbkeylen=32&latency=300&mode=caller",
    ) else {
        panic!("not SRT")
    };
    assert_eq!(srt.host.to_string(), "enc.example.org:9000");
    assert_eq!(srt.stream_id.as_deref(), Some("#!::r=a,m=request"));
    assert_eq!(srt.passphrase.as_deref(), Some("correct+horse&"), "a plus is a plus");
    assert_eq!((srt.key_length, srt.latency), (Some(32), Some(Duration::from_millis(300))));
    let Source::Srt(srt) = read("srt://[2001:db8::1]:9000") else { panic!("not SRT") };
    assert_eq!((srt.host.to_string().as_str(), srt.passphrase), ("[2001:db8::1]:9000", None));
}

#[test]
fn datagrams_come_to_an_address_or_to_a_group() {
    let udp = |text| match read(text) {
        Source::Udp(udp) => udp,
        _ => panic!("not UDP"),
    };
    assert_eq!(udp("udp://0.0.0.0:5000").address, SocketAddr::from(([0, 0, 0, 0], 5000)));
    assert_eq!(udp("udp://@239.1.1.1:5000").address.to_string(), "239.1.1.1:5000", "as others write it");
    let group = udp("udp://232.1.1.1:5000?interface=10.0.0.7&source=192.0.2.1");
    assert_eq!(group.interface, Some(Interface::Address([10, 0, 0, 7].into())));
    assert_eq!(group.source, Some([192, 0, 2, 1].into()));
    let group = udp("udp://[ff15::1]:5000?interface=eth0");
    assert_eq!(group.interface, Some(Interface::Name("eth0".to_owned())));
}

#[test]
fn tcp_connects_or_listens() {
    let Source::Tcp(host) = read("tcp://10.0.0.1:7000") else { panic!("not a peer") };
    assert_eq!(host.address(), Some([10, 0, 0, 1].into()));
    for text in
        ["tcp://0.0.0.0:7000?listen", "tcp://0.0.0.0:7000/?listen=1", "tcp://0.0.0.0:7000?listen=true"]
    {
        assert!(matches!(read(text), Source::TcpListen(_)), "{text}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    for (text, word) in [
        ("", "is no URL"),
        ("10.0.0.1:5000", "is no URL"),
        ("file:///etc/passwd", "scheme \"file\""),
        ("http://example.org:80/a.ts", "scheme \"http\""),
        ("rtmp://example.org:1935/live", "scheme \"rtmp\""),
        ("rtp://239.1.1.1:5000", "udp://"),
        ("srt://example.org", "no port"),
        ("srt://example.org:0", "no port"),
        ("srt://:9000", "is no URL"),
        ("srt://user@example.org:9000", "user"),
        ("srt://example.org:9000/live", "path"),
        ("srt://example.org:9000#part", "fragment"),
        ("srt://example.org:9000?mode=listener", "mode"),
        ("srt://0.0.0.0:9000", "nobody"),
        ("srt://example.org:9000?passphrase=short", "passphrase"),
        ("srt://example.org:9000?pbkeylen=20", "pbkeylen"),
        ("srt://example.org:9000?latency=120000", "milliseconds"),
        ("srt://example.org:9000?latency=10", "latency"),
        ("srt://example.org:9000?streamid=", "without a value"),
        ("srt://example.org:9000?streamid=a&streamid=b", "twice"),
        ("srt://example.org:9000?streamid=%00", "control character"),
        ("srt://example.org:9000?streamid=%FF", "UTF-8"),
        ("srt://example.org:9000?pkt_size=1316", "\"pkt_size\""),
        ("srt://example.org:9000?streamid=a b", "space"),
        ("udp://example.org:5000", "a name"),
        ("udp://10.0.0.1:5000?source=10.0.0.2", "no multicast group"),
        ("udp://[ff15::1]:5000?source=2001:db8::1", "IPv4"),
        ("udp://[ff15::1]:5000?interface=2001:db8::1", "name"),
        ("udp://239.1.1.1:5000?interface=a/b", "interface"),
        ("udp://239.1.1.1:5000?fifo_size=1", "\"fifo_size\""),
        ("tcp://0.0.0.0:5000", "?listen"),
        ("tcp://example.org:5000?listen", "no address"),
        ("tcp://0.0.0.0:5000?listen=yes", "listen"),
    ] {
        refused(text, word);
    }
    refused(&format!("srt://{}:9000", "a".repeat(LONGEST)), "longer");
}

#[test]
fn nothing_that_is_printed_has_a_secret_in_it() {
    let text = "srt://example.org:9000?latency=120&pass%70hrase=topsecretword&streamid=publish:anotherkey";
    let url = InputUrl::parse(text).expect("an input");
    assert_eq!(url.expose(), text);
    for shown in [format!("{url}"), format!("{url:?}"), url.hidden()] {
        assert!(shown.contains("latency=120") && shown.contains("hidden"), "{shown}");
        assert!(!shown.contains("topsecret") && !shown.contains("anotherkey"), "{shown}");
    }
    let wrong =
        source("srt://example.org:9000?passphrase=topsecretword&latency=x").err().map(|it| it.to_string());
    assert!(wrong.is_some_and(|wrong| !wrong.contains("topsecret")));
}
