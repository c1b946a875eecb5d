//! Who the server is to those who connect from now on.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::pair::Pair;

/// The pair that is shown to who connects. Cloning shares it; it can be replaced at any time, and connections that
/// stand go on as they are.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Current>);

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl Identity {
    /// Shows `pair`.
    pub fn new(pair: &Pair) -> Identity {
        Identity(Arc::new(Current(RwLock::new(pair.certified()))))
    }

    /// Shows `pair` from now on.
    pub fn replace(&self, pair: &Pair) {
        *self.0.0.write().unwrap_or_else(PoisonError::into_inner) = pair.certified();
    }

    pub(crate) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.0.clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
