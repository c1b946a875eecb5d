//! The way to a target: a name to addresses, addresses looked at, a connection to one of them, TLS where it is wanted.
//!
//! Who may set a target must not reach what only this machine can: the connection goes to the very address that was looked
//! at, and there is no second look at the name in between.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use address::is_public;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::Failure;
use crate::destination::Destination;

/// Bytes that the kernel takes and has not sent yet. By itself it takes megabytes, minutes of a small stream: a target that
/// has stopped reading would look well for so long.
const UNSENT: u32 = 128 << 10;

/// A connection, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Certificate authorities cannot be read, or TLS not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of `restream.ca`.
    #[error("restream.ca: {0}")]
    Authorities(String),
    /// TLS itself.
    #[error("TLS for targets: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Ways {
    allow_private: bool,
    tls: TlsConnector,
}

impl Ways {
    pub(crate) fn new(allow_private: bool, ca: Option<&Path>) -> Result<Ways, TlsError> {
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities(ca)?)
            .with_no_client_auth();
        Ok(Ways { allow_private, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The addresses of a target, each of which may be sent to. One that may not condemns the name: nobody has to have
    /// public and private addresses at once.
    pub(crate) async fn addresses(&self, to: &Destination) -> Result<Vec<SocketAddr>, Failure> {
        let addresses: Vec<IpAddr> = match to.host.parse() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = tokio::net::lookup_host((to.host.as_str(), to.port)).await;
                found.map_err(|_| Failure::Name)?.map(|address| address.ip()).collect()
            }
        };
        if addresses.is_empty() {
            return Err(Failure::Name);
        }
        if !self.allow_private && !addresses.iter().copied().all(is_public) {
            return Err(Failure::Private);
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, to.port)).collect())
    }

    /// A connection over TCP to the first address that takes it.
    pub(crate) async fn tcp(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    // Frames go out as they come, several to a packet where they come together.
                    let _ = stream.set_nodelay(true);
                    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
                    return Ok(stream);
                }
                Err(error) => failed = error,
            }
        }
        Err(Failure::Connect(failed.kind()))
    }

    pub(crate) async fn encrypted(
        &self,
        to: &Destination,
        stream: TcpStream,
    ) -> Result<Box<dyn Stream>, Failure> {
        let name = ServerName::try_from(to.host.clone()).map_err(|_| Failure::Name)?;
        let stream = self.tls.connect(name, stream).await;
        Ok(Box::new(stream.map_err(|error| Failure::Tls(error.to_string()))?))
    }
}

/// Those that the system trusts, and those of a file.
fn authorities(ca: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let failed =
            |why: &dyn std::fmt::Display| TlsError::Authorities(format!("{}: {why}", path.display()));
        let pem = std::fs::read(path).map_err(|error| failed(&error))?;
        let mut some = false;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.map_err(|error| failed(&error))?)?;
            some = true;
        }
        if !some {
            return Err(failed(&"no certificate in it"));
        }
    }
    if roots.is_empty() {
        tracing::warn!("the system has no certificate authorities: no target can be sent to by RTMPS");
    }
    Ok(roots)
}
