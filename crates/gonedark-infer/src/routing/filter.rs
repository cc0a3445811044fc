//! Which prefixes can count as a network of somebody.

use gonedark_route::{Family, Prefix};

/// IPv4 space that no network of the Internet has: IANA's special-purpose registry (RFC 6890 and its updates) and
/// what lies above unicast (RFC 1112, RFC 5771).
const BOGONS_V4: [(u32, u8); 14] = [
    (0x0000_0000, 8),  // "this network", RFC 791
    (0x0A00_0000, 8),  // private, RFC 1918
    (0x6440_0000, 10), // shared, RFC 6598
    (0x7F00_0000, 8),  // loopback, RFC 1122
    (0xA9FE_0000, 16), // link-local, RFC 3927
    (0xAC10_0000, 12), // private, RFC 1918
    (0xC000_0000, 24), // protocol assignments, RFC 6890
    (0xC000_0200, 24), // documentation, RFC 5737
    (0xC058_6300, 24), // 6to4 relay anycast, RFC 7526
    (0xC0A8_0000, 16), // private, RFC 1918
    (0xC612_0000, 15), // benchmarking, RFC 2544
    (0xC633_6400, 24), // documentation, RFC 5737
    (0xCB00_7100, 24), // documentation, RFC 5737
    (0xE000_0000, 3),  // multicast and reserved, RFC 5771, RFC 1112
];

/// Whether a prefix can count: no default route, not shorter than /8 nor longer than /24 (IPv4) or /48 (IPv6), no
/// bogon; IPv6 only within 2000::/3 (RFC 4291) and outside 2001:db8::/32 (RFC 3849) and 2002::/16 (RFC 7526).
pub(crate) fn can_count(prefix: Prefix) -> bool {
    let length = prefix.length();
    match prefix.family() {
        Family::V4 => {
            let address = (prefix.bits() >> 96) as u32;
            (8..=24).contains(&length)
                && !BOGONS_V4.iter().any(|(network, bits)| (address ^ network) >> (32 - bits) == 0)
        }
        Family::V6 => {
            let top = (prefix.bits() >> 96) as u32;
            (8..=48).contains(&length) && top >> 29 == 0b001 && top != 0x2001_0DB8 && top >> 16 != 0x2002
        }
    }
}

/// /24s for IPv4, /48s for IPv6: the unit in which addresses are counted.
pub(crate) fn units(prefix: Prefix) -> u64 {
    let unit: u8 = match prefix.family() {
        Family::V4 => 24,
        Family::V6 => 48,
    };
    1 << unit.saturating_sub(prefix.length())
}

/// First unit of a prefix and the first one after it, on a line per family.
pub(crate) fn unit_range(prefix: Prefix) -> (u64, u64) {
    let shift = match prefix.family() {
        Family::V4 => 128 - 24,
        Family::V6 => 128 - 48,
    };
    let start = (prefix.bits() >> shift) as u64;
    (start, start + units(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bogons_defaults_and_too_long_or_short_prefixes_do_not_count() {
        let counts = |text: &str| can_count(text.parse().unwrap());
        for good in ["175.45.176.0/24", "8.0.0.0/8", "2001:7fb:fe00::/48", "2400::/12"] {
            assert!(counts(good), "{good}");
        }
        for bad in [
            "0.0.0.0/0",
            "10.1.0.0/16",
            "100.64.0.0/16",
            "192.0.2.0/24",
            "224.0.0.0/8",
            "8.8.8.0/25",
            "6.0.0.0/7",
        ] {
            assert!(!counts(bad), "{bad}");
        }
        for bad in ["::/0", "fc00::/16", "2001:db8:1::/48", "2002:1::/32", "2001:7fb::/64"] {
            assert!(!counts(bad), "{bad}");
        }
    }

    #[test]
    fn units_are_slash_24s_and_slash_48s() {
        assert_eq!(units("175.45.176.0/22".parse().unwrap()), 4);
        assert_eq!(units("2001:7fb::/32".parse().unwrap()), 65_536);
        assert_eq!(unit_range("0.0.1.0/24".parse().unwrap()), (1, 2));
    }
}
