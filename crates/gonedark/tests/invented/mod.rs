//! An invented Internet as the text of a scenario, put together by the tests from what they want of it.
#![allow(dead_code, unreachable_pub, reason = "each user takes its part")]

use gonedark::scenario::Scenario;

/// The begin of a scenario: its name, which seed it has, and from when until when it lasts.
pub fn internet(title: &str, seed: u64, (from, until): (&str, &str)) -> String {
    format!(
        "title = \"{title}\"\nnotice = \"Invented, for a test.\"\nseed = {seed}\nfrom = {from}\nuntil = {until}\n\
         [topology]\nbackbone = [1299, 2914, 3257]\nsource = \"invented\"\n"
    )
}

/// A collector: its name, the layout of its archive, how often it writes updates and tables, and its peers as ASN and
/// address. `more` are further lines, such as `stamps = "micros"`.
pub fn collector(
    (name, layout): (&str, &str),
    (updates, tables): (&str, &str),
    peers: &[(u32, &str)],
    more: &str,
) -> String {
    let peers: String =
        peers.iter().map(|(asn, address)| format!("{{ asn = {asn}, address = \"{address}\" }}, ")).collect();
    format!(
        "[[collector]]\nname = \"{name}\"\nlayout = \"{layout}\"\nupdates_every = \"{updates}\"\n\
         tables_every = \"{tables}\"\nsource = \"invented\"\n{more}\npeer = [{peers}]\n"
    )
}

/// A country whose networks have one origin. `more` are further lines, such as `churn = false`.
pub fn country(code: &str, prefixes: &[&str], origin: u32, more: &str) -> String {
    format!(
        "[[country]]\ncode = \"{code}\"\n{more}\n\
         network = [{{ prefixes = {prefixes:?}, origin = {origin}, source = \"invented\" }}]\n"
    )
}

/// Something that happens at a moment, exact to the second.
pub fn event(at: &str, what: &str) -> String {
    format!("[[event]]\nat = {at}\nwhat.{what}\nprecision = \"1s\"\nsource = \"invented\"\n")
}

/// The scenario of a text that has to be one.
pub fn scenario(name: &str, text: &str) -> Scenario {
    Scenario::parse(text, name).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}
