//! How much of an entity is lost (METHOD.md, "Levels").

use crate::parameters::Parameters;
use crate::report::{BeforeLost, Level};

/// One family of an entity at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Toll {
    pub(crate) networks: BeforeLost,
    pub(crate) addresses: BeforeLost,
    /// Lost networks on which more than the tolerated share of the vote is left.
    pub(crate) shallow: u64,
    /// Where no table was seen: the addresses that the entity may have. What was never spoken of is held to be up.
    pub(crate) unseen_of: Option<u64>,
}

impl Toll {
    /// The level, and whether the world is divided on what is lost.
    pub(crate) fn level(&self, parameters: &Parameters) -> (Level, bool) {
        let reaches =
            |count: &BeforeLost, percent: u64| count.before > 0 && count.lost * 100 >= count.before * percent;
        let either = |percent| reaches(&self.networks, percent) || reaches(&self.addresses, percent);
        if self.networks.lost == 0 {
            return (Level::None, false);
        }
        if let Some(total) = self.unseen_of {
            return self.level_of_part(total.max(self.addresses.before), parameters);
        }
        if self.networks.lost >= self.networks.before {
            return if self.shallow == 0 { (Level::Dark, false) } else { (Level::Severe, true) };
        }
        let level = if either(parameters.severe_percent) {
            Level::Severe
        } else if either(parameters.partial_percent) || self.networks.before < parameters.small_entity {
            Level::Partial
        } else {
            Level::None
        };
        (level, false)
    }

    /// The level where only what was spoken of is known: judged against all addresses that the entity may have.
    fn level_of_part(&self, total: u64, parameters: &Parameters) -> (Level, bool) {
        let reaches =
            |part: u64, percent: u64| u128::from(part) * 100 >= u128::from(total) * u128::from(percent);
        let all_known = self.networks.lost >= self.networks.before;
        if all_known && reaches(self.addresses.before, parameters.severe_percent) {
            return if self.shallow == 0 { (Level::Dark, false) } else { (Level::Severe, true) };
        }
        let level = match self.addresses.lost {
            lost if reaches(lost, parameters.severe_percent) => Level::Severe,
            lost if reaches(lost, parameters.partial_percent) => Level::Partial,
            _ => Level::None,
        };
        (level, false)
    }
}

/// The level of an entity from those of its families: dark only if every family that it has is dark.
pub(crate) fn overall(tolls: &[Toll; 2], parameters: &Parameters) -> Level {
    let levels: Vec<Level> =
        tolls.iter().filter(|toll| toll.networks.before > 0).map(|toll| toll.level(parameters).0).collect();
    let worst = levels.iter().copied().max().unwrap_or(Level::None);
    let all_dark = levels.iter().all(|level| *level == Level::Dark);
    if worst == Level::Dark && !all_dark { Level::Severe } else { worst }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toll(networks: (u64, u64), addresses: (u64, u64)) -> Toll {
        Toll {
            networks: BeforeLost { before: networks.0, lost: networks.1 },
            addresses: BeforeLost { before: addresses.0, lost: addresses.1 },
            shallow: 0,
            unseen_of: None,
        }
    }

    #[test]
    fn below_twenty_networks_one_lost_network_is_partial() {
        let parameters = Parameters::default();
        assert_eq!(toll((19, 1), (1000, 1)).level(&parameters), (Level::Partial, false));
        assert_eq!(toll((20, 1), (1000, 1)).level(&parameters), (Level::None, false));
        assert_eq!(toll((20, 2), (1000, 1)).level(&parameters), (Level::Partial, false));
        assert_eq!(toll((20, 1), (1000, 500)).level(&parameters), (Level::Severe, false));
    }

    #[test]
    fn dark_needs_every_network_and_hardly_any_vote_left() {
        let parameters = Parameters::default();
        let mut all = toll((4, 4), (4, 4));
        assert_eq!(all.level(&parameters), (Level::Dark, false));
        all.shallow = 1;
        assert_eq!(all.level(&parameters), (Level::Severe, true));
    }

    #[test]
    fn without_a_table_one_known_network_of_a_large_country_says_nothing_about_it() {
        let parameters = Parameters::default();
        let mut part = toll((1, 1), (1, 1));
        part.unseen_of = Some(60_000);
        assert_eq!(part.level(&parameters).0, Level::None);
        part.unseen_of = Some(2);
        assert_eq!(part.level(&parameters).0, Level::Dark);
        part.unseen_of = Some(8);
        assert_eq!(part.level(&parameters).0, Level::Partial);
    }

    #[test]
    fn one_family_dark_while_the_other_stands_is_at_most_severe() {
        let parameters = Parameters::default();
        let dark = toll((4, 4), (4, 4));
        let fine = toll((10, 0), (10, 0));
        assert_eq!(overall(&[dark, fine], &parameters), Level::Severe);
        assert_eq!(overall(&[dark, Toll::default()], &parameters), Level::Dark);
        assert_eq!(overall(&[dark, dark], &parameters), Level::Dark);
    }
}
