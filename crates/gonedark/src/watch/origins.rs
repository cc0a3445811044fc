//! Who originates what, from the loop that has the routes to the meters that ask.

use gonedark_infer::traffic::{OriginTable, Origins};
use gonedark_route::Asn;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// One table, which the loop replaces now and then.
#[derive(Clone, Default)]
pub struct SharedOrigins(Arc<Shared>);

#[derive(Default)]
struct Shared {
    table: RwLock<OriginTable>,
    version: AtomicU64,
}

impl SharedOrigins {
    /// Puts another in its place.
    pub fn replace(&self, table: OriginTable) {
        *self.0.table.write().unwrap_or_else(PoisonError::into_inner) = table;
        self.0.version.fetch_add(1, Ordering::Release);
    }

    /// How often it was replaced.
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }
}

impl Origins for SharedOrigins {
    fn origin(&self, address: IpAddr) -> Option<Asn> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner).origin(address)
    }
}
