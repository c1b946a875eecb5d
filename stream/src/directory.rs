//! Entry id → stream.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::{Found, Grant, Ledger, Publication, Refusal, Source};

/// All streams of this server. Cloning shares it.
#[derive(Clone)]
pub struct Directory {
    ledger: Arc<dyn Ledger>,
}

impl Directory {
    /// An empty directory.
    pub fn new(ledger: Arc<dyn Ledger>) -> Directory {
        Directory { ledger }
    }

    /// Puts a publisher on air, or says why not.
    pub async fn publish(&self, grant: Grant, peer: SocketAddr) -> Result<Publication, Refusal> {
        let _ = (&self.ledger, grant, peer);
        Err(Refusal::ShuttingDown)
    }
}

impl Source for Directory {
    fn find(&self, _entry: &str, _session: Option<u64>) -> Found {
        Found::Unknown
    }
}
