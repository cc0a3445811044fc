//! The words for what the inference says in values: states, levels, reasons, notes. Text and page share them.

use super::course::Course;
use super::{Case, CountryTable, Damage, times};
use gonedark_infer::report::{
    BlindReason, EntityState, EntityStatus, FamilyLoss, Incident, Level, Note, PhaseState,
};
use gonedark_route::{Asn, Family, Time};

/// The line with which every report ends. After Dyn's rule of 2014: "The data themselves don't speak to motivations,
/// or distinguish human factors from physical infrastructure problems."
pub const NO_CAUSE: &str =
    "Routing alone does not tell why a network went dark or who had a hand in it; nothing here says so.";

/// A sign for a state, of its own shape, so that no state is told by colour alone.
pub const fn sign(state: PhaseState) -> char {
    match state {
        PhaseState::Unstable => '≈',
        PhaseState::Partial => '▒',
        PhaseState::Severe => '▓',
        PhaseState::Dark => '■',
        PhaseState::Recovering => '↑',
        PhaseState::Unknown => '?',
    }
}

/// The family as people write it.
pub const fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

/// What addresses of the family are counted in.
pub const fn address_unit(family: Family) -> &'static str {
    match family {
        Family::V4 => "/24s",
        Family::V6 => "/48s",
    }
}

/// `1 network`, `4 networks`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", times::grouped(number), if number == 1 { one } else { many })
}

/// The incident's families that had networks.
pub fn families(incident: &Incident) -> impl Iterator<Item = (Family, &FamilyLoss)> {
    Family::ALL
        .into_iter()
        .zip(&incident.families)
        .filter_map(|(family, loss)| Some((family, loss.as_ref()?)))
}

/// `dark`, `severe, split`, `severe, IPv6 dark`, `unstable`: the level of an incident in a table.
pub fn level(incident: &Incident) -> String {
    if incident.is_unstable_only() {
        return "unstable".to_owned();
    }
    let mut text = incident.level.name().to_owned();
    let count = families(incident).count();
    for (name, loss) in families(incident) {
        if loss.split {
            text.push_str(", split");
        } else if loss.level == Level::Dark && incident.level != Level::Dark && count > 1 {
            text.push_str(&format!(", {} dark", family(name)));
        }
    }
    text
}

/// The phase state that stands for an incident in a table: for its sign and its colour.
pub fn state(incident: &Incident) -> PhaseState {
    match incident.level {
        _ if incident.is_unstable_only() => PhaseState::Unstable,
        Level::Dark => PhaseState::Dark,
        Level::Severe => PhaseState::Severe,
        Level::Partial => PhaseState::Partial,
        Level::None => PhaseState::Unknown,
    }
}

/// An entity's state in words.
pub const fn entity_state(state: EntityState) -> &'static str {
    match state {
        EntityState::Unknown => "could not be seen",
        other => other.name(),
    }
}

/// Why somebody could not see.
pub const fn reason(reason: BlindReason) -> &'static str {
    match reason {
        BlindReason::MissingFile => "no file where there should be one",
        BlindReason::SessionDown => "session down",
        BlindReason::Absent => "absent from the table and silent",
        BlindReason::SilentRestart => "restarted without saying so",
        BlindReason::Damage => "damaged record or file",
    }
}

/// What limits a statement, as a sentence.
pub fn note(note: &Note) -> String {
    match note {
        Note::TableNotSeen { collector } => format!(
            "No table of {collector} was read before its updates: only networks that its peers spoke of are known, and \
             what was lost before the first of them was heard is not."
        ),
        Note::TooManyNetworks { room, refused } => format!(
            "There is room for {} networks; {} that came after were left out.",
            times::grouped(*room),
            counted(*refused, "mention of one", "mentions of others")
        ),
        Note::TooManyPeers { room, refused } => format!(
            "No more than {} peers are told apart; what others said, named {}, was left out.",
            times::grouped(*room),
            counted(*refused, "time", "times")
        ),
        Note::TableCut { collector } => format!(
            "The table of {collector} was cut off or damaged: networks that it did not come to name are known only from \
             what peers said of them later."
        ),
        Note::AgedOut { prefix, lost } => format!(
            "{prefix} has been withdrawn since {} UTC, so long that it no longer counts.",
            times::long_stamp(*lost)
        ),
        Note::ClockSkew { collector, micros } => format!(
            "The stamps of {collector} run {} {} the others'; intervals are wider by as much.",
            skew(micros.unsigned_abs()),
            if *micros < 0 { "behind" } else { "ahead of" }
        ),
        Note::LateRecords { collector, count } => format!(
            "{} of {collector} came too late to be put in order and {} taken when {}.",
            counted(*count, "record", "records"),
            if *count == 1 { "was" } else { "were" },
            if *count == 1 { "it came" } else { "they came" },
        ),
        Note::NotConfirmed { asns, from, until } => format!(
            "{} of the ASes that vote may have said what nobody heard between {} and {} UTC: a network that was withdrawn then counts \
             as up until they say something of it again, or a table is read that lacks it.",
            times::grouped(*asns),
            times::long_stamp(*from),
            times::long_stamp(*until)
        ),
        Note::NextToBlindness => {
            "The worst of it lies next to an interval in which too few could see: it may have begun earlier or ended later."
                .to_owned()
        }
    }
}

/// Older than this before what it was used for, a country table is said to be old, in seconds: a year. Guess.
const OLD_TABLE: i64 = 365 * 86_400;

/// What limits a country table that is much older than the recordings; `None` where it is not.
pub fn old_table(table: &CountryTable, until: Time) -> Option<String> {
    let date: jiff::civil::Date = table.date.parse().ok()?;
    let day = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let age = until.seconds() - day;
    (age > OLD_TABLE).then(|| {
        format!(
            "Networks are given to countries by delegations of {}, {} before what was read: space delegated since then \
             is given by its origin AS or to nobody. `gonedark data update` fetches newer ones.",
            times::day(Time::from_seconds(day)).long(),
            match age / OLD_TABLE {
                1 => "over a year".to_owned(),
                years => format!("over {years} years"),
            }
        )
    })
}

fn skew(micros: u64) -> String {
    if micros >= 10_000_000 {
        times::duration((micros / 1_000_000) as i64)
    } else {
        format!("{}.{} s", micros / 1_000_000, micros / 100_000 % 10)
    }
}

/// `AS4837, AS22351`; a dash where there is none.
pub fn asns(asns: &[Asn]) -> String {
    if asns.is_empty() {
        return "-".to_owned();
    }
    asns.iter().map(Asn::to_string).collect::<Vec<_>>().join(", ")
}

/// `a, b and c`.
pub fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// At most `most` of them, and how many more there are.
pub fn few_asns(all: &[Asn], most: usize) -> String {
    match all.len() {
        len if len > most => format!("{} and {} more", asns(&all[..most]), len - most),
        _ => asns(all),
    }
}

/// With a capital letter.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `offset 4711: what (3 times)`.
pub fn damage(damage: &Damage) -> String {
    let place = damage.offset.map(|offset| format!("offset {offset}: ")).unwrap_or_default();
    let times =
        if damage.count > 1 { format!(" ({} times)", times::grouped(damage.count)) } else { String::new() };
    format!("{place}{}{times}", damage.what)
}

/// How long the worst of it lasted, in a table: the longest that it can have been, up to the window's end where it lasts.
pub fn lasted(case: &Case<'_>, incident: &Incident) -> String {
    let since = if incident.is_unstable_only() { incident.begin() } else { incident.onset.earliest };
    let until = match incident.recovery {
        Some(recovery) if !incident.is_unstable_only() => recovery.latest,
        _ => case.end(incident),
    };
    let lasts = if incident.ended || incident.recovery.is_some() { "" } else { " so far" };
    format!("{}{lasts}", times::duration(times::seconds_between(since, until)))
}

/// `3 of 4`: networks of a family up at the end of the window; a dash where it has none, a question mark where too few
/// could see.
pub fn up(status: &EntityStatus, family: Family) -> String {
    let networks = status.networks[family as usize];
    match (networks.before, status.state) {
        (_, EntityState::Unknown) => "?".to_owned(),
        (0, _) => "-".to_owned(),
        (before, _) => {
            format!("{} of {}", times::grouped(before.saturating_sub(networks.lost)), times::grouped(before))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_table_is_old_from_a_year_on() {
        let table = CountryTable {
            file: "built in".into(),
            serial: "1".into(),
            sha256: String::new(),
            date: "2018-10-13".into(),
        };
        let said = |days: i64| old_table(&table, Time::from_seconds(1_539_388_800 + days * 86_400));
        assert_eq!(said(365), None);
        assert!(said(366).unwrap().contains("13 October 2018, over a year before"));
        assert!(said(800).unwrap().contains("over 2 years before"));
    }
}
