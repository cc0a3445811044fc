//! The seam between decoding and inference: what the inference is told.
//!
//! Everything is borrowed and per message; nothing is allocated for it. The caller gives observations in order of
//! time; those of one peer at one time in the order of the recording. The order between peers within one stamp changes
//! nothing.

use gonedark_route::{Asn, Prefix, Tail, Time};
use std::net::IpAddr;

/// A collector, by the order in which it was first named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct CollectorId(pub(crate) u16);

/// A peer of a collector, by the order in which it was first named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct PeerId(pub(crate) u16);

/// A network that was named, by where the table keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct NetworkId {
    pub(crate) shard: u16,
    pub(crate) row: u32,
}

/// A network in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named {
    /// Which.
    pub network: NetworkId,
    /// ADD-PATH identifier (RFC 7911); 0 without.
    pub path_id: u32,
}

/// What tells one peer of a collector from another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct PeerKey {
    /// The collector that it feeds.
    pub collector: CollectorId,
    /// Its AS: the unit of the vote.
    pub asn: Asn,
    /// Its address.
    pub address: IpAddr,
}

/// One route of a table's row.
#[derive(Clone, Copy, Debug)]
pub struct TableEntry {
    /// Whose route.
    pub peer: PeerId,
    /// The end of its path: what the table keeps of it.
    pub tail: Tail,
    /// ADD-PATH identifier (RFC 8050); 0 without.
    pub path_id: u32,
}

/// What one UPDATE says.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    /// When the collector stamped it.
    pub at: Time,
    /// Who sent it.
    pub peer: PeerId,
    /// The end of the path of what it announces.
    pub tail: Option<Tail>,
    /// Announced networks.
    pub announced: &'a [Named],
    /// Withdrawn networks.
    pub withdrawn: &'a [Named],
}

/// Which countries a network or an AS belongs to.
pub trait Delegations {
    /// The countries that `prefix` is delegated to with their /24s (IPv4) or /48s (IPv6) of it, largest first, appended
    /// to `into`. Nothing for space that is delegated to nobody.
    fn split(&self, prefix: Prefix, into: &mut Vec<(crate::entity::CountryCode, u64)>);

    /// The country that an AS is delegated to.
    fn country_of_asn(&self, asn: Asn) -> Option<crate::entity::CountryCode>;
}

/// Nobody owns anything: stands in where it was not said yet whose networks are whose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Delegations for Nobody {
    fn split(&self, _: Prefix, _: &mut Vec<(crate::entity::CountryCode, u64)>) {}

    fn country_of_asn(&self, _: Asn) -> Option<crate::entity::CountryCode> {
        None
    }
}

impl<T: Delegations + ?Sized> Delegations for std::sync::Arc<T> {
    fn split(&self, prefix: Prefix, into: &mut Vec<(crate::entity::CountryCode, u64)>) {
        (**self).split(prefix, into);
    }

    fn country_of_asn(&self, asn: Asn) -> Option<crate::entity::CountryCode> {
        (**self).country_of_asn(asn)
    }
}

impl Delegations for crate::entity::registry::CountryTable {
    fn split(&self, prefix: Prefix, into: &mut Vec<(crate::entity::CountryCode, u64)>) {
        self.split_into(prefix, into);
    }

    fn country_of_asn(&self, asn: Asn) -> Option<crate::entity::CountryCode> {
        crate::entity::registry::CountryTable::country_of_asn(self, asn)
    }
}
