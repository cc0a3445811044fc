//! The countries of a scenario as RIR statistics, so that an invented Internet can be replayed.

use super::plan::Scenario;
use gonedark_infer::entity::CountryCode;
use gonedark_route::{Asn, Family, Prefix};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// One statistics file (version 2, header and summary counts right) that delegates every network of the scenario to
/// its country: what a plan was cut out of as a whole, other networks one by one. AS numbers follow the first country
/// that a network of theirs belongs to.
pub fn delegated(scenario: &Scenario) -> String {
    let mut prefixes: BTreeSet<(Prefix, CountryCode)> = BTreeSet::new();
    for country in &scenario.document.countries {
        let Some(code) = CountryCode::new(&country.get_ref().code) else { continue };
        let plans = country.get_ref().plans.iter().flat_map(|plan| &plan.get_ref().within);
        let networks = country.get_ref().networks.iter().flat_map(|network| &network.get_ref().prefixes);
        prefixes.extend(plans.chain(networks).filter_map(|text| Some((text.parse().ok()?, code))));
    }
    let mut asns: Vec<(Asn, CountryCode)> =
        scenario.networks.iter().filter_map(|network| Some((network.origin, network.country?))).collect();
    // Stable: an AS keeps the country of its first network.
    asns.sort_by_key(|(asn, _)| *asn);
    asns.dedup_by_key(|(asn, _)| *asn);
    let mut lines: [Vec<String>; 3] = Default::default();
    for (asn, code) in &asns {
        lines[0].push(format!("ripencc|{code}|asn|{}|1|20000101|allocated", asn.0));
    }
    for (prefix, code) in outermost(&prefixes) {
        let (kind, value) = match prefix.family() {
            Family::V4 => ("ipv4", 1_u64 << (32 - prefix.length())),
            Family::V6 => ("ipv6", prefix.length().into()),
        };
        let line = format!("ripencc|{code}|{kind}|{}|{value}|20000101|allocated", prefix.address());
        lines[1 + prefix.family() as usize].push(line);
    }
    let total: usize = lines.iter().map(Vec::len).sum();
    let mut text = format!("2|ripencc|20000101|{total}|19830101|20000101|+0000\n");
    for (kind, lines) in ["asn", "ipv4", "ipv6"].into_iter().zip(&lines) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "ripencc|*|{kind}|*|{}|summary", lines.len());
    }
    lines.iter().flatten().for_each(|line| {
        let _ = writeln!(text, "{line}");
    });
    text
}

/// Without what lies in another of the same country: registries delegate no address twice.
fn outermost(prefixes: &BTreeSet<(Prefix, CountryCode)>) -> Vec<(Prefix, CountryCode)> {
    let mut kept: Vec<(Prefix, CountryCode)> = Vec::new();
    for (prefix, code) in prefixes {
        // A covering prefix comes before what it covers.
        if !kept.last().is_some_and(|(outer, _)| outer.covers(*prefix)) {
            kept.push((*prefix, *code));
        }
    }
    kept
}
