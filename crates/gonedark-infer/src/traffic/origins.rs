//! Who announces an address: what the meter asks of the routing table.

use foldhash::fast::FixedState;
use gonedark_route::{Asn, Family, Prefix};
use hashbrown::HashMap;
use std::net::IpAddr;

/// Who announces an address: the routing table of the caller.
pub trait Origins {
    /// The AS that originates the network of an address, where one does.
    fn origin(&self, address: IpAddr) -> Option<Asn>;
}

/// Nobody knows: countries by delegation are all that is told of a target.
pub struct NoOrigins;

impl Origins for NoOrigins {
    fn origin(&self, _: IpAddr) -> Option<Asn> {
        None
    }
}

/// The longest network that is no smaller than a /24 or /48: owners are asked for by blocks of that size, and an AS that
/// announces less than one does not own the block.
pub(super) const fn longest(family: Family) -> u8 {
    match family {
        Family::V4 => 24,
        Family::V6 => 48,
    }
}

/// Networks and who originates them; the longest match holds.
#[derive(Clone, Debug, Default)]
pub struct OriginTable {
    networks: HashMap<Prefix, Asn, FixedState>,
}

impl FromIterator<(Prefix, Asn)> for OriginTable {
    fn from_iter<T: IntoIterator<Item = (Prefix, Asn)>>(networks: T) -> Self {
        let fits = |prefix: &Prefix| prefix.length() <= longest(prefix.family());
        OriginTable { networks: networks.into_iter().filter(|(prefix, _)| fits(prefix)).collect() }
    }
}

impl OriginTable {
    /// How many networks there are.
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}

impl Origins for OriginTable {
    fn origin(&self, address: IpAddr) -> Option<Asn> {
        let block = match address {
            IpAddr::V4(address) => Prefix::v4(address, longest(Family::V4)),
            IpAddr::V6(address) => Prefix::v6(address, longest(Family::V6)),
        }?;
        // A default route says of nobody whose he is.
        (1..=block.length()).rev().find_map(|length| self.networks.get(&block.shortened(length)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_network_that_covers_the_block_says_whose_an_address_is() {
        let network = |text: &str, asn: u32| (text.parse::<Prefix>().expect("a prefix"), Asn(asn));
        let table: OriginTable = [
            network("175.45.176.0/22", 131_279),
            network("175.45.178.0/24", 4_837),
            network("175.45.176.128/25", 1),
            network("0.0.0.0/0", 2),
            network("2001:db8::/32", 64_496),
        ]
        .into_iter()
        .collect();
        let origin = |text: &str| table.origin(text.parse().expect("an address")).map(|asn| asn.0);
        assert_eq!(origin("175.45.176.200"), Some(131_279));
        assert_eq!(origin("175.45.178.1"), Some(4_837));
        assert_eq!(origin("192.0.2.1"), None);
        assert_eq!(origin("2001:db8:1::1"), Some(64_496));
        assert_eq!(table.len(), 4);
    }
}
