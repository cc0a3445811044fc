//! From episodes of loss to the incidents that a good inference should report, and to `truth.json`.

use super::plan::Scenario;
use super::truth::Blindness;
use gonedark_infer::entity::CountryCode;
use gonedark_infer::report::Level;
use gonedark_route::{Asn, Prefix, Time};
use serde::{Serialize, Serializer};

/// A loss shorter than this is a flap.
const FLAP: i64 = 900_000_000;
/// Losses at most this far apart belong together.
const TOGETHER: i64 = 7_200_000_000;

/// First and last moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Interval {
    /// The first.
    #[serde(serialize_with = "text")]
    pub earliest: Time,
    /// The last.
    #[serde(serialize_with = "text")]
    pub latest: Time,
}

impl Interval {
    pub(crate) fn of(times: impl Iterator<Item = Time>) -> Option<Self> {
        times.fold(None, |sum, time| {
            let Interval { earliest, latest } = sum.unwrap_or(Interval { earliest: time, latest: time });
            Some(Interval { earliest: earliest.min(time), latest: latest.max(time) })
        })
    }
}

fn text<S: Serializer, T: ToString>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn option_text<S: Serializer, T: ToString>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_str(&value.to_string()),
        None => serializer.serialize_none(),
    }
}

fn level_name<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(level.name())
}

fn numbers<S: Serializer>(asns: &[Asn], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(asns.iter().map(|asn| asn.0))
}

/// What really happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Truth {
    /// The scenario's name.
    pub scenario: String,
    /// What it is and is not.
    pub notice: String,
    /// Begin of the window.
    #[serde(serialize_with = "text")]
    pub from: Time,
    /// End of the window.
    #[serde(serialize_with = "text")]
    pub until: Time,
    /// By country, then begin.
    pub incidents: Vec<TrueIncident>,
    /// Who could not see, when.
    pub blind: Vec<TrueBlindness>,
}

impl Truth {
    /// As JSON, for people and comparisons.
    ///
    /// # Errors
    /// None that is known: every part can be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }
}

/// An incident that should be reported. Times are true times, to the microsecond.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TrueIncident {
    /// Which country.
    #[serde(serialize_with = "text")]
    pub country: CountryCode,
    /// The worst level.
    #[serde(serialize_with = "level_name")]
    pub level: Level,
    /// Begin of its first flap or loss, by vote.
    #[serde(serialize_with = "text")]
    pub from: Time,
    /// When the first and the last AS had lost the last of its networks, in the descent to the worst level.
    pub onset: Option<Interval>,
    /// The first and the last loss of any network by any AS, in the same descent.
    pub descent: Option<Interval>,
    /// When the first and the last AS had the last of its networks again; none where it lasts.
    pub recovery: Option<Interval>,
    /// The first and the last return of any network by any AS.
    pub ascent: Option<Interval>,
    /// Falls and returns under 15 minutes, by vote.
    pub flaps: Vec<TrueFlap>,
    /// Per family, IPv4 first.
    pub families: [TrueFamily; 2],
    /// What was lost in the main loss.
    pub networks: Vec<TrueNetwork>,
    /// The voting ASes.
    #[serde(serialize_with = "numbers")]
    pub asns: Vec<Asn>,
    /// Those of them that lost something in the main loss.
    #[serde(serialize_with = "numbers")]
    pub agreeing: Vec<Asn>,
}

/// A fall and return.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct TrueFlap {
    /// The fall, by vote.
    #[serde(serialize_with = "text")]
    pub from: Time,
    /// The return, by vote.
    #[serde(serialize_with = "text")]
    pub until: Time,
}

/// Counts of one family: what there was, and the most that was lost at once.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct TrueFamily {
    /// Networks.
    pub networks: u64,
    /// Of them lost.
    pub lost: u64,
    /// /24s or /48s.
    pub addresses: u64,
    /// Of them lost.
    pub lost_addresses: u64,
}

/// A network that was lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TrueNetwork {
    /// Which.
    #[serde(serialize_with = "text")]
    pub prefix: Prefix,
    /// Whose.
    #[serde(serialize_with = "text")]
    pub origin: Asn,
    /// First and last AS's loss.
    pub lost: Interval,
    /// First and last AS's return.
    pub back: Option<Interval>,
}

/// Who could not see.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct TrueBlindness {
    /// The collector.
    pub collector: String,
    /// The peer; none where the collector's files are missing.
    #[serde(serialize_with = "option_text")]
    pub peer: Option<Asn>,
    /// Begin.
    #[serde(serialize_with = "text")]
    pub from: Time,
    /// End: of the gap, or of the table transfer after the session came back.
    #[serde(serialize_with = "text")]
    pub until: Time,
}

/// A stretch at a level of at least partial.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    pub(crate) country: CountryCode,
    pub(crate) from: Time,
    pub(crate) ended: Option<Time>,
    pub(crate) level: Level,
    pub(crate) worst_at: Time,
    pub(crate) left_worst_at: Option<Time>,
    pub(crate) descent: Option<Interval>,
    pub(crate) onset: Option<Interval>,
    pub(crate) ascent: Option<Interval>,
    pub(crate) recovery: Option<Interval>,
    pub(crate) families: [TrueFamily; 2],
    pub(crate) networks: Vec<NetworkLoss>,
    pub(crate) asns: Vec<Asn>,
    pub(crate) agreeing: Vec<Asn>,
}

/// A network lost in an episode.
#[derive(Clone, Debug)]
pub(crate) struct NetworkLoss {
    pub(crate) network: usize,
    pub(crate) lost: Interval,
    pub(crate) back_vote: Option<Time>,
    pub(crate) back: Option<Interval>,
}

impl Episode {
    pub(crate) fn new(country: CountryCode, from: Time) -> Self {
        Episode {
            country,
            from,
            ended: None,
            level: Level::None,
            worst_at: from,
            left_worst_at: None,
            descent: None,
            onset: None,
            ascent: None,
            recovery: None,
            families: Default::default(),
            networks: Vec::new(),
            asns: Vec::new(),
            agreeing: Vec::new(),
        }
    }

    fn flap(&self) -> Option<TrueFlap> {
        let until = self.ended.filter(|until| *until - self.from < FLAP)?;
        Some(TrueFlap { from: self.from, until })
    }
}

/// Joins the episodes of one country into incidents: at most 2 h apart, and with three flaps among them or two before
/// a longer loss, they are one.
pub(crate) fn compose(episodes: Vec<Episode>, scenario: &Scenario) -> Vec<TrueIncident> {
    let mut chains: Vec<Vec<Episode>> = Vec::new();
    for episode in episodes {
        let near = |last: &Episode| last.ended.is_some_and(|ended| episode.from - ended <= TOGETHER);
        match chains.last_mut() {
            Some(chain) if chain.last().is_some_and(near) => chain.push(episode),
            _ => chains.push(vec![episode]),
        }
    }
    let mut incidents = Vec::new();
    for chain in chains {
        let flaps = chain.iter().filter(|episode| episode.flap().is_some()).count();
        let before = chain.iter().take_while(|episode| episode.flap().is_some()).count();
        if flaps >= 3 || (before >= 2 && before < chain.len()) {
            incidents.push(incident(&chain, scenario));
        } else {
            incidents.extend(chain.iter().map(|episode| incident(std::slice::from_ref(episode), scenario)));
        }
    }
    incidents
}

fn incident(chain: &[Episode], scenario: &Scenario) -> TrueIncident {
    // The main loss: the longest of the worst level.
    let length = |episode: &Episode| episode.ended.unwrap_or(Time::MAX) - episode.from;
    let longer =
        |main: &&Episode, other: &&Episode| (main.level, length(main)).cmp(&(other.level, length(other)));
    let main = chain.iter().max_by(longer).unwrap_or(&chain[0]);
    let network = |loss: &NetworkLoss| {
        let described = &scenario.networks[loss.network];
        TrueNetwork { prefix: described.prefix, origin: described.origin, lost: loss.lost, back: loss.back }
    };
    let mut networks: Vec<TrueNetwork> = main.networks.iter().map(network).collect();
    networks.sort_by_key(|network| (network.prefix, network.lost.earliest));
    TrueIncident {
        country: main.country,
        level: main.level,
        from: chain[0].from,
        onset: main.onset,
        descent: main.descent,
        recovery: main.recovery,
        ascent: main.ascent,
        flaps: chain.iter().filter_map(Episode::flap).collect(),
        families: main.families,
        networks,
        asns: main.asns.clone(),
        agreeing: main.agreeing.clone(),
    }
}

pub(crate) fn blind_of(scenario: &Scenario, sessions: &[Blindness]) -> Vec<TrueBlindness> {
    let files = scenario.collectors.iter().flat_map(|collector| {
        let gap = |(from, until): &(Time, Time)| TrueBlindness {
            collector: collector.name.clone(),
            peer: None,
            from: *from + -collector.skew,
            until: *until + -collector.skew,
        };
        collector.missing.iter().map(gap)
    });
    let sessions = sessions.iter().map(|blindness| {
        let peer = &scenario.peers[blindness.peer];
        TrueBlindness {
            collector: scenario.collectors[peer.collector].name.clone(),
            peer: Some(peer.asn),
            from: blindness.from,
            until: blindness.until,
        }
    });
    let mut blind: Vec<TrueBlindness> = files.chain(sessions).collect();
    blind.sort_unstable();
    blind
}
