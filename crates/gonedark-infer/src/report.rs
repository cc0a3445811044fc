//! What the inference says: plain values, no text and no format. Presenters read these and nothing else.
//!
//! A [`Time`] of whole seconds that comes from a stamp without microseconds names the second `[t, t + 1 s)`.

use crate::entity::Entity;
use gonedark_route::{Asn, Family, Prefix, Time};

/// An interval in which something happened, with both ends possible.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// It cannot have happened before.
    pub earliest: Time,
    /// It cannot have happened after.
    pub latest: Time,
}

impl Interval {
    /// A moment known exactly.
    pub const fn at(time: Time) -> Self {
        Interval { earliest: time, latest: time }
    }

    /// The smallest interval around both.
    pub fn join(self, other: Interval) -> Self {
        Interval { earliest: self.earliest.min(other.earliest), latest: self.latest.max(other.latest) }
    }
}

/// An onset or a recovery of an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Turn {
    /// First agreeing ASN's last loss (or first ASN back).
    pub earliest: Time,
    /// Last agreeing ASN's last loss (or last ASN back).
    pub latest: Time,
    /// The moment at which the vote reached the worst level (or left the last one).
    pub vote: Time,
}

/// How much of an entity is lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Level {
    /// Under the floor of `Partial`.
    None,
    /// At least 10 % of networks or addresses; below 20 networks, at least one.
    Partial,
    /// At least 50 %.
    Severe,
    /// Every network, with at most 20 % of the vote left on each.
    Dark,
}

impl Level {
    /// `none`, `partial`, `severe`, `dark`.
    pub const fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::Partial => "partial",
            Level::Severe => "severe",
            Level::Dark => "dark",
        }
    }
}

/// What a stretch of an incident was like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum PhaseState {
    /// Repeated short losses.
    Unstable,
    /// Partly lost.
    Partial,
    /// Mostly lost.
    Severe,
    /// Wholly lost.
    Dark,
    /// On the way back: something returned, not all.
    Recovering,
    /// Too few vantages could see to say.
    Unknown,
}

impl PhaseState {
    /// The name in the JSON contract.
    pub const fn name(self) -> &'static str {
        match self {
            PhaseState::Unstable => "unstable",
            PhaseState::Partial => "partial",
            PhaseState::Severe => "severe",
            PhaseState::Dark => "dark",
            PhaseState::Recovering => "recovering",
            PhaseState::Unknown => "unknown",
        }
    }
}

/// One stretch of an incident in one state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Phase {
    /// Its state.
    pub state: PhaseState,
    /// Its begin.
    pub from: Time,
    /// Its end; `None` while it lasts.
    pub until: Option<Time>,
    /// Falls and returns of the entity within it (only `Unstable` has any).
    pub flaps: u32,
}

/// One fall and return of an entity under 15 minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Flap {
    /// The fall, by vote.
    pub from: Time,
    /// The return, by vote.
    pub until: Time,
    /// The worst level within it.
    pub level: Level,
}

/// A count before the incident and the most of it that was lost.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct BeforeLost {
    /// Usually there.
    pub before: u64,
    /// Of them lost at the worst moment.
    pub lost: u64,
}

/// One family's share of an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct FamilyLoss {
    /// The worst level of this family.
    pub level: Level,
    /// Networks (prefixes).
    pub networks: BeforeLost,
    /// Addresses, in /24s for IPv4 and /48s for IPv6, counted once however many prefixes cover them.
    pub addresses: BeforeLost,
    /// Every network was lost by the vote, yet over 20 % of the vote was left on some: the world is divided.
    pub split: bool,
}

/// A network that was lost in an incident.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct NetworkLoss {
    /// The network.
    pub prefix: Prefix,
    /// Its usual origins, ascending.
    pub origin_asns: Vec<Asn>,
    /// The ASes before its origin before the loss, ascending.
    pub upstreams: Vec<Asn>,
    /// First and last agreeing ASN's loss.
    pub lost: Interval,
    /// First and last ASN back; `None` while it is lost.
    pub back: Option<Interval>,
    /// Foreign origins seen while it was lost (a hijack or a move, which is not a return), ascending.
    pub foreign_origins: Vec<Asn>,
}

/// Who saw an incident.
#[derive(Clone, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Witnesses {
    /// Full-feed ASNs that watched the entity and were not blind.
    pub asns: u32,
    /// Of them those that lost every network that they usually hold and that was lost by the vote.
    pub agreeing: u32,
    /// Those that agree, ascending.
    pub agreeing_asns: Vec<Asn>,
    /// Those that held a route to the end: stuck routes ("zombies"), ascending.
    pub stuck: Vec<Asn>,
}

/// One interval in which an entity is believed dark or impaired.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Incident {
    /// Entity and start of its first phase, fixed while it lives: `country-KP-20141221T140210Z`.
    pub id: String,
    /// What went dark.
    pub entity: Entity,
    /// Whether it has ended.
    pub ended: bool,
    /// The worst level reached by the entity as a whole.
    pub level: Level,
    /// Per family (index by `Family as usize`); `None` where the entity had no network.
    pub families: [Option<FamilyLoss>; 2],
    /// When the worst of it began.
    pub onset: Turn,
    /// When the worst of it ended.
    pub recovery: Option<Turn>,
    /// Shortest and longest possible duration in seconds, once it has recovered.
    pub duration_s: Option<(u64, u64)>,
    /// Its course, in order, without gaps or overlap.
    pub phases: Vec<Phase>,
    /// Every short fall and return before and after the main loss, in order.
    pub flaps: Vec<Flap>,
    /// The networks lost in it, ascending.
    pub networks: Vec<NetworkLoss>,
    /// Who saw it.
    pub witnesses: Witnesses,
    /// What limits the statement.
    pub notes: Vec<Note>,
}

/// The incidents of an entity from some time on: they take the place of all that were told of that time before.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Retold {
    /// Whose.
    pub entity: Entity,
    /// From when on. An incident belongs here by the begin of its first phase.
    pub since: Time,
    /// All of them, in order.
    pub incidents: Vec<Incident>,
}

/// What limits a statement; the presenter finds the words.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Note {
    /// No table of this collector was read before its updates: only what was spoken of is known.
    TableNotSeen {
        /// The collector.
        collector: String,
    },
    /// More networks were named than there is room for; those that came last were left out.
    TooManyNetworks {
        /// For how many there is room.
        room: u64,
        /// How often one was named that had none.
        refused: u64,
    },
    /// More peers were named than are told apart; what those said that came last was left out.
    TooManyPeers {
        /// How many are told apart.
        room: u64,
        /// How often one was named for which there was no room.
        refused: u64,
    },
    /// The table of this collector could not be read to its end: what it did not come to name is not known from it.
    TableCut {
        /// The collector.
        collector: String,
    },
    /// A network was withdrawn for so long that it no longer counts.
    AgedOut {
        /// The network.
        prefix: Prefix,
        /// Since when it was lost.
        lost: Time,
    },
    /// A collector's stamps run ahead (positive) of or behind the others'; intervals are widened by as much.
    ClockSkew {
        /// The collector.
        collector: String,
        /// Microseconds.
        micros: i64,
    },
    /// Records came so late that they could not be put in order, and were taken when they came.
    LateRecords {
        /// The collector.
        collector: String,
        /// How many.
        count: u64,
    },
    /// So many of those who vote may have said what nobody heard that the rest are too few: what was withdrawn then, and of
    /// which they said nothing since, counts as up.
    NotConfirmed {
        /// How many ASNs that can see; of the family with the most of them.
        asns: u64,
        /// From when on they may have said it.
        from: Time,
        /// Until when.
        until: Time,
    },
    /// The worst moment lies next to an interval in which too few could see.
    NextToBlindness,
}

/// Why somebody could not see.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum BlindReason {
    /// The collector's own rhythm says that there should be a file, and there is none.
    MissingFile,
    /// The session went down, until the end of the table transfer that followed.
    SessionDown,
    /// The peer is in no table and has been silent for an hour.
    Absent,
    /// The collector sent its tables anew without saying why: it must have restarted.
    SilentRestart,
    /// A record or a file was damaged.
    Damage,
}

impl BlindReason {
    /// The name in the JSON contract.
    pub const fn name(self) -> &'static str {
        match self {
            BlindReason::MissingFile => "missing_file",
            BlindReason::SessionDown => "session_down",
            BlindReason::Absent => "absent",
            BlindReason::SilentRestart => "silent_restart",
            BlindReason::Damage => "damage",
        }
    }
}

/// An interval in which a collector or one of its peers could not see.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub struct Blind {
    /// The collector.
    pub collector: String,
    /// The peer; `None` where the whole collector is blind.
    pub peer_asn: Option<Asn>,
    /// Begin.
    pub from: Time,
    /// End (the window's end where it lasted).
    pub until: Time,
    /// Why.
    pub reason: BlindReason,
}

/// A time in which nothing could be seen, as news tell it: once when it begins and once when it is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blindness {
    /// Who, since when, why. `until` is the time of telling while it lasts.
    pub blind: Blind,
    /// Whether it is over.
    pub over: bool,
}

/// Who could see.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Coverage {
    /// Collectors that gave anything.
    pub collectors: Vec<String>,
    /// Full-feed ASNs at the end of the window, per family.
    pub full_feed_asns: [u32; 2],
    /// Every interval of blindness, by collector, begin, peer.
    pub blind: Vec<Blind>,
}

/// What an entity is at the end of the window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum EntityState {
    /// Nothing of note is lost.
    Normal,
    /// Repeated short losses, the last within two hours.
    Unstable,
    /// Partly lost.
    Partial,
    /// Mostly lost.
    Severe,
    /// Wholly lost.
    Dark,
    /// Too few vantages to say, or no network was ever seen.
    Unknown,
}

impl EntityState {
    /// The name in the JSON contract.
    pub const fn name(self) -> &'static str {
        match self {
            EntityState::Normal => "normal",
            EntityState::Unstable => "unstable",
            EntityState::Partial => "partial",
            EntityState::Severe => "severe",
            EntityState::Dark => "dark",
            EntityState::Unknown => "unknown",
        }
    }
}

/// An entity at the end of the window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntityStatus {
    /// Which.
    pub entity: Entity,
    /// Its state.
    pub state: EntityState,
    /// Networks that count, and of them lost now; per family.
    pub networks: [BeforeLost; 2],
    /// /24s and /48s, likewise.
    pub addresses: [BeforeLost; 2],
    /// Who originates its networks, ascending.
    pub origin_asns: Vec<Asn>,
    /// The ASes next to its origins on the way out, ascending; those of the entity itself left out.
    pub upstreams: Vec<Asn>,
    /// Falls and returns in the window.
    pub flaps: u32,
}

/// A measured quantity of an entity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signal {
    /// Networks up by the vote.
    NetworksUp,
    /// Networks lost by the vote.
    NetworksLost,
    /// Addresses lost, in /24s or /48s.
    AddressesLost,
    /// Voting ASNs that could see, out of all that usually do.
    VotersSighted,
}

impl Signal {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Signal::NetworksUp => "networks_up",
            Signal::NetworksLost => "networks_lost",
            Signal::AddressesLost => "addresses_lost",
            Signal::VotersSighted => "voters_sighted",
        }
    }
}

/// A value, or why there is none. There is no zero for "unknown".
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Sample {
    /// Measured.
    Value(u64),
    /// Too few could see.
    Missing,
}

/// A signal over time as its transitions: each sample holds until the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// Of whom.
    pub entity: Entity,
    /// Of which family.
    pub family: Family,
    /// What.
    pub signal: Signal,
    /// From when on which value; times ascend strictly.
    pub points: Vec<(Time, Sample)>,
}

/// Everything that one run says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Begin and end of what was looked at.
    pub window: (Time, Time),
    /// The entities asked for, at the end of the window.
    pub entities: Vec<EntityStatus>,
    /// Who could see.
    pub coverage: Coverage,
    /// By entity, then begin.
    pub incidents: Vec<Incident>,
    /// Of the entities asked for and of those with an incident.
    pub series: Vec<Series>,
    /// What limits all of it.
    pub notes: Vec<Note>,
}
