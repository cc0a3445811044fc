//! The rules of corsaro.

use crate::parameters::SECOND;

/// The rules of corsaro, each of them a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackscatterParameters {
    /// An attack has at least so many packets: corsaro.
    pub least_packets: u64,
    /// And lasts at least so long: corsaro.
    pub least_duration: i64,
    /// And has at least so many packets within some window: corsaro's 30 packets a minute.
    pub least_in_window: u64,
    /// The window: corsaro.
    pub window: i64,
    /// By how much the window slides: corsaro.
    pub slide: i64,
    /// A victim that was not heard for so long is done with: corsaro 2.
    pub expiry: i64,
    /// Victims that are kept at once. Guess: 400 MiB at the worst, of victims that each answer to
    /// hundreds of networks.
    pub max_victims: usize,
    /// Ports and networks that are remembered of one victim. Guess.
    pub max_remembered: usize,
}

impl Default for BackscatterParameters {
    fn default() -> Self {
        BackscatterParameters {
            least_packets: 25,
            least_duration: 60 * SECOND,
            least_in_window: 30,
            window: 60 * SECOND,
            slide: 10 * SECOND,
            expiry: 300 * SECOND,
            max_victims: 100_000,
            max_remembered: 64,
        }
    }
}
