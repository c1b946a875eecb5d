//! HTTPS: who cannot show a certificate for his name is told nothing.

use std::sync::Arc;
use std::time::Duration;

use catalog::deliveries::State;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use webhooks::{Metrics, Settings, Webhooks};

use crate::home::{Home, Names, has_failed, is_over, settings};
use crate::receiver::{Receiver, Reply};

async fn server(name: &str) -> (Receiver, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    (Receiver::serve(Some(tls), |_| Reply::Status(200, "", "hello")).await, cert.der().clone())
}

async fn call(receiver: &Receiver, roots: RootCertStore) -> catalog::deliveries::Delivery {
    let home = Home::new().await;
    let settings = Settings { schedule: vec![Duration::from_secs(3600)], ..settings() };
    let names = Names::new([("hooks.example", &["127.0.0.1"])]);
    let dispatcher = Webhooks::new(home.catalog.clone(), settings, Metrics::default());
    let work = home.begin(dispatcher.with_resolver(names).with_roots(roots));
    let (webhook, _) = home.webhook(&format!("https://hooks.example:{}/", receiver.address.port())).await;
    home.record("demo");
    let delivery = home.settled(&webhook, |it| is_over(it) || has_failed(it)).await;
    work.stop().await;
    delivery
}

fn trusting(certificate: CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    roots
}

#[tokio::test]
async fn a_certificate_that_is_trusted_and_fits_is_called() {
    let (mut receiver, certificate) = server("hooks.example").await;
    let delivery = call(&receiver, trusting(certificate)).await;
    assert_eq!((delivery.state, delivery.excerpt.as_deref()), (State::Delivered, Some("hello")));
    assert!(receiver.next().await.headers.contains_key("webhook-signature"));
}

#[tokio::test]
async fn a_certificate_of_nobody_or_of_somebody_else_is_refused() {
    let (_, other) = server("hooks.example").await;
    let (receiver, _) = server("hooks.example").await;
    let untrusted = call(&receiver, trusting(other)).await.error.unwrap();
    assert!(untrusted.starts_with("TLS failed: invalid peer certificate"), "{untrusted}");
    let (receiver, certificate) = server("elsewhere.example").await;
    let elsewhere = call(&receiver, trusting(certificate)).await.error.unwrap();
    assert!(elsewhere.starts_with("TLS failed: invalid peer certificate"), "{elsewhere}");
}
