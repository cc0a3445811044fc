//! What could not be seen, told shortly: intervals joined by collector and reason.

use super::times;
use super::words;
use gonedark_infer::report::{Blind, BlindReason};
use gonedark_route::{Asn, Time};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// All intervals of one collector, or of its peers, for one reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blindness {
    /// The collector.
    pub collector: String,
    /// Whether the whole collector was blind, not single peers of it.
    pub whole: bool,
    /// Why.
    pub reason: BlindReason,
    /// The peers concerned, ascending; empty for a whole collector.
    pub peers: Vec<Asn>,
    /// Intervals before they were joined.
    pub intervals: usize,
    /// Seconds in which at least one of them lasted.
    pub total_s: i64,
    /// The longest of them.
    pub longest: (Time, Time),
}

/// Those that the window touches: what was blind before it has nothing to do with what is said of it.
pub fn within(blind: &[Blind], (begin, end): (Time, Time)) -> Vec<Blind> {
    let touches = |one: &&Blind| {
        let moment = one.from == one.until && begin <= one.from && one.from <= end;
        moment || one.from < end && one.until > begin
    };
    blind.iter().filter(touches).cloned().collect()
}

/// Joined, whole collectors first, then the longest total.
pub fn summary(blind: &[Blind]) -> Vec<Blindness> {
    let mut groups: BTreeMap<(&str, bool, BlindReason), Vec<&Blind>> = BTreeMap::new();
    for one in blind {
        groups.entry((&one.collector, one.peer_asn.is_none(), one.reason)).or_default().push(one);
    }
    let mut joined: Vec<Blindness> = groups
        .into_iter()
        .map(|((collector, whole, reason), members)| join(collector, whole, reason, &members))
        .collect();
    joined.sort_by_key(|group| Reverse((group.whole, group.total_s)));
    joined
}

fn join(collector: &str, whole: bool, reason: BlindReason, members: &[&Blind]) -> Blindness {
    let mut spans: Vec<(Time, Time)> = members.iter().map(|one| (one.from, one.until)).collect();
    spans.sort_unstable();
    let length = |span: &(Time, Time)| times::seconds_between(span.0, span.1);
    let mut longest = (Time::MIN, Time::MIN);
    for span in &spans {
        if longest.0 == Time::MIN || length(span) > length(&longest) {
            longest = *span;
        }
    }
    let mut total_s = 0;
    let mut seen_until = Time::MIN;
    for (from, until) in spans {
        total_s += times::seconds_between(from.max(seen_until), until);
        seen_until = seen_until.max(until);
    }
    let mut peers: Vec<Asn> = members.iter().filter_map(|one| one.peer_asn).collect();
    peers.sort_unstable();
    peers.dedup();
    Blindness {
        collector: collector.to_owned(),
        whole,
        reason,
        peers,
        intervals: members.len(),
        total_s,
        longest,
    }
}

impl Blindness {
    /// `AS3333`, `7 peers`, `the whole collector`.
    pub fn who(&self) -> String {
        match &self.peers[..] {
            [] => "whole collector".to_owned(),
            [one] => one.to_string(),
            many => format!("{} peers", many.len()),
        }
    }

    /// `rrc01, whole collector: no file where there should be one, 23 Dec 03:00 to 23 Dec 04:05 (1 h 05 min)`.
    pub fn line(&self) -> String {
        let longest = times::duration(times::seconds_between(self.longest.0, self.longest.1));
        let span = times::span(self.longest.0, self.longest.1);
        let when = match self.intervals {
            1 => format!("{span} ({longest})"),
            many => format!(
                "{many} times, {} in all, the longest {span} ({longest})",
                times::duration(self.total_s)
            ),
        };
        format!("{}, {}: {}, {when}", self.collector, self.who(), words::reason(self.reason))
    }
}
