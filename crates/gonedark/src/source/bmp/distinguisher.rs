//! Route distinguishers (RFC 4364 section 4.2): which of a router's routing instances a neighbour belongs to (RFC 7854
//! section 4.2).

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A route distinguisher, or the router's own number of an instance, as BMP has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distinguisher(pub u64);

const TWO_BYTE_ASN: u16 = 0;
const ADDRESS: u16 = 1;
const FOUR_BYTE_ASN: u16 = 2;

impl Distinguisher {
    fn of(kind: u16, rest: u64) -> Self {
        Distinguisher(u64::from(kind) << 48 | rest)
    }
}

impl FromStr for Distinguisher {
    type Err = String;

    /// `64500:1`, `4200000000:1`, `192.0.2.1:1`; anything else as BMP has it, `0x...`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no route distinguisher; write \"64500:1\", \"192.0.2.1:1\" or, as the log may tell it, \"0x...\""
            )
        };
        if let Some(hex) = text.strip_prefix("0x") {
            return u64::from_str_radix(hex, 16).map(Distinguisher).map_err(|_| wrong());
        }
        let (administrator, number) = text.split_once(':').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        if let Ok(asn) = administrator.parse::<u16>() {
            return Ok(Self::of(TWO_BYTE_ASN, u64::from(asn) << 32 | u64::from(number)));
        }
        let address = administrator.parse::<Ipv4Addr>().map(|address| (ADDRESS, address.to_bits()));
        let (kind, administrator) = address
            .or_else(|_| administrator.parse().map(|asn: u32| (FOUR_BYTE_ASN, asn)))
            .map_err(|_| wrong())?;
        let number = u16::try_from(number).map_err(|_| wrong())?;
        Ok(Self::of(kind, u64::from(administrator) << 16 | u64::from(number)))
    }
}

impl fmt::Display for Distinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Distinguisher(value) = *self;
        let (administrator, number) = ((value >> 16) as u32, value as u16);
        match (value >> 48) as u16 {
            TWO_BYTE_ASN => write!(f, "{}:{}", (value >> 32) as u16, value as u32),
            ADDRESS => write!(f, "{}:{number}", Ipv4Addr::from_bits(administrator)),
            FOUR_BYTE_ASN if administrator > u32::from(u16::MAX) => write!(f, "{administrator}:{number}"),
            _ => write!(f, "{value:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_forms_are_read_as_rfc_4364_writes_them() {
        let read = |text: &str| text.parse::<Distinguisher>().map(|read| read.0);
        assert_eq!(read("64500:1"), Ok(0x0000_fbf4_0000_0001));
        assert_eq!(read("192.0.2.1:7"), Ok(0x0001_c000_0201_0007));
        assert_eq!(read("4200000000:7"), Ok(0x0002_fa56_ea00_0007));
        for wrong in ["", "64500", "64500:", "4200000000:65536", "192.0.2.1:65536", "a:1", "0xg", "-1:1"] {
            assert!(read(wrong).is_err_and(|why| why.contains("64500:1")), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value in prop_oneof![any::<u64>(), 0..3_u64 << 48, 2_u64 << 48..3_u64 << 48]) {
            prop_assert_eq!(Distinguisher(value).to_string().parse(), Ok(Distinguisher(value)));
        }
    }
}
