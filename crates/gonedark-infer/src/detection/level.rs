//! How much of an entity is lost (METHOD.md, "Levels").

use crate::parameters::Parameters;
use crate::report::{BeforeLost, Level};

/// One family of an entity at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Toll {
    pub(crate) networks: BeforeLost,
    pub(crate) addresses: BeforeLost,
    /// Lost networks on which more than the tolerated share of the vote is left.
    pub(crate) shallow: u64,
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
}

/// The level of an entity from those of its families: dark only if every family that it has is dark.
pub(crate) fn overall(tolls: &[Toll; 2], parameters: &Parameters) -> Level {
    let levels: Vec<Level> = tolls
        .iter()
        .filter(|toll| toll.networks.before > 0)
        .map(|toll| toll.level(parameters).0)
        .collect();
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
    fn one_family_dark_while_the_other_stands_is_at_most_severe() {
        let parameters = Parameters::default();
        let dark = toll((4, 4), (4, 4));
        let fine = toll((10, 0), (10, 0));
        assert_eq!(overall(&[dark, fine], &parameters), Level::Severe);
        assert_eq!(overall(&[dark, Toll::default()], &parameters), Level::Dark);
        assert_eq!(overall(&[dark, dark], &parameters), Level::Dark);
    }
}
