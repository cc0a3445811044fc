//! The scenario language: what a scenario file may say, word for word. Meaning is given to it in `check`.
//!
//! docs/scenarios.md explains it with examples. Unknown words are refused, with the line.

use super::values::{Moment, Span};
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A whole scenario file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// What the scenario tells, in one line.
    pub title: String,
    /// What it is and is not: a reconstruction, an invention.
    pub notice: String,
    /// Everything random is drawn from this.
    pub seed: u64,
    /// Begin of the recordings.
    pub from: Moment,
    /// End of the recordings (excluded).
    pub until: Moment,
    /// The provider-free middle of the Internet.
    pub topology: TopologyText,
    /// Noise.
    #[serde(default)]
    pub background: BackgroundText,
    /// ASes whose upstreams matter; all others draw theirs from the backbone.
    #[serde(default, rename = "as", skip_serializing_if = "Vec::is_empty")]
    pub ases: Vec<Spanned<AsText>>,
    /// Who records.
    #[serde(rename = "collector")]
    pub collectors: Vec<Spanned<CollectorText>>,
    /// Who can go dark.
    #[serde(rename = "country")]
    pub countries: Vec<Spanned<CountryText>>,
    /// What happens, in any order.
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Spanned<EventText>>,
    /// Who tells of traffic.
    #[serde(default, rename = "exporter", skip_serializing_if = "Vec::is_empty")]
    pub exporters: Vec<Spanned<ExporterText>>,
    /// Floods of packets, in any order; they may lie outside of the window of the routing.
    #[serde(default, rename = "attack", skip_serializing_if = "Vec::is_empty")]
    pub attacks: Vec<Spanned<AttackText>>,
}

/// A router that exports flows (NetFlow version 9): all traffic goes through it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExporterText {
    /// The name of its file.
    pub name: String,
    /// Where its datagrams come from (IPv4).
    pub address: String,
    /// One packet in so many is counted.
    pub sampling: u32,
    /// How long a flow goes on before it is told of.
    pub active_timeout: Span,
    /// Packets a second of ordinary web traffic to each address that is attacked, from a day before to a day after.
    #[serde(default)]
    pub usual_pps: u32,
    /// Where that is from.
    pub source: String,
}

/// A flood of packets.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AttackText {
    /// When it begins.
    pub at: Moment,
    /// How long it lasts: it grows for a tenth of it and falls for a tenth.
    pub lasts: Span,
    /// At which addresses, in equal parts.
    pub targets: Vec<String>,
    /// By what means.
    pub protocol: ProtocolText,
    /// From which port; any without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_port: Option<u16>,
    /// To which port; any without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_port: Option<u16>,
    /// Bytes of a packet, IP header included.
    pub packet_bytes: u32,
    /// Packets a second at its height, at all targets together.
    pub peak_pps: u64,
    /// From how many addresses.
    pub sources: u32,
    /// How exactly the time is known.
    pub precision: Span,
    /// Whether time or extent is not published but chosen here.
    #[serde(default)]
    pub invented: bool,
    /// Who says so, or why it was chosen so.
    pub source: String,
}

/// What the packets of a flood are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolText {
    /// TCP SYNs.
    Syn,
    /// UDP.
    Udp,
    /// ICMP echo requests.
    Icmp,
}

/// The middle of the Internet.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyText {
    /// ASes without a provider, each linked with each.
    pub backbone: Vec<u32>,
    /// Where the choice is from.
    pub source: String,
}

/// Random noise, all Poisson processes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackgroundText {
    /// One peer takes another path to one network.
    pub path_changes_per_hour: f64,
    /// One peer loses one network for 20 to 90 s (a loss that no vote confirms).
    pub peer_flaps_per_hour: f64,
    /// All peers lose one network for 20 to 90 s.
    pub network_flaps_per_hour: f64,
    /// A session of one peer is reset, for 1 to 10 minutes, with a table transfer afterwards.
    pub session_resets_per_day: f64,
    /// Where the rates are from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// An AS with upstreams of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AsText {
    /// Its number.
    pub asn: u32,
    /// For the reader.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Who carries its routes to the world.
    pub upstreams: Vec<u32>,
    /// Where that is from.
    pub source: String,
}

/// A collector.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CollectorText {
    /// The name of its folder: `rrc00`.
    pub name: String,
    /// How its files are named.
    pub layout: Layout,
    /// How they are packed; by default as the archive does it (RIS gz, RouteViews bz2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// Length of an update file.
    pub updates_every: Span,
    /// Distance of the tables; none without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables_every: Option<Span>,
    /// What its stamps carry.
    #[serde(default)]
    pub stamps: Stamps,
    /// How far its clock is ahead of the true time (negative: behind).
    #[serde(default)]
    pub skew: Span,
    /// Where that is from.
    pub source: String,
    /// Its neighbours.
    #[serde(rename = "peer")]
    pub peers: Vec<Spanned<PeerText>>,
}

/// A peer of a collector.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PeerText {
    /// Its AS.
    pub asn: u32,
    /// Its address in the session.
    pub address: String,
    /// What it gives.
    #[serde(default)]
    pub feed: Feed,
    /// Of a partial feed: the share of all networks that it gives (0 to 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Of a partial feed: countries whose networks it gives whatever the share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carries: Vec<String>,
    /// Which families it gives.
    #[serde(default = "both_families")]
    pub families: Vec<FamilyText>,
    /// Whether the session has ADD-PATH: then two paths are given where there are two.
    #[serde(default)]
    pub add_path: bool,
    /// The country it stands in: it keeps that country's networks when the world loses them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

fn both_families() -> Vec<FamilyText> {
    vec![FamilyText::Ipv4, FamilyText::Ipv6]
}

/// How an archive names its files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `bview.YYYYMMDD.HHMM`.
    Ris,
    /// `rib.YYYYMMDD.HHMM`.
    Routeviews,
}

/// How files are packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip.
    Gz,
    /// bzip2.
    Bz2,
    /// Not.
    None,
}

/// What a collector's stamps carry.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stamps {
    /// Whole seconds (BGP4MP).
    #[default]
    Seconds,
    /// Microseconds (BGP4MP_ET).
    Micros,
}

/// What a peer gives.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// Every network.
    #[default]
    Full,
    /// Some.
    Partial,
}

/// An address family.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FamilyText {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

/// A country.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CountryText {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    /// Whether background noise touches its networks.
    #[serde(default = "yes")]
    pub churn: bool,
    /// Networks named one by one.
    #[serde(default, rename = "network", skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Spanned<NetworkText>>,
    /// Networks cut out of allocations.
    #[serde(default, rename = "plan", skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Spanned<PlanText>>,
}

fn yes() -> bool {
    true
}

/// Networks named one by one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkText {
    /// Them.
    pub prefixes: Vec<String>,
    /// Who originates them.
    pub origin: u32,
    /// The ASes before the origin on the way out, nearest first; by default the origin's upstreams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub via: Vec<u32>,
    /// Whether they are announced from the begin.
    #[serde(default = "yes")]
    pub announced: bool,
    /// Where that is from.
    pub source: String,
}

/// Networks cut evenly out of allocations.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlanText {
    /// The allocations (all of one family).
    pub within: Vec<String>,
    /// How many networks.
    pub networks: usize,
    /// Who originates them: each takes an equal run.
    pub origins: Vec<u32>,
    /// Where that is from.
    pub source: String,
}

/// Something that happens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventText {
    /// When it begins.
    pub at: Moment,
    /// What.
    pub what: WhatText,
    /// How exactly the time is known (`1s`, `10m`).
    pub precision: Span,
    /// Whether time or extent is not published but chosen here.
    #[serde(default)]
    pub invented: bool,
    /// Who says so, or why it was chosen so.
    pub source: String,
}

/// Which networks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// All of a country.
    Country(String),
    /// All of an origin AS.
    Origin(u32),
    /// All of these origin ASes.
    Origins(Vec<u32>),
    /// These.
    Prefixes(Vec<String>),
}

/// Networks change their state at all peers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Which.
    pub networks: Target,
    /// The first peer sees it at once, the last after this.
    #[serde(default)]
    pub spread: Span,
    /// The networks go one after the other over this time, then each spreads.
    #[serde(default)]
    pub stagger: Span,
    /// So many of them stay as they are.
    #[serde(default)]
    pub leave: usize,
}

/// Repeated short losses.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FlapsText {
    /// Which.
    pub networks: Target,
    /// From the first fall to the last return at most.
    pub lasts: Span,
    /// From fall to fall at the begin.
    pub first_interval: Span,
    /// From fall to fall at the end; in between it changes geometrically.
    pub last_interval: Span,
    /// Shortest time down.
    pub down_min: Span,
    /// Longest time down.
    pub down_max: Span,
    /// First to last peer, at each fall and return.
    #[serde(default)]
    pub spread: Span,
}

/// Another way out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RerouteText {
    /// Which.
    pub networks: Target,
    /// The ASes before the origin, nearest first; empty: the origin's own upstreams again.
    pub via: Vec<u32>,
    /// First to last peer.
    #[serde(default)]
    pub spread: Span,
}

/// Something befalls a session.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionText {
    /// The collector's name.
    pub collector: String,
    /// The AS whose sessions there are meant.
    pub peer: u32,
    /// How long.
    pub lasts: Span,
}

/// Something befalls a collector.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CollectorEventText {
    /// The collector's name.
    pub collector: String,
    /// How long.
    pub lasts: Span,
}

/// A peer keeps routes that the world has lost.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StuckText {
    /// Which.
    pub networks: Target,
    /// The collector's name.
    pub collector: String,
    /// The AS whose sessions there are meant.
    pub peer: u32,
    /// How long.
    pub lasts: Span,
}

/// A foreign origin announces the networks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HijackText {
    /// Which.
    pub networks: Target,
    /// By whom.
    pub origin: u32,
    /// The share of the peers that believe it (0 to 1).
    pub share: f64,
    /// First to last of them.
    #[serde(default)]
    pub spread: Span,
    /// How long.
    pub lasts: Span,
}

/// A peer gives what it should not: a default route, more-specifics.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LeakText {
    /// The collector's name.
    pub collector: String,
    /// The AS whose sessions there are meant.
    pub peer: u32,
    /// What it leaks.
    pub prefixes: Vec<String>,
    /// As whose.
    pub origin: u32,
    /// How long.
    pub lasts: Span,
}

/// What happens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhatText {
    /// Networks are lost.
    Withdraw(Change),
    /// Networks come (back).
    Announce(Change),
    /// Networks go and come, again and again.
    Flaps(FlapsText),
    /// Networks move to another upstream.
    Reroute(RerouteText),
    /// A session goes down, and comes back with a transfer of its table.
    SessionLoss(SessionText),
    /// The files of a collector that touch the interval are missing; its sessions stand.
    CollectorGap(CollectorEventText),
    /// A collector dies: no files, and every session anew afterwards.
    CollectorOutage(CollectorEventText),
    /// A collector records nothing, then every peer sends its table anew; nothing says why.
    SilentRestart(CollectorEventText),
    /// A peer keeps a stale route.
    Stuck(StuckText),
    /// A foreign origin.
    Hijack(HijackText),
    /// A leak.
    Leak(LeakText),
}
