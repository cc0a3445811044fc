//! The course of events: from the text's words to networks, peers and microseconds.

use super::check::{country_code, prefix, push, sourced, via};
use super::error::{Place, ScenarioError};
use super::plan::{Collector, Event, Flaps, Network, Scenario, What};
use super::text::{Change, EventText, FlapsText, HijackText, LeakText, Target, WhatText};
use super::values::Span;
use gonedark_route::{Asn, Prefix, Time};

type Checked<T> = Result<T, ScenarioError>;

/// Losses farther apart than this are no one unstable phase (METHOD.md, `unstable_gap`: 2 h).
const WIDEST_INTERVAL: i64 = 7_200_000_000;

/// Resolves one event; leaks add their networks, and gaps their missing files.
pub(crate) fn resolve(scenario: &mut Scenario, text: &EventText, place: Place<'_>) -> Checked<Event> {
    sourced(&text.source, place)?;
    let at = text.at.0;
    if at < scenario.from || at >= scenario.until {
        return Err(place.error(format!("{at} is outside the window"), "move it, or `from` and `until`"));
    }
    let what = what(scenario, at, &text.what, place)?;
    Ok(Event { at, what })
}

fn what(scenario: &mut Scenario, at: Time, text: &WhatText, place: Place<'_>) -> Checked<What> {
    Ok(match text {
        WhatText::Withdraw(change) => {
            let (networks, spread, stagger) = changed(scenario, change, place)?;
            What::Lose { networks, spread, stagger }
        }
        WhatText::Announce(change) => {
            let (networks, spread, stagger) = changed(scenario, change, place)?;
            What::Gain { networks, spread, stagger }
        }
        WhatText::Flaps(flaps) => What::Flaps(series(scenario, flaps, place)?),
        WhatText::Reroute(text) => What::Reroute {
            networks: target(scenario, &text.networks, place)?,
            via: via(scenario, &text.via, place)?,
            spread: not_negative(text.spread, place)?,
        },
        WhatText::SessionLoss(text) => What::SessionLoss {
            peers: sessions(scenario, &text.collector, text.peer, place)?,
            lasts: positive(text.lasts, place)?,
        },
        WhatText::CollectorGap(text) => {
            let lasts = positive(text.lasts, place)?;
            let collector = collector(scenario, &text.collector, place)?;
            let collector = &mut scenario.collectors[collector];
            let missing = files_touched(collector, at, at + lasts);
            collector.missing.push(missing);
            What::CollectorGap
        }
        WhatText::CollectorOutage(text) => {
            let lasts = positive(text.lasts, place)?;
            let index = collector(scenario, &text.collector, place)?;
            let collector = &mut scenario.collectors[index];
            let (from, until) = files_within(collector, at, at + lasts);
            collector.missing.extend((from < until).then_some((from, until)));
            What::CollectorOutage { collector: index, lasts }
        }
        WhatText::SilentRestart(text) => What::SilentRestart {
            collector: collector(scenario, &text.collector, place)?,
            lasts: positive(text.lasts, place)?,
        },
        WhatText::Stuck(text) => What::Stuck {
            peers: sessions(scenario, &text.collector, text.peer, place)?,
            networks: target(scenario, &text.networks, place)?,
            lasts: positive(text.lasts, place)?,
        },
        WhatText::Hijack(text) => hijack(scenario, text, place)?,
        WhatText::Leak(text) => leak(scenario, text, place)?,
    })
}

fn not_negative(span: Span, place: Place<'_>) -> Checked<i64> {
    if span.0 < 0 {
        Err(place.error("a duration is negative", "write one of 0s or more"))
    } else {
        Ok(span.0)
    }
}

fn positive(span: Span, place: Place<'_>) -> Checked<i64> {
    if span.0 <= 0 {
        Err(place.error("a duration is not positive", "write one of 1s or more"))
    } else {
        Ok(span.0)
    }
}

fn changed(scenario: &Scenario, text: &Change, place: Place<'_>) -> Checked<(Vec<u32>, i64, i64)> {
    let all = target(scenario, &text.networks, place)?;
    let total = all.len();
    if text.leave >= total {
        return Err(place.error(format!("`leave` keeps all {total} networks"), "leave fewer"));
    }
    // The ones that stay are spread evenly over the target.
    let stays = |index: usize| index * text.leave / total != (index + 1) * text.leave / total;
    let networks =
        all.into_iter().enumerate().filter(|(index, _)| !stays(*index)).map(|(_, it)| it).collect();
    Ok((networks, not_negative(text.spread, place)?, not_negative(text.stagger, place)?))
}

fn series(scenario: &Scenario, text: &FlapsText, place: Place<'_>) -> Checked<Flaps> {
    let flaps = Flaps {
        networks: target(scenario, &text.networks, place)?,
        lasts: positive(text.lasts, place)?,
        first_interval: positive(text.first_interval, place)?,
        last_interval: positive(text.last_interval, place)?,
        down: (positive(text.down_min, place)?, positive(text.down_max, place)?),
        spread: not_negative(text.spread, place)?,
    };
    let widest = flaps.first_interval.max(flaps.last_interval);
    let tightest = flaps.first_interval.min(flaps.last_interval);
    if flaps.down.0 > flaps.down.1 || flaps.spread >= flaps.down.0 {
        return Err(place.error("the flaps need spread < down_min <= down_max", "change one of them"));
    }
    // The interval is varied by a tenth.
    if tightest / 10 * 9 <= flaps.down.1 + flaps.spread {
        return Err(place.error("the flaps overlap", "make the intervals longer or `down_max` shorter"));
    }
    if widest / 10 * 11 > WIDEST_INTERVAL {
        let what = "the flaps are over 2 h apart and make no one unstable phase";
        return Err(place.error(what, "keep the intervals under 1h49m, or write several events"));
    }
    Ok(flaps)
}

fn hijack(scenario: &Scenario, text: &HijackText, place: Place<'_>) -> Checked<What> {
    if !(0.0..=1.0).contains(&text.share) {
        return Err(place.error("`share` is not between 0 and 1", "choose one within"));
    }
    Ok(What::Hijack {
        networks: target(scenario, &text.networks, place)?,
        origin: Asn(text.origin),
        share: text.share,
        spread: not_negative(text.spread, place)?,
        lasts: positive(text.lasts, place)?,
    })
}

fn leak(scenario: &mut Scenario, text: &LeakText, place: Place<'_>) -> Checked<What> {
    let peers = sessions(scenario, &text.collector, text.peer, place)?;
    let mut networks = Vec::new();
    for text_prefix in &text.prefixes {
        let prefix = prefix(text_prefix, place)?;
        // Two peers may leak the same.
        let known = |network: &Network| network.prefix == prefix && network.country.is_none();
        let found = scenario.networks.iter().position(known);
        networks.push(match found {
            Some(index) => index as u32,
            None => push(scenario, prefix, text.origin, (None, false), 0),
        });
    }
    Ok(What::Leak { peers, networks, lasts: positive(text.lasts, place)? })
}

type Wanted = Box<dyn Fn(&Network) -> bool>;

fn by_origin(asns: Vec<u32>) -> Wanted {
    Box::new(move |network| network.country.is_some() && asns.contains(&network.origin.0))
}

/// The networks that are meant.
fn target(scenario: &Scenario, text: &Target, place: Place<'_>) -> Checked<Vec<u32>> {
    let country = |code: &String| country_code(code, place);
    let wanted: Wanted = match text {
        Target::Country(code) => {
            let code = country(code)?;
            Box::new(move |network| network.country == Some(code))
        }
        Target::Origin(asn) => by_origin(vec![*asn]),
        Target::Origins(asns) => by_origin(asns.clone()),
        Target::Prefixes(texts) => {
            let prefixes: Vec<Prefix> =
                texts.iter().map(|text| prefix(text, place)).collect::<Checked<_>>()?;
            let missing =
                |prefix: &&Prefix| !scenario.networks.iter().any(|network| network.prefix == **prefix);
            if let Some(missing) = prefixes.iter().find(missing) {
                let what = format!("{missing} is no network of the scenario");
                return Err(place.error(what, "add it to a [[country.network]]"));
            }
            Box::new(move |network| prefixes.contains(&network.prefix))
        }
    };
    let networks = scenario.networks.iter().enumerate().filter(|(_, network)| wanted(network));
    let networks: Vec<u32> = networks.map(|(index, _)| index as u32).collect();
    if networks.is_empty() {
        let what = format!("no network of the scenario is meant by {text:?}");
        return Err(place.error(what, "add a [[country]] with such networks"));
    }
    Ok(networks)
}

fn collector(scenario: &Scenario, name: &str, place: Place<'_>) -> Checked<usize> {
    scenario.collectors.iter().position(|collector| collector.name == name).ok_or_else(|| {
        let known: Vec<&str> = scenario.collectors.iter().map(|collector| collector.name.as_str()).collect();
        place.error(format!("no collector is named {name}"), format!("choose one of {}", known.join(", ")))
    })
}

fn sessions(scenario: &Scenario, name: &str, asn: u32, place: Place<'_>) -> Checked<Vec<u32>> {
    let peers = scenario.collectors[collector(scenario, name, place)?].peers.clone();
    let meant: Vec<u32> =
        peers.filter(|peer| scenario.peers[*peer].asn == Asn(asn)).map(|peer| peer as u32).collect();
    if meant.is_empty() {
        return Err(place.error(format!("{name} has no peer AS{asn}"), "add a [[collector.peer]]"));
    }
    Ok(meant)
}

fn floor(collector: &Collector, at: Time) -> Time {
    Time::from_micros(at.micros() - at.micros().rem_euclid(collector.updates_every))
}

/// From the begin of the first file that the interval touches to the end of the last.
fn files_touched(collector: &Collector, from: Time, until: Time) -> (Time, Time) {
    (
        floor(collector, from + collector.skew),
        floor(collector, until + (collector.skew - 1)) + collector.updates_every,
    )
}

/// From the begin of the first file that lies wholly in the interval to the end of the last.
fn files_within(collector: &Collector, from: Time, until: Time) -> (Time, Time) {
    let first = floor(collector, from + (collector.skew - 1)) + collector.updates_every;
    (first, floor(collector, until + collector.skew))
}
