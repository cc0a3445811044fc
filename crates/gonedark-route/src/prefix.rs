use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address family: IPv4 or IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[repr(u8)]
pub enum Family {
    /// Internet Protocol version 4, AFI 1.
    V4 = 0,
    /// Internet Protocol version 6, AFI 2.
    V6 = 1,
}

impl Family {
    /// Both families, in the order in which results are given.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// The longest prefix length: 32 or 128.
    pub const fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    /// `ipv4` or `ipv6`, as in the JSON contract.
    pub const fn name(self) -> &'static str {
        match self {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        }
    }
}

/// Why bytes or text are no prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrefixError {
    /// The length is over 32 or 128.
    Length(u8),
    /// Fewer address bytes than the length needs.
    Cut,
    /// Text that is not `address/length`.
    Text,
}

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PrefixError::Length(length) => write!(f, "prefix length {length} is over the family's bits"),
            PrefixError::Cut => write!(f, "prefix ends before its length says"),
            PrefixError::Text => write!(f, "not of the form address/length"),
        }
    }
}

impl std::error::Error for PrefixError {}

/// A network: address bits left-aligned in 128 bits, bits past the length are zero.
///
/// 24 bytes. Orders by family, address, then length: a covering prefix comes before what it covers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    family: Family,
    high: u64,
    low: u64,
    length: u8,
}

impl Prefix {
    /// From wire form (RFC 4271 section 4.3): `bytes` holds at least `ceil(length / 8)` address bytes; bits past the
    /// length are ignored, as the RFC says.
    #[inline]
    pub fn from_wire(family: Family, length: u8, bytes: &[u8]) -> Result<Self, PrefixError> {
        if length > family.bits() {
            return Err(PrefixError::Length(length));
        }
        let needed = usize::from(length.div_ceil(8));
        let address = bytes.get(..needed).ok_or(PrefixError::Cut)?;
        // Nearly all have up to four bytes: each length by itself is a load or two, a loop over the bytes is not.
        let high = match *address {
            [] => 0,
            [a] => u32::from_be_bytes([a, 0, 0, 0]),
            [a, b] => u32::from_be_bytes([a, b, 0, 0]),
            [a, b, c] => u32::from_be_bytes([a, b, c, 0]),
            [a, b, c, d] => u32::from_be_bytes([a, b, c, d]),
            _ => {
                let mut padded = [0_u8; 16];
                padded[..needed].copy_from_slice(address);
                return Ok(Self::masked(family, u128::from_be_bytes(padded), length));
            }
        };
        let mask = if length == 0 { 0 } else { u32::MAX << (32 - u32::from(length)) };
        Ok(Prefix { family, high: u64::from(high & mask) << 32, low: 0, length })
    }

    /// An IPv4 network; bits past the length are cleared. `None` for a length over 32.
    pub fn v4(address: Ipv4Addr, length: u8) -> Option<Self> {
        (length <= 32).then(|| Self::masked(Family::V4, u128::from(u32::from(address)) << 96, length))
    }

    /// An IPv6 network; bits past the length are cleared. `None` for a length over 128.
    pub fn v6(address: Ipv6Addr, length: u8) -> Option<Self> {
        (length <= 128).then(|| Self::masked(Family::V6, u128::from(address), length))
    }

    /// From left-aligned bits. `None` for a length over the family's bits.
    pub fn from_bits(family: Family, bits: u128, length: u8) -> Option<Self> {
        (length <= family.bits()).then(|| Self::masked(family, bits, length))
    }

    #[inline]
    fn masked(family: Family, bits: u128, length: u8) -> Self {
        let mask = if length == 0 { 0 } else { u128::MAX << (128 - u32::from(length)) };
        let bits = bits & mask;
        Prefix { family, high: (bits >> 64) as u64, low: bits as u64, length }
    }

    /// The family.
    #[inline]
    pub const fn family(self) -> Family {
        self.family
    }

    /// The prefix length in bits.
    #[inline]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// The address bits, left-aligned in 128 bits for both families.
    #[inline]
    pub const fn bits(self) -> u128 {
        ((self.high as u128) << 64) | self.low as u128
    }

    /// The network address.
    pub fn address(self) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from((self.high >> 32) as u32)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.bits())),
        }
    }

    /// Whether `other` lies within this network (a network covers itself).
    pub fn covers(self, other: Prefix) -> bool {
        self.family == other.family
            && self.length <= other.length
            && Self::masked(self.family, other.bits(), self.length) == self
    }

    /// The smallest network that covers both; `None` where they are of different families.
    pub fn common(self, other: Prefix) -> Option<Prefix> {
        let same = (self.bits() ^ other.bits()).leading_zeros() as u8;
        (self.family == other.family).then(|| self.shortened(same.min(other.length)))
    }

    /// The same network shortened to `length`; itself where it is not longer.
    pub fn shortened(self, length: u8) -> Prefix {
        Self::masked(self.family, self.bits(), length.min(self.length))
    }
}

/// One word for all of it: a table is asked for prefixes a million times a second, and four words hash slower than one.
impl Hash for Prefix {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Length and family go where only IPv6 prefixes longer than /112 have bits of their own.
        let rest = self.low ^ u64::from(self.length) << 1 ^ self.family as u64;
        state.write_u128((u128::from(self.high) << 64) | u128::from(rest));
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.length)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Prefix {
    type Err = PrefixError;
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = text.split_once('/').ok_or(PrefixError::Text)?;
        let length: u8 = length.parse().map_err(|_| PrefixError::Text)?;
        match address.parse().map_err(|_| PrefixError::Text)? {
            IpAddr::V4(address) => Prefix::v4(address, length),
            IpAddr::V6(address) => Prefix::v6(address, length),
        }
        .ok_or(PrefixError::Length(length))
    }
}

/// A prefix as BGP carries it, with its ADD-PATH identifier (RFC 7911).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Nlri {
    /// The network.
    pub prefix: Prefix,
    /// The path identifier; 0 where the session has no ADD-PATH.
    pub path_id: u32,
}

impl From<Prefix> for Nlri {
    fn from(prefix: Prefix) -> Self {
        Nlri { prefix, path_id: 0 }
    }
}

/// Kept in few bytes where small numbers take few: bits stand at the left, so the bytes are turned round.
#[cfg(feature = "serde")]
mod kept {
    use super::{Family, Prefix};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// What is added to the length of an IPv6 prefix, to tell it from IPv4.
    const V6: u8 = 64;

    impl Serialize for Prefix {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let kind = match self.family {
                Family::V4 => self.length,
                Family::V6 => V6 + self.length,
            };
            (kind, self.high.swap_bytes(), self.low.swap_bytes()).serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Prefix {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (kind, high, low) = <(u8, u64, u64)>::deserialize(deserializer)?;
            let (family, length) = if kind < V6 { (Family::V4, kind) } else { (Family::V6, kind - V6) };
            let bits = u128::from(high.swap_bytes()) << 64 | u128::from(low.swap_bytes());
            let prefix = Prefix::from_bits(family, bits, length).filter(|prefix| prefix.bits() == bits);
            prefix.ok_or_else(|| D::Error::custom("no prefix has that length, or bits past it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_past_the_length_are_cleared() {
        let prefix = Prefix::from_wire(Family::V4, 22, &[175, 45, 179]).unwrap();
        assert_eq!(prefix.to_string(), "175.45.176.0/22");
        assert_eq!(prefix, "175.45.176.0/22".parse().unwrap());
    }

    #[test]
    fn covers_is_reflexive_and_respects_family_and_length() {
        let wide: Prefix = "175.45.176.0/22".parse().unwrap();
        let narrow: Prefix = "175.45.179.0/24".parse().unwrap();
        let v6: Prefix = "2001:7fb:fe00::/48".parse().unwrap();
        assert!(wide.covers(narrow) && wide.covers(wide) && !narrow.covers(wide) && !wide.covers(v6));
        assert!(wide < narrow);
        let default: Prefix = "0.0.0.0/0".parse().unwrap();
        assert!(default.covers(narrow));
    }

    #[test]
    fn common_is_the_smallest_cover_of_both() {
        let network = |text: &str| text.parse::<Prefix>().unwrap();
        let (low, high) = (network("175.45.176.0/24"), network("175.45.178.0/24"));
        assert_eq!(low.common(high), Some(network("175.45.176.0/22")));
        assert_eq!(low.common(network("175.45.176.0/22")), Some(network("175.45.176.0/22")));
        assert_eq!(low.common(low), Some(low));
        assert_eq!(low.common(network("2001:7fb:fe00::/48")), None);
    }

    #[test]
    fn a_bad_length_or_a_cut_address_is_refused() {
        assert_eq!(Prefix::from_wire(Family::V4, 33, &[0; 8]), Err(PrefixError::Length(33)));
        assert_eq!(Prefix::from_wire(Family::V6, 48, &[0; 5]), Err(PrefixError::Cut));
        assert!("10.0.0.0".parse::<Prefix>().is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_kept_prefix_is_read_again_and_takes_few_bytes() {
        for (text, bytes) in [
            ("0.0.0.0/0", 3),
            ("175.45.179.0/24", 6),
            ("255.255.255.255/32", 7),
            ("::/0", 3),
            ("2001:7fb:fe00::/48", 9),
            ("2001:db8::1/128", 22),
        ] {
            let prefix: Prefix = text.parse().unwrap();
            let kept = postcard::to_stdvec(&prefix).unwrap();
            assert_eq!(postcard::from_bytes(&kept), Ok(prefix), "{text}");
            assert!(kept.len() <= bytes, "{text} takes {}", kept.len());
        }
        // A length that no family has, and bits past the length.
        for bad in [(33_u8, 0_u64, 0_u64), (255, 0, 0), (8, 0xff0a, 0)] {
            let kept = postcard::to_stdvec(&bad).unwrap();
            assert!(postcard::from_bytes::<Prefix>(&kept).is_err(), "{bad:?}");
        }
    }
}
