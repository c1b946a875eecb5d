//! Certificates for a server, and a client of TLS of which every byte is the test's own.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Settings of a server with listeners for TLS on free ports.
pub const LISTENERS: &str = "https.listen = \"127.0.0.1:0\"\nrtmps.listen = \"127.0.0.1:0\"\n";

/// Settings that name the files of [`Certificate::write`].
pub const FILES: &str = "tls.certificate = \"certificate.pem\"\ntls.key = \"key.pem\"\ntls.reload = \"1s\"\n";

/// A certificate for `localhost` with its key, and nobody's signature but its own.
pub struct Certificate {
    pub certificate: String,
    pub key: String,
}

impl Certificate {
    pub fn new() -> Certificate {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        let certificate = params.expect("names").self_signed(&key).expect("signed").pem();
        Certificate { certificate, key: key.serialize_pem() }
    }

    /// Puts both into a folder, as a renewal does.
    pub fn write(&self, folder: &Path) {
        for (name, text) in [("certificate.pem", &self.certificate), ("key.pem", &self.key)] {
            fs::write(folder.join(name), text).expect("a file");
        }
    }
}

/// The client's side of a connection.
pub type Tls = StreamOwned<ClientConnection, TcpStream>;

/// Connects, and trusts that certificate alone; offers `alpn`.
pub fn connect(to: SocketAddr, trusts: &str, alpn: &[&str]) -> std::io::Result<Tls> {
    over(TcpStream::connect(to)?, trusts, alpn)
}

/// The same over a socket that stands.
pub fn over(mut socket: TcpStream, trusts: &str, alpn: &[&str]) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(trusts.as_bytes()).expect("a certificate in PEM");
    roots.add(trusted).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(StreamOwned::new(connection, socket))
}

/// A request on a connection that stays, and what is answered: the head and as much body as it says.
pub fn ask(tls: &mut Tls, path: &str) -> std::io::Result<(String, Vec<u8>)> {
    write!(tls, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    tls.flush()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    tls.read_exact(&mut body)?;
    Ok((head, body))
}
