//! Where an input takes its media from, as a URL.
//!
//! | URL | what |
//! |---|---|
//! | `srt://HOST:PORT?streamid=…&passphrase=…&pbkeylen=…&latency=…` | calls an SRT listener |
//! | `udp://0.0.0.0:5000` | receives datagrams on that address |
//! | `udp://239.1.1.1:5000?interface=…&source=…` | joins a multicast group, of any source or of one |
//! | `tcp://HOST:PORT` | connects |
//! | `tcp://0.0.0.0:5000?listen` | waits for a sender to connect |
//!
//! All of them carry MPEG-TS. What else FFmpeg or libsrt take in such a URL is refused by its name: a parameter that does
//! nothing would be worse.

mod query;
mod read;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Longest URL, in characters.
pub const LONGEST: usize = 2000;

/// The URL of an input. It may hold a passphrase: `Debug` and `Display` show it without.
#[derive(Clone, PartialEq, Eq)]
pub struct InputUrl {
    text: String,
    source: Source,
}

/// What such a URL says.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// An SRT listener that is called.
    Srt(Srt),
    /// Datagrams.
    Udp(Udp),
    /// A TCP peer that is connected to.
    Tcp(Host),
    /// An address on which a TCP peer is waited for.
    TcpListen(SocketAddr),
}

/// A peer: a name or an address, and a port that is not 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its name or address, without brackets.
    pub name: String,
    /// Its port.
    pub port: u16,
}

/// An SRT listener.
#[derive(Clone, PartialEq, Eq)]
pub struct Srt {
    /// Where it is.
    pub host: Host,
    /// What it is asked for: at most 512 bytes. It may be a key.
    pub stream_id: Option<String>,
    /// The secret of the encryption: 10 to 79 bytes.
    pub passphrase: Option<String>,
    /// Bytes of the key: 16, 24 or 32.
    pub key_length: Option<u16>,
    /// How long lost packets may be asked for again: 20 ms to 10 s.
    pub latency: Option<Duration>,
}

/// Where datagrams are received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Udp {
    /// The address, which is a multicast group or one of this machine.
    pub address: SocketAddr,
    /// The interface on which a group is joined; the system's choice without it.
    pub interface: Option<Interface>,
    /// The one sender whose datagrams a group brings (source-specific multicast, RFC 4607), over IPv4.
    pub source: Option<IpAddr>,
}

/// A network interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interface {
    /// The one that has this address.
    Address(IpAddr),
    /// By its name: `eth0`.
    Name(String),
}

/// Why a text is not the URL of an input. Nothing of a secret is in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{wrong}; {right}")]
pub struct Wrong {
    /// What is wrong, as in "is no URL".
    pub wrong: String,
    /// What would be right, as in "write srt://HOST:PORT".
    pub right: String,
}

impl InputUrl {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, and what would be right.
    pub fn parse(text: &str) -> Result<InputUrl, Wrong> {
        Ok(InputUrl { source: read::source(text)?, text: text.to_owned() })
    }

    /// What it says.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The whole text, with its secrets: to store and to show to who may see keys, never to print.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The text with `hidden` in place of passphrase and stream id.
    pub fn hidden(&self) -> String {
        query::hide(&self.text)
    }
}

impl fmt::Display for InputUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hidden())
    }
}

impl fmt::Debug for InputUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputUrl({})", self.hidden())
    }
}

impl Source {
    /// A short word: `srt`, `udp` or `tcp`.
    pub fn protocol(&self) -> &'static str {
        match self {
            Source::Srt(_) => "srt",
            Source::Udp(_) => "udp",
            Source::Tcp(_) | Source::TcpListen(_) => "tcp",
        }
    }

    /// The peer that is called; `None` where a port of this machine is opened instead.
    pub fn called(&self) -> Option<&Host> {
        match self {
            Source::Srt(srt) => Some(&srt.host),
            Source::Tcp(host) => Some(host),
            Source::Udp(_) | Source::TcpListen(_) => None,
        }
    }
}

impl Host {
    /// The address, where it is written as one.
    pub fn address(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.contains(':') {
            true => write!(f, "[{}]:{}", self.name, self.port),
            false => write!(f, "{}:{}", self.name, self.port),
        }
    }
}
