//! Handshakes with real sockets and an independent client side of rustls.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tls::{Acceptor, Failed, Identity, Pair, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const PATIENCE: Duration = Duration::from_secs(5);

/// A pair for `localhost`, and what a client has to trust.
fn pair() -> (Pair, CertificateDer<'static>) {
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = certificate.self_signed(&key).expect("signed");
    let pair = Pair::parse(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).expect("a pair");
    (pair, certificate.der().clone())
}

fn client(trusts: &CertificateDer<'static>, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.clone()).expect("a certificate");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]);
    config.expect("a version").with_root_certificates(roots).with_no_client_auth()
}

type Ends = (std::io::Result<TlsStream<TcpStream>>, Result<Stream, Failed>);

async fn connect(acceptor: &Acceptor, config: ClientConfig) -> Ends {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let client = async {
        let name = ServerName::try_from("localhost").expect("a name");
        let socket = TcpStream::connect(at).await.expect("a listener");
        TlsConnector::from(Arc::new(config)).connect(name, socket).await
    };
    let server = async { acceptor.accept(listener.accept().await.expect("a client").0).await };
    tokio::join!(client, server)
}

/// What the server says of a client that sends `bytes` and nothing more.
async fn accept_from(acceptor: &Acceptor, bytes: &[u8], leaves: bool) -> Failed {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let mut client = TcpStream::connect(at).await.expect("a listener");
    client.write_all(bytes).await.expect("room");
    if leaves {
        client.shutdown().await.expect("it stands");
    }
    let (socket, _) = listener.accept().await.expect("a client");
    acceptor.accept(socket).await.map(|_| ()).expect_err("no handshake")
}

#[tokio::test]
async fn both_versions_agree_on_the_preferred_protocol() {
    let (pair, trusted) = pair();
    let acceptor = Acceptor::new(&Identity::new(&pair), tls::HTTP, PATIENCE).expect("random numbers");
    for version in [&version::TLS12, &version::TLS13] {
        for (offers, agreed) in
            [(&["http/1.1", "h2"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
        {
            let mut config = client(&trusted, version);
            config.alpn_protocols = offers.iter().map(|name| name.as_bytes().to_vec()).collect();
            let (client, server) = connect(&acceptor, config).await;
            let (mut client, mut server) = (client.expect("trusted"), server.expect("a client"));
            assert_eq!(server.get_ref().1.alpn_protocol(), agreed.map(str::as_bytes));
            assert_eq!(server.get_ref().1.protocol_version(), Some(version.version));
            let mut heard = [0; 5];
            let (said, read) = tokio::join!(
                async {
                    client.write_all(b"hello").await?;
                    client.flush().await
                },
                server.read_exact(&mut heard)
            );
            assert!(said.is_ok() && read.is_ok() && heard == *b"hello");
        }
        let mut config = client(&trusted, version);
        config.alpn_protocols = vec![b"gopher".to_vec()];
        let (client, server) = connect(&acceptor, config).await;
        assert!(client.is_err());
        assert_eq!(server.expect_err("no protocol in common").word(), Some("tls-handshake"));
    }
}

#[tokio::test]
async fn who_connects_later_sees_the_new_certificate() {
    let ((first, trusts_first), (second, trusts_second)) = (pair(), pair());
    let identity = Identity::new(&first);
    let acceptor = Acceptor::new(&identity, &[], PATIENCE).expect("random numbers");
    let (client_before, server_before) = connect(&acceptor, client(&trusts_first, &version::TLS13)).await;
    let (mut client_before, mut server_before) =
        (client_before.expect("trusted"), server_before.expect("one"));
    identity.replace(&second);
    let (refused, failed) = connect(&acceptor, client(&trusts_first, &version::TLS13)).await;
    assert!(refused.is_err(), "it trusts the old one alone");
    assert_eq!(failed.expect_err("the client refused").word(), Some("tls-handshake"));
    assert!(connect(&acceptor, client(&trusts_second, &version::TLS13)).await.0.is_ok());
    let mut heard = [0; 1];
    server_before.write_all(b"x").await.expect("it stands");
    server_before.flush().await.expect("it stands");
    client_before.read_exact(&mut heard).await.expect("it goes on");
}

#[tokio::test]
async fn what_is_no_tls_is_noticed_and_what_stalls_is_given_up() {
    let (pair, _) = pair();
    let identity = Identity::new(&pair);
    let acceptor = Acceptor::new(&identity, &[], PATIENCE).expect("random numbers");
    for (bytes, first) in [(&b"GET / HTTP/1.1\r\n"[..], b'G'), (&[3, 0, 0, 0], 3), (&[0x80, 0x2e], 0x80)] {
        let failed = accept_from(&acceptor, bytes, false).await;
        assert!(matches!(failed, Failed::NotTls { first: it, .. } if it == first), "{failed}");
        assert_eq!(failed.word(), Some("not-tls"));
    }
    let garbage = [&[22, 3, 1, 0, 100][..], &[0xff; 100]].concat();
    let failed = accept_from(&acceptor, &garbage, false).await;
    assert_eq!(failed.word(), Some("tls-handshake"), "{failed}");
    for leaves_after in [&[][..], &[22, 3, 1]] {
        assert_eq!(accept_from(&acceptor, leaves_after, true).await.word(), None);
    }
    let impatient = Acceptor::new(&identity, &[], Duration::from_millis(50)).expect("random numbers");
    for stalls_after in [&[][..], &[22], &[22, 3, 1, 2, 0, 1, 0, 1]] {
        let failed = accept_from(&impatient, stalls_after, false).await;
        assert_eq!(failed.word(), Some("slow-handshake"), "{failed}");
    }
}
