//! What a live source without tables missed while the program did not run: nobody says it again, so that a route that was
//! withdrawn meanwhile would stand for ever. The archive has it, and is asked once more.

use super::followed::{Followed, Place};
use crate::source::parcel::{Parcel, Part, StreamKey};
use gonedark_route::Time;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stops shorter than this are not caught up with, in microseconds: the time of one update file of RIS, which is not there
/// before it is over.
const SHORT: i64 = 300_000_000;
/// After this long the newest table says all that is in the updates: RIS writes one every eight hours.
const LONG: i64 = 8 * 3_600_000_000;

/// Sets the positions of bootstraps that are done back to where their collector was `heard` last, by any stream, where that
/// is long before `now` (nowhere where nobody goes on with them): to be read from there on, or from the newest table. Gives
/// what opens their streams again, so that all wait for them, with those positions: a second start soon after must not take
/// them for done.
pub fn catch_up(
    positions: &mut BTreeMap<StreamKey, String>,
    heard: impl Fn(&StreamKey) -> Option<Time>,
    now: Time,
) -> Vec<Parcel> {
    let mut opening = Vec::new();
    for key in positions.keys().filter(|key| key.part == Part::Messages).cloned().collect::<Vec<_>>() {
        let known = Followed::read_again(key.clone(), positions.get(&key).map(String::as_str));
        let Some(heard) = heard(&key).filter(|heard| known.is_done && now - *heard > SHORT) else {
            continue;
        };
        let position = if now - heard > LONG {
            positions.remove(&StreamKey { part: Part::Tables, ..key.clone() });
            String::new()
        } else {
            // The file of that time was begun before it.
            let at = Place { time: heard + -SHORT, name: "-".into(), batches: 0, whole: true };
            let again =
                Followed { at: Some(at), speaks_until: heard, in_gap: false, is_done: false, ..known };
            again.position().unwrap_or_default()
        };
        positions.insert(key.clone(), position.clone());
        opening.push(Parcel { position: Some(position), ..Parcel::of(&Arc::new(key)) });
    }
    opening
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
            let opening = catch_up(&mut positions, |_| Some(at(2_000)), at(now));
            let told = opening.into_iter().map(|parcel| {
                assert!(!parcel.closed);
                ((*parcel.stream).clone(), parcel.position.expect("a position"))
            });
            (told.collect::<Vec<_>>(), positions)
        };
        assert_eq!(asked(2_300), (vec![], all.clone()));
        let (opening, positions) = asked(2_301);
        let expected = "1700000000 0 whole 2000000000 sees -";
        assert_eq!(opening, [(key("begin", Part::Messages), expected.to_owned())]);
        assert_eq!(positions[&key("begin", Part::Messages)], expected);
        assert_eq!(positions.len(), 4);
        let (opening, positions) = asked(2_001 + 8 * 3_600);
        assert_eq!(opening, [(key("begin", Part::Messages), String::new())]);
        assert_eq!(positions[&key("begin", Part::Messages)], "");
        assert!(!positions.contains_key(&key("begin", Part::Tables)));
        assert_eq!(positions.len(), 3);
    }
}
