//! A text as a source, or what is wrong with it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::query::{Query, wrong};
use super::{Host, Interface, LONGEST, Source, Srt, Udp, Wrong};

const FORMS: &str = "use srt://HOST:PORT, udp://ADDRESS:PORT or tcp://HOST:PORT";
/// Longest stream id, in bytes (SRT Access Control).
const STREAM_ID: usize = 512;
/// Bytes of a passphrase (SRT draft, §6.1.4).
const PASSPHRASE: std::ops::RangeInclusive<usize> = 10..=79;
/// Milliseconds of latency.
const LATENCY: std::ops::RangeInclusive<u64> = 20..=10_000;

pub(super) fn source(text: &str) -> Result<Source, Wrong> {
    if text.chars().count() > LONGEST {
        return Err(wrong(format!("is longer than {LONGEST} characters"), "shorten it"));
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err(wrong("has a space or a control character in it", "percent-encode it"));
    }
    let url = Url::parse(text).map_err(|error| wrong(format!("is no URL: {error}"), FORMS))?;
    match url.scheme() {
        "srt" => srt(&url).map(Source::Srt),
        "udp" => udp(&url).map(Source::Udp),
        "tcp" => tcp(&url),
        "rtp" => {
            Err(wrong("has the scheme \"rtp\"", "use udp://ADDRESS:PORT: MPEG-TS in RTP is understood there"))
        }
        other => {
            let shown: String = other.chars().take(20).collect();
            Err(wrong(format!("has the scheme {shown:?}, from which no input can be taken"), FORMS))
        }
    }
}

fn srt(url: &Url) -> Result<Srt, Wrong> {
    let (host, mut query) = (host(url)?, Query::read(url.query())?);
    called(
        &host,
        "an SRT listener's host and port; encoders call this server's own SRT listener by themselves",
    )?;
    if query.take("mode")?.is_some_and(|mode| mode != "caller") {
        return Err(wrong(
            "asks for another mode than caller",
            "leave mode out: encoders that call are taken by this server's own SRT listener",
        ));
    }
    let stream_id = query.take("streamid")?;
    if stream_id.as_ref().is_some_and(|id| id.len() > STREAM_ID) {
        return Err(wrong(format!("has a streamid of more than {STREAM_ID} bytes"), "shorten it"));
    }
    let passphrase = query.take("passphrase")?;
    if passphrase.as_ref().is_some_and(|it| !PASSPHRASE.contains(&it.len())) {
        return Err(wrong(
            format!("has a passphrase that is not {} to {} bytes long", PASSPHRASE.start(), PASSPHRASE.end()),
            "use the one that the listener has",
        ));
    }
    let key_length = query.take("pbkeylen")?.map(|text| key_length(&text)).transpose()?;
    let latency = query.take("latency")?.map(|text| latency(&text)).transpose()?;
    query.end("srt", "there is streamid, passphrase, pbkeylen, latency")?;
    Ok(Srt { host, stream_id, passphrase, key_length, latency })
}

fn key_length(text: &str) -> Result<u16, Wrong> {
    match text.parse() {
        Ok(length @ (16 | 24 | 32)) => Ok(length),
        _ => Err(wrong(
            "has a pbkeylen that is not 16, 24 or 32",
            "give the bytes of the key, or leave it out",
        )),
    }
}

fn latency(text: &str) -> Result<Duration, Wrong> {
    let ms = text.parse().ok().filter(|ms| LATENCY.contains(ms));
    ms.map(Duration::from_millis).ok_or_else(|| {
        let (least, most) = (LATENCY.start(), LATENCY.end());
        wrong(
            format!("has a latency that is not {least} to {most}"),
            "give milliseconds (FFmpeg's own URLs have microseconds)",
        )
    })
}

fn udp(url: &Url) -> Result<Udp, Wrong> {
    let (host, mut query) = (host(url)?, Query::read(url.query())?);
    let ip = host.address().ok_or_else(|| {
        wrong(
            "has a name for a host",
            "write the address to receive on: a group, one of this machine, or 0.0.0.0",
        )
    })?;
    let address = SocketAddr::new(ip, host.port);
    let interface = query.take("interface")?.map(|text| interface(&text, ip)).transpose()?;
    let source = query.take("source")?.map(|text| sender(&text, ip)).transpose()?;
    query.end("udp", "there is interface and source, both for multicast groups")?;
    if !ip.is_multicast() && (interface.is_some() || source.is_some()) {
        return Err(wrong(
            "has an interface or a source for an address that is no multicast group",
            "leave them out, and write the address of the interface in place of 0.0.0.0",
        ));
    }
    Ok(Udp { address, interface, source })
}

fn interface(text: &str, group: IpAddr) -> Result<Interface, Wrong> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return match address.is_ipv4() && group.is_ipv4() {
            true => Ok(Interface::Address(address)),
            false => Err(wrong("has an address for an interface of IPv6", "write the interface's name")),
        };
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.:@".contains(c);
    match (1..=15).contains(&text.len()) && text.chars().all(legal) {
        true => Ok(Interface::Name(text.to_owned())),
        false => {
            Err(wrong("has an interface that is none", "write its name, as in eth0, or its IPv4 address"))
        }
    }
}

fn sender(text: &str, group: IpAddr) -> Result<IpAddr, Wrong> {
    let address = text.parse().ok().filter(|it: &IpAddr| it.is_ipv4() && !it.is_multicast());
    match address.filter(|_| group.is_ipv4()) {
        Some(address) => Ok(address),
        None => Err(wrong(
            "has a source that is no address of IPv4",
            "write the IPv4 address of the sender of an IPv4 group",
        )),
    }
}

fn tcp(url: &Url) -> Result<Source, Wrong> {
    let (host, mut query) = (host(url)?, Query::read(url.query())?);
    let listens = query.flag("listen")?;
    query.end("tcp", "there is listen")?;
    if !listens {
        called(&host, "the sender's host and port, or add ?listen to wait for it here")?;
        return Ok(Source::Tcp(host));
    }
    match host.address() {
        Some(ip) if !ip.is_multicast() => Ok(Source::TcpListen(SocketAddr::new(ip, host.port))),
        _ => Err(wrong("listens on what is no address", "write one of this machine, or 0.0.0.0 or [::]")),
    }
}

/// That a host is somebody who can be called.
fn called(host: &Host, right: &str) -> Result<(), Wrong> {
    match host.address() {
        Some(ip) if ip.is_unspecified() || ip.is_multicast() => {
            Err(wrong("calls an address that is nobody's", &format!("write {right}")))
        }
        _ => Ok(()),
    }
}

/// Host and port, and that nothing stands beside them but a query.
fn host(url: &Url) -> Result<Host, Wrong> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has a user or a password", "remove it"));
    }
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(wrong("has a path or a fragment", "write host and port, then parameters behind a ?"));
    }
    let name = url.host_str().unwrap_or_default();
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if !(1..=253).contains(&name.len()) || !name.chars().all(legal) {
        return Err(wrong("has no host", FORMS));
    }
    match url.port() {
        Some(port) if port > 0 => Ok(Host { name: name.to_owned(), port }),
        _ => Err(wrong("has no port", FORMS)),
    }
}

#[cfg(test)]
mod tests;
