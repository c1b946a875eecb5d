//! Which store: an address, and who we are to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{ClientOptions, RetryConfig};

use crate::bucket::Bucket;

/// An S3-compatible store. What is not said here is taken from the usual variables of the environment (`AWS_REGION`,
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL` and so on), or from the machine's own role.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct S3 {
    /// `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    pub url: String,
    /// `http://HOST:PORT` or `https://HOST`; Amazon's otherwise.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Name of the key.
    pub access_key: Option<String>,
    /// The key itself; no `Debug` shows it.
    pub secret_key: Option<String>,
}

/// An address that names no store.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// Not `s3://BUCKET/PREFIX`.
    #[error("{0:?} is not s3://BUCKET/PREFIX")]
    Form(String),
    /// Something that the store's library does not accept.
    #[error("{0}")]
    Refused(#[from] object_store::Error),
}

/// For a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// For a request with its body. One with a part of 8 MiB takes as long on a line of 120 kbit/s.
const REQUEST: Duration = Duration::from_secs(600);

impl S3 {
    /// Opens the store; nothing is asked of it yet.
    pub fn open(&self) -> Result<Bucket, BadAddress> {
        let bad = || BadAddress::Form(self.url.clone());
        let rest = self.url.strip_prefix("s3://").ok_or_else(bad)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad());
        }
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        let http = self.endpoint.as_deref().is_some_and(|it| it.starts_with("http://"));
        let client = ClientOptions::new().with_timeout(REQUEST).with_connect_timeout(CONNECT);
        builder = builder.with_client_options(client).with_retry(impatient());
        if http {
            builder = builder.with_allow_http(true);
        }
        builder = set(builder, &self.endpoint, AmazonS3Builder::with_endpoint);
        builder = set(builder, &self.region, AmazonS3Builder::with_region);
        builder = set(builder, &self.access_key, AmazonS3Builder::with_access_key_id);
        builder = set(builder, &self.secret_key, AmazonS3Builder::with_secret_access_key);
        Ok(Bucket::new(Arc::new(builder.build()?), prefix))
    }
}

fn set(
    builder: AmazonS3Builder,
    value: &Option<String>,
    with: impl FnOnce(AmazonS3Builder, String) -> AmazonS3Builder,
) -> AmazonS3Builder {
    match value {
        Some(value) => with(builder, value.clone()),
        None => builder,
    }
}

/// What fails is tried again by us, seen and for as long as it takes; the library would do so unseen.
fn impatient() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("url", &self.url).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(url: &str) -> S3 {
        let key = |text: &str| Some(text.to_owned());
        S3 {
            url: url.to_owned(),
            endpoint: key("http://127.0.0.1:1"),
            region: key("us-east-1"),
            access_key: key("open"),
            secret_key: key("sesame"),
        }
    }

    #[test]
    fn an_address_is_a_bucket_and_perhaps_a_prefix() {
        let name = |url: &str| s3(url).open().ok().map(|bucket| bucket.at("e/r", "index").to_string());
        assert_eq!(name("s3://b").as_deref(), Some("e/r/index"));
        assert_eq!(name("s3://b/").as_deref(), Some("e/r/index"));
        assert_eq!(name("s3://b/deep/er/").as_deref(), Some("deep/er/e/r/index"));
        for bad in ["", "b/p", "https://b", "s3://", "s3:///p"] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_in_no_log() {
        let shown = format!("{:?} {:?}", s3("s3://b"), s3("s3://b").open().expect("an address"));
        assert!(shown.contains("127.0.0.1") && !shown.contains("sesame"), "{shown}");
    }
}
