//! What can go dark, and which networks belong to it.

pub mod registry;

use gonedark_route::{Asn, Prefix};
use std::fmt;

/// An ISO 3166-1 alpha-2 code in upper case, as the RIR statistics use it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// From two letters of either case; `None` for anything else.
    pub fn new(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(CountryCode([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in.
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An entity: what can go dark. Orders by kind, then code: the order in which results are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Entity {
    /// Every network delegated to (or, where nothing is delegated, originated from) a country.
    Country(CountryCode),
    /// Every network that an AS originates.
    As(Asn),
    /// A prefix and every network within it.
    Prefix(Prefix),
}

impl Entity {
    /// `country`, `as` or `prefix`, as in the JSON contract.
    pub const fn kind(&self) -> &'static str {
        match self {
            Entity::Country(_) => "country",
            Entity::As(_) => "as",
            Entity::Prefix(_) => "prefix",
        }
    }

    /// `KP`, `AS131279`, `175.45.176.0/22`.
    pub fn code(&self) -> String {
        match self {
            Entity::Country(code) => code.to_string(),
            Entity::As(asn) => asn.to_string(),
            Entity::Prefix(prefix) => prefix.to_string(),
        }
    }
}
