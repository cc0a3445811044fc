//! What a live source without tables missed while the program did not run: nobody says it again, so that a route that was
//! withdrawn meanwhile would stand for ever. The archive has it, and is asked once more.

use super::followed::{Followed, Place};
use crate::source::parcel::{Part, StreamKey};
use gonedark_route::Time;
use std::collections::BTreeMap;

/// Stops shorter than this are not caught up with, in microseconds: the time of one update file of RIS, which is not there
/// before it is over.
const SHORT: i64 = 300_000_000;
/// After this long the newest table says all that is in the updates: RIS writes one every eight hours.
const LONG: i64 = 8 * 3_600_000_000;

/// Sets the positions of bootstraps that are done back to where their collector was `heard` last, by any stream, where that
/// is long before `now` (nowhere where nobody goes on with them): to be read from there on, or from the newest table. Gives
/// the streams that are to be waited for.
pub fn catch_up(
    positions: &mut BTreeMap<StreamKey, String>,
    heard: impl Fn(&StreamKey) -> Option<Time>,
    now: Time,
) -> Vec<StreamKey> {
    let mut awaited = Vec::new();
    for key in positions.keys().filter(|key| key.part == Part::Messages).cloned().collect::<Vec<_>>() {
        let known = Followed::read_again(key.clone(), positions.get(&key).map(String::as_str));
        let Some(heard) = heard(&key).filter(|heard| known.is_done && now - *heard > SHORT) else {
            continue;
        };
        if now - heard > LONG {
            positions.remove(&key);
            positions.remove(&StreamKey { part: Part::Tables, ..key.clone() });
        } else {
            // The file of that time was begun before it.
            let at = Place { time: heard + -SHORT, name: "-".into(), batches: 0, whole: true };
            let again =
                Followed { at: Some(at), speaks_until: heard, in_gap: false, is_done: false, ..known };
            positions.extend(again.position().map(|position| (key.clone(), position)));
        }
        awaited.push(key);
    }
    awaited
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: &str, part: Part) -> StreamKey {
        StreamKey { source: source.into(), collector: "rrc00".into(), part }
    }

    #[test]
    fn only_a_bootstrap_that_is_done_and_was_long_ago_is_asked_again() {
        let at = Time::from_seconds;
        let done = "bootstrapped 900000000 3 whole 1000000000 sees updates.gz".to_owned();
        let all = BTreeMap::from([
            (key("begin", Part::Messages), done.clone()),
            (key("begin", Part::Tables), "800000000 3 whole 800000000 sees bview.gz".to_owned()),
            (key("ris", Part::Messages), "2000000000".to_owned()),
            (key("archive", Part::Messages), "900000000 3 whole 1000000000 sees updates.gz".to_owned()),
        ]);
        let asked = |now: i64| {
            let mut positions = all.clone();
            let awaited = catch_up(&mut positions, |_| Some(at(2_000)), at(now));
            (awaited, positions)
        };
        assert_eq!(asked(2_300), (vec![], all.clone()));
        let (awaited, positions) = asked(2_301);
        assert_eq!(awaited, [key("begin", Part::Messages)]);
        let expected = "1700000000 0 whole 2000000000 sees -";
        assert_eq!(positions[&key("begin", Part::Messages)], expected);
        assert_eq!(positions.len(), 4);
        let (awaited, positions) = asked(2_001 + 8 * 3_600);
        assert_eq!(awaited, [key("begin", Part::Messages)]);
        assert!(!positions.contains_key(&key("begin", Part::Messages)));
        assert!(!positions.contains_key(&key("begin", Part::Tables)));
        assert_eq!(positions.len(), 2);
    }
}
