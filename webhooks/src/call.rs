//! One call: name to addresses, addresses looked at, a connection to one of them, a request, the beginning of an answer.
//!
//! Each call has its own connection. There is no second look at the name between the check and the connection, no
//! redirect is followed, and no proxy is asked for in the environment.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use access::is_public;
use bytes::Bytes;
use catalog::deliveries::Due;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};

use crate::resolve::Resolve;
use crate::settings::Settings;
use crate::sign::signatures;

/// Who calls, for the receiver's log.
const AGENT: &str = concat!("Headwater/", env!("CARGO_PKG_VERSION"));
/// How much of an answer's body is read.
const BODY: usize = 4 << 10;
/// An answer's head is read into so much and no more.
const HEAD: usize = 32 << 10;
/// Fields of an answer's head.
const FIELDS: usize = 100;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS for webhooks: {0}")]
pub struct TlsError(#[from] tokio_rustls::rustls::Error);

/// What somebody answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// How the body began.
    pub(crate) excerpt: String,
}

/// Why there was no answer. It is shown to whoever owns the webhook, so it says nothing of the network here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the URL cannot be called")]
    Url,
    #[error("the host name has no address")]
    Name,
    #[error("the host is on a private network, which webhooks.allow_private forbids")]
    Private,
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    #[error("no connection: {0}")]
    Connect(io::ErrorKind),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the answer is not HTTP, or was cut off")]
    Http(#[from] hyper::Error),
}

/// How calls are made.
pub(crate) struct Transport {
    allow_private: bool,
    connect_timeout: Duration,
    timeout: Duration,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        resolver: Arc<dyn Resolve>,
        roots: RootCertStore,
    ) -> Result<Transport, TlsError> {
        let &Settings { allow_private, connect_timeout, timeout, .. } = settings;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tls = TlsConnector::from(Arc::new(config));
        Ok(Transport { allow_private, connect_timeout, timeout, resolver, tls })
    }

    /// Makes a call, signed for this moment in seconds since the Unix epoch.
    pub(crate) async fn call(&self, due: &Due, timestamp: i64) -> Result<Answer, Failure> {
        let until = Instant::now() + self.timeout;
        let url = Url::parse(&due.url).map_err(|_| Failure::Url)?;
        let request = request(&url, due, timestamp)?;
        let connecting = tokio::time::timeout(self.connect_timeout.min(self.timeout), self.connect(&url));
        let stream = connecting.await.map_err(|_| Failure::ConnectTimeout(self.connect_timeout))??;
        let response = timeout_at(until, send(stream, request));
        let (response, _connection) = response.await.map_err(|_| Failure::Timeout(self.timeout))??;
        let status = response.status().as_u16();
        // The status is what counts: a body that does not end changes nothing.
        let mut body = Vec::new();
        let _ = timeout_at(until, beginning(response.into_body(), &mut body)).await;
        Ok(Answer { status, excerpt: String::from_utf8_lossy(&body).into_owned() })
    }

    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, Failure> {
        let port = url.port_or_known_default().ok_or(Failure::Url)?;
        let addresses = self.addresses(url.host().ok_or(Failure::Url)?).await?;
        let stream = connect(&addresses, port).await.map_err(|error| Failure::Connect(error.kind()))?;
        match url.scheme() {
            "http" => Ok(Box::new(stream)),
            "https" => {
                let name = server_name(url.host().ok_or(Failure::Url)?)?;
                let stream = self.tls.connect(name, stream).await;
                Ok(Box::new(stream.map_err(|error| Failure::Tls(error.to_string()))?))
            }
            _ => Err(Failure::Url),
        }
    }

    /// The addresses of a host, each of which may be called. One that may not condemns the name: nobody has to have
    /// public and private addresses at once.
    async fn addresses(&self, host: Host<&str>) -> Result<Vec<IpAddr>, Failure> {
        let addresses = match host {
            Host::Ipv4(address) => vec![address.into()],
            Host::Ipv6(address) => vec![address.into()],
            Host::Domain(name) => self.resolver.resolve(name.to_owned()).await.map_err(|_| Failure::Name)?,
        };
        if addresses.is_empty() {
            return Err(Failure::Name);
        }
        if !self.allow_private && !addresses.iter().copied().all(is_public) {
            return Err(Failure::Private);
        }
        Ok(addresses)
    }
}

/// The certificate authorities that the system trusts. Where there are none, HTTPS fails and says so.
pub(crate) fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!("the system has no certificate authorities: webhooks cannot use HTTPS");
    }
    roots
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(*address, port)).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn server_name(host: Host<&str>) -> Result<ServerName<'static>, Failure> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| Failure::Url),
        Host::Ipv4(address) => Ok(ServerName::IpAddress(IpAddr::V4(address).into())),
        Host::Ipv6(address) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
    }
}

fn request(url: &Url, due: &Due, timestamp: i64) -> Result<Request<Full<Bytes>>, Failure> {
    let (id, payload) = (due.delivery.id.as_str(), &due.delivery.payload);
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    Request::post(target)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures(&due.secrets, id, timestamp, payload))
        .body(Full::new(Bytes::from(payload.clone())))
        .map_err(|_| Failure::Url)
}

/// Sends a request. The connection lives as long as what it is given with.
async fn send(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<(Response<Incoming>, AbortOnDropHandle<()>), Failure> {
    let client = http1::Builder::new().max_buf_size(HEAD).max_headers(FIELDS).clone();
    let (mut sender, connection) = client.handshake(TokioIo::new(stream)).await?;
    let connection = async move {
        // What goes wrong with it, the one who waits for the answer is told.
        let _ = connection.await;
    };
    let connection = AbortOnDropHandle::new(tokio::spawn(connection));
    Ok((sender.send_request(request).await?, connection))
}

/// Reads a body until it ends or there is enough of it.
async fn beginning(mut body: Incoming, into: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        into.extend_from_slice(&data[..data.len().min(BODY - into.len())]);
        if into.len() >= BODY {
            return;
        }
    }
}
