//! From the text's words to a checked plan: names become indices, and what cannot be is refused with a remedy.

use super::address_plan::{cut, longest};
use super::error::{Place, ScenarioError};
use super::plan::{Collector, Event, Network, Peer, Scenario};
use super::prng::SplitMix64;
use super::text::{
    CollectorText, Compression, CountryText, Document, FamilyText, Feed, Layout, NetworkText, PeerText,
    PlanText, Stamps,
};
use super::topology::Topology;
use super::{course, telemetry, values::Span};
use gonedark_infer::entity::CountryCode;
use gonedark_route::{Asn, Family, Prefix, Time};
use std::collections::{BTreeMap, HashMap};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// The longest window that a scenario may have, in days (guess: what nobody needs costs disk).
const LONGEST_DAYS: i64 = 366;
/// Most cells (peer x network); at 16 bytes each this bounds memory at about 1 GiB (guess).
const MOST_CELLS: usize = 64_000_000;
/// A partial feed above this share would count as a full one (0.75 by the definition of a full feed, less a margin).
const LARGEST_PARTIAL: f64 = 0.6;

pub(crate) type Checked<T> = Result<T, ScenarioError>;

/// Checks a document; `text` is what it was read from, or empty.
pub(crate) fn check(document: Document, text: &str, name: &str) -> Checked<Scenario> {
    let place = Place::whole(name, text);
    let (from, until) = window(&document, place)?;
    let topology = topology(&document, place)?;
    let mut scenario = Scenario {
        name: name.to_owned(),
        title: document.title.clone(),
        notice: document.notice.clone(),
        seed: document.seed,
        from,
        until,
        collectors: Vec::new(),
        peers: Vec::new(),
        networks: Vec::new(),
        vias: vec![Vec::new()],
        topology,
        background: document.background.clone(),
        events: Vec::new(),
        exporters: Vec::new(),
        attacks: Vec::new(),
        document,
    };
    let document = scenario.document.clone();
    rates(&document, place)?;
    for collector in &document.collectors {
        let at = place.at(collector.span());
        add_collector(&mut scenario, collector.get_ref(), at)?;
    }
    for country in &document.countries {
        add_country(&mut scenario, country.get_ref(), place.at(country.span()))?;
    }
    if scenario.collectors.is_empty() || scenario.networks.is_empty() {
        return Err(
            place.error("nobody watches or nothing is announced", "add a [[collector]] and a [[country]]")
        );
    }
    for event in &document.events {
        let resolved: Event = course::resolve(&mut scenario, event.get_ref(), place.at(event.span()))?;
        scenario.events.push(resolved);
    }
    telemetry::check(&mut scenario, &document, place)?;
    unique(&scenario, place)?;
    if scenario.peers.len().saturating_mul(scenario.networks.len()) > MOST_CELLS {
        return Err(place.error("peers x networks is over 64 million", "take fewer networks or peers"));
    }
    covers(&mut scenario);
    for collector in &mut scenario.collectors {
        merge(&mut collector.missing, until);
    }
    Ok(scenario)
}

fn window(document: &Document, place: Place<'_>) -> Checked<(Time, Time)> {
    let (from, until) = (document.from.0, document.until.0);
    if until - from <= 0 || until - from > LONGEST_DAYS * DAY {
        return Err(
            place.error("`until` is not after `from`, or over 366 days later", "choose a window within")
        );
    }
    if from.micros().rem_euclid(3_600_000_000) != 0 || from.seconds() < 0 || until.seconds() > u32::MAX.into()
    {
        return Err(
            place.error("`from` is no full hour between 1970 and 2106", "begin at one, 2014-12-19T00:00:00Z")
        );
    }
    Ok((from, until))
}

fn rates(document: &Document, place: Place<'_>) -> Checked<()> {
    let noise = &document.background;
    let rates = [
        noise.path_changes_per_hour,
        noise.peer_flaps_per_hour,
        noise.network_flaps_per_hour,
        noise.session_resets_per_day,
    ];
    if rates.iter().any(|rate| !(0.0..=1e6).contains(rate)) {
        return Err(place.error("a rate in [background] is negative or over a million", "choose one within"));
    }
    sourced(&document.topology.source, place)?;
    if rates.iter().any(|rate| *rate > 0.0) { sourced(&noise.source, place) } else { Ok(()) }
}

/// Each line says where it is from.
pub(crate) fn sourced(source: &str, place: Place<'_>) -> Checked<()> {
    if source.trim().is_empty() {
        let remedy = "name who published it, or say that it is invented and why";
        return Err(place.error("`source` is missing or empty", remedy));
    }
    Ok(())
}

fn topology(document: &Document, place: Place<'_>) -> Checked<Topology> {
    let backbone: Vec<Asn> = document.topology.backbone.iter().copied().map(Asn).collect();
    if backbone.is_empty() {
        return Err(place.error("[topology] has no backbone", "name one AS without upstreams at least"));
    }
    let mut upstreams = BTreeMap::new();
    for text in &document.ases {
        let at = place.at(text.span());
        let text = text.get_ref();
        sourced(&text.source, at)?;
        let ups = text.upstreams.iter().copied().map(Asn).collect();
        if upstreams.insert(Asn(text.asn), ups).is_some() {
            return Err(at.error(format!("AS{} is described twice", text.asn), "keep one [[as]]"));
        }
    }
    let topology = Topology::new(document.seed, backbone, upstreams);
    match topology.cycle() {
        Some(asn) => Err(place.error(format!("{asn} is its own upstream"), "break the ring in [[as]]")),
        None => Ok(topology),
    }
}

fn add_collector(scenario: &mut Scenario, text: &CollectorText, place: Place<'_>) -> Checked<()> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.name.is_empty() || text.name.starts_with('.') || !text.name.chars().all(safe) {
        let what = format!("collector name `{}` is no folder name", text.name);
        return Err(place.error(what, "use letters, digits, - and _"));
    }
    if scenario.collectors.iter().any(|other| other.name == text.name) {
        return Err(place.error(format!("two collectors are named {}", text.name), "rename one"));
    }
    sourced(&text.source, place)?;
    let minute = Span::seconds(60).0;
    for rhythm in std::iter::once(text.updates_every).chain(text.tables_every) {
        if rhythm.0 < minute || rhythm.0 % minute != 0 || DAY % rhythm.0 != 0 {
            let what = "a rhythm is no whole number of minutes that divides a day";
            return Err(place.error(what, "choose 5m, 15m, 1h, 8h or 24h"));
        }
    }
    if text.skew.0.abs() > Span::seconds(3_600).0 {
        return Err(place.error("`skew` is over an hour", "choose a smaller one"));
    }
    let first = scenario.peers.len();
    for peer in &text.peers {
        let at = place.at(peer.span());
        let peer = add_peer(scenario.collectors.len(), peer.get_ref(), at)?;
        if scenario.peers[first..].iter().any(|other| other.address == peer.address) {
            return Err(at.error(format!("two peers have the address {}", peer.address), "change one"));
        }
        scenario.peers.push(peer);
    }
    let by_archive = if text.layout == Layout::Ris { Compression::Gz } else { Compression::Bz2 };
    scenario.collectors.push(Collector {
        name: text.name.clone(),
        layout: text.layout,
        compression: text.compression.unwrap_or(by_archive),
        updates_every: text.updates_every.0,
        tables_every: text.tables_every.map(|every| every.0),
        micros: text.stamps == Stamps::Micros,
        skew: text.skew.0,
        peers: first..scenario.peers.len(),
        missing: Vec::new(),
    });
    Ok(())
}

fn add_peer(collector: usize, text: &PeerText, place: Place<'_>) -> Checked<Peer> {
    let address = text.address.parse().map_err(|_| {
        place.error(format!("`{}` is no IP address", text.address), "write it as 193.0.0.56 or 2001:db8::1")
    })?;
    let full = text.feed == Feed::Full;
    let share = text.share.unwrap_or(0.0);
    if full && (text.share.is_some() || !text.carries.is_empty()) {
        let what = "`share` and `carries` have no meaning for a full feed";
        return Err(place.error(what, "remove them, or say feed = \"partial\""));
    }
    if !(0.0..=LARGEST_PARTIAL).contains(&share) {
        let what = "`share` is not between 0 and 0.6: a larger part counts as a full feed";
        return Err(place.error(what, "choose a smaller share"));
    }
    let families = [FamilyText::Ipv4, FamilyText::Ipv6].map(|family| text.families.contains(&family));
    let country = text.country.as_deref().map(|code| country_code(code, place)).transpose()?;
    let carries = text.carries.iter().map(|code| country_code(code, place)).collect::<Checked<_>>()?;
    let add_path = text.add_path;
    Ok(Peer { collector, asn: Asn(text.asn), address, full, families, add_path, country, share, carries })
}

pub(crate) fn country_code(text: &str, place: Place<'_>) -> Checked<CountryCode> {
    CountryCode::new(text)
        .ok_or_else(|| place.error(format!("`{text}` is no country code"), "use two letters, KP"))
}

pub(crate) fn prefix(text: &str, place: Place<'_>) -> Checked<Prefix> {
    let wrong = |what: String| place.error(what, "write it as 175.45.176.0/24 or 2001:db8::/32");
    let prefix: Prefix = text.parse().map_err(|error| wrong(format!("`{text}`: {error}")))?;
    let address = text.split('/').next().and_then(|address| address.parse().ok());
    if address != Some(prefix.address()) {
        return Err(wrong(format!("`{text}` has bits behind its length, {prefix} is meant")));
    }
    Ok(prefix)
}

fn add_country(scenario: &mut Scenario, text: &CountryText, place: Place<'_>) -> Checked<()> {
    let code = country_code(&text.code, place)?;
    for network in &text.networks {
        add_networks(scenario, network.get_ref(), (code, text.churn), place.at(network.span()))?;
    }
    for plan in &text.plans {
        add_plan(scenario, plan.get_ref(), (code, text.churn), place.at(plan.span()))?;
    }
    Ok(())
}

type Owner = (CountryCode, bool);

fn add_networks(scenario: &mut Scenario, text: &NetworkText, owner: Owner, place: Place<'_>) -> Checked<()> {
    sourced(&text.source, place)?;
    let via = via(scenario, &text.via, place)?;
    for network in &text.prefixes {
        let prefix = prefix(network, place)?;
        push(scenario, prefix, text.origin, (Some(owner.0), owner.1), via);
        if let Some(last) = scenario.networks.last_mut() {
            last.announced = text.announced;
        }
    }
    Ok(())
}

fn add_plan(scenario: &mut Scenario, text: &PlanText, owner: Owner, place: Place<'_>) -> Checked<()> {
    sourced(&text.source, place)?;
    let within: Vec<Prefix> = text.within.iter().map(|text| prefix(text, place)).collect::<Checked<_>>()?;
    let one_family = within.windows(2).all(|pair| pair[0].family() == pair[1].family());
    if text.origins.is_empty() || text.networks == 0 || within.is_empty() || !one_family {
        let what = "a plan needs networks, origins and allocations of one family";
        return Err(place.error(what, "give each, and IPv6 a plan of its own"));
    }
    let mut numbers = SplitMix64::stream(scenario.seed, &[scenario.networks.len() as u64]);
    let networks = cut(&within, text.networks, &mut numbers).ok_or_else(|| {
        place
            .error(format!("{} networks do not fit within", text.networks), "take fewer, or more allocations")
    })?;
    for (index, network) in networks.into_iter().enumerate() {
        let origin = text.origins[index * text.origins.len() / text.networks];
        push(scenario, network, origin, (Some(owner.0), owner.1), 0);
    }
    Ok(())
}

/// The index of a way out, 0 for the origin's own.
pub(crate) fn via(scenario: &mut Scenario, text: &[u32], place: Place<'_>) -> Checked<u16> {
    let via: Vec<Asn> = text.iter().copied().map(Asn).collect();
    let found = scenario.vias.iter().position(|other| *other == via).unwrap_or_else(|| {
        scenario.vias.push(via);
        scenario.vias.len() - 1
    });
    u16::try_from(found).map_err(|_| place.error("over 65,535 different `via`", "take fewer"))
}

/// Adds a network and gives its index.
pub(crate) fn push(
    scenario: &mut Scenario,
    prefix: Prefix,
    origin: u32,
    (country, churn): (Option<CountryCode>, bool),
    via: u16,
) -> u32 {
    let network = Network {
        prefix,
        origin: Asn(origin),
        country,
        announced: country.is_some(),
        churn,
        via,
        cover: None,
        exclusive: 0,
    };
    scenario.networks.push(network);
    (scenario.networks.len() - 1) as u32
}

fn unique(scenario: &Scenario, place: Place<'_>) -> Checked<()> {
    let mut seen = HashMap::new();
    for network in &scenario.networks {
        if seen.insert(network.prefix, ()).is_some() {
            let what = format!("{} is announced twice", network.prefix);
            return Err(place.error(what, "take it out of one network, plan or leak"));
        }
    }
    Ok(())
}

/// Finds who covers whom within a country, and what address space is each network's alone.
fn covers(scenario: &mut Scenario) {
    let mut order: Vec<u32> = (0..scenario.networks.len() as u32).collect();
    order.sort_by_key(|index| scenario.networks[*index as usize].prefix);
    let mut open: Vec<u32> = Vec::new();
    for index in order {
        let (prefix, country) = {
            let network = &scenario.networks[index as usize];
            (network.prefix, network.country)
        };
        open.retain(|outer| scenario.networks[*outer as usize].prefix.covers(prefix));
        let covering = |outer: &&u32| scenario.networks[**outer as usize].country == country;
        let cover = if country.is_some() { open.iter().rev().find(covering).copied() } else { None };
        let size = 1_u64 << longest(prefix).saturating_sub(prefix.length()).min(63);
        scenario.networks[index as usize].cover = cover;
        scenario.networks[index as usize].exclusive = size;
        if let Some(outer) = cover {
            let outer = &mut scenario.networks[outer as usize];
            outer.exclusive = outer.exclusive.saturating_sub(size);
        }
        open.push(index);
    }
}

/// Sorts, joins and cuts off intervals.
fn merge(missing: &mut Vec<(Time, Time)>, until: Time) {
    missing.sort_unstable();
    let mut merged: Vec<(Time, Time)> = Vec::new();
    for (begin, end) in missing.drain(..) {
        match merged.last_mut() {
            Some(last) if begin <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((begin, end)),
        }
    }
    merged.retain_mut(|interval| {
        interval.1 = interval.1.min(until);
        interval.0 < interval.1
    });
    *missing = merged;
}

/// Whether a peer gives a network when all is well.
pub(crate) fn carries(scenario: &Scenario, peer: &Peer, index: u32) -> bool {
    let network = &scenario.networks[index as usize];
    let Some(country) = network.country else { return false };
    let family: Family = network.prefix.family();
    let by_share = || {
        let words = [u64::from(peer.asn.0), u64::from(index)];
        SplitMix64::stream(scenario.seed, &words).unit() < peer.share
    };
    peer.families[family as usize] && (peer.full || peer.carries.contains(&country) || by_share())
}
