//! What was told of an entity's losses, and whether more of them can wait.

use crate::detection::episode::{Episode, Gist};
use crate::detection::track::Track;
use crate::parameters::SECOND;
use gonedark_route::Time;

/// Of how many networks a second details are told anew while the gist of the losses stays what it is, and after how many
/// microseconds at the longest. Where thousands of networks flap nearly each moment changes one, and all would be composed
/// and written with each commit, for weeks. Guesses: some 100 kB a second are little for any disk, and a minute is short
/// beside what lasts so long.
const NETWORKS_A_SECOND: i64 = 100;
const LONGEST: i64 = 60 * SECOND;

/// What was told of the losses of an entity.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Told {
    at: Time,
    losses: usize,
    /// Of the last one.
    gist: Option<Gist>,
    /// When they have to be looked at again though nothing of them changes.
    pub(crate) due: Time,
    /// Whether details wait.
    pub(crate) waits: bool,
}

impl Told {
    pub(crate) fn new(track: &Track, at: Time, due: Time) -> Self {
        let gist = track.losses().last().map(Episode::gist);
        Told { at, losses: track.losses().count(), gist, due, waits: false }
    }

    /// Whether only details are new since then, and those can wait. They fall due by themselves.
    pub(crate) fn can_wait(&mut self, track: &Track, now: Time) -> bool {
        let networks: usize = track.losses().map(|loss| loss.networks.len()).sum();
        let until = self.at + (networks as i64 / NETWORKS_A_SECOND * SECOND).min(LONGEST);
        let told = Told::new(track, self.at, self.due);
        self.waits = self.due > now && until > now && (told.losses, told.gist) == (self.losses, self.gist);
        if self.waits {
            self.due = self.due.min(until);
        }
        self.waits
    }
}
