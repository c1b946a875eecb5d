//! What listens, and the line that says where.

use std::fmt;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};

use config::Config;
use control_api::Endpoints;
use tls::{Acceptor, Listener};
use tokio::runtime::Handle;

use crate::listen;

/// What listens; only what is enabled.
pub(crate) struct Listeners {
    pub(crate) http: Option<TcpListener>,
    pub(crate) https: Option<TcpListener>,
    pub(crate) rtmp: Option<TcpListener>,
    pub(crate) rtmps: Option<TcpListener>,
    pub(crate) srt: Option<UdpSocket>,
}

impl Listeners {
    pub(crate) fn open(config: &Config) -> anyhow::Result<Listeners> {
        let open =
            |setting, enabled: bool, address| enabled.then(|| listen::tcp(setting, address)).transpose();
        let tls = config.tls.configured();
        Ok(Listeners {
            http: open("http.listen", config.http.enabled, config.http.listen)?,
            https: open("https.listen", tls && config.https.enabled, config.https.listen)?,
            rtmp: open("rtmp.listen", config.rtmp.enabled, config.rtmp.listen)?,
            rtmps: open("rtmps.listen", tls && config.rtmps.enabled, config.rtmps.listen)?,
            srt: config.srt.enabled.then(|| listen::udp("srt.listen", config.srt.listen)).transpose()?,
        })
    }

    pub(crate) fn standing(&self) -> io::Result<Standing> {
        let address =
            |listener: &Option<TcpListener>| listener.as_ref().map(TcpListener::local_addr).transpose();
        Ok(Standing {
            http: address(&self.http)?,
            https: address(&self.https)?,
            rtmp: address(&self.rtmp)?,
            rtmps: address(&self.rtmps)?,
            srt: self.srt.as_ref().map(UdpSocket::local_addr).transpose()?,
        })
    }
}

/// Where the server listens.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) http: Option<SocketAddr>,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) rtmp: Option<SocketAddr>,
    pub(crate) rtmps: Option<SocketAddr>,
    pub(crate) srt: Option<SocketAddr>,
}

impl Standing {
    /// The ports of encoders, for the API.
    pub(crate) fn endpoints(&self) -> Endpoints {
        let port = |address: Option<SocketAddr>| address.map(|address| address.port());
        Endpoints { rtmp: port(self.rtmp), rtmps: port(self.rtmps), srt: port(self.srt) }
    }

    /// Says so on stdout.
    pub(crate) fn announce(&self) {
        tracing::info!("{self}");
        if let Err(error) = writeln!(io::stdout(), "{self}") {
            tracing::warn!(%error, "nobody takes the ready line on stdout");
        }
    }
}

/// The ready line: part of the public contract.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            ("http", self.http),
            ("https", self.https),
            ("rtmp", self.rtmp),
            ("rtmps", self.rtmps),
            ("srt", self.srt),
        ];
        f.write_str("headwater ready")?;
        for (name, address) in all {
            if let Some(address) = address {
                write!(f, " {name}={address}")?;
            }
        }
        Ok(())
    }
}

/// Listeners of one edge, in clear and over TLS, whose connections are woken by those threads.
pub(crate) fn on(
    threads: &Handle,
    plain: Option<TcpListener>,
    tls: Option<(TcpListener, Acceptor)>,
) -> io::Result<Vec<Listener>> {
    let _entered = threads.enter();
    let listener = tokio::net::TcpListener::from_std;
    let plain = plain.map(|socket| Ok(Listener::plain(listener(socket)?)));
    let tls = tls.map(|(socket, acceptor)| Ok(Listener::tls(listener(socket)?, acceptor)));
    plain.into_iter().chain(tls).collect()
}
