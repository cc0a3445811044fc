//! Archives only until a live source goes on alone: the newest table and what follows it give the answers of the first
//! minutes, and nothing live is applied before them.

use super::{Followed, Follower};
use crate::source::batch::Observation;
use crate::source::live::Outlet;
use crate::source::parcel::{Parcel, Part, StreamKey, shut_before};
use crate::source::ris_live::OVERLAP;
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;

/// Before a position: the collector was read as far as it had to be, and a restart does not read it again.
const DONE: &str = "bootstrapped";
/// A live source hears messages of so long before it was started, in microseconds. Guess: far more than they are on
/// their way.
const EARLIER: i64 = 60_000_000;

impl Followed {
    /// The position to write, with whether it was read as far as it had to be.
    pub(super) fn written(&self) -> Option<String> {
        let position = self.position();
        if !self.is_done {
            return position;
        }
        Some(position.map_or_else(|| DONE.to_owned(), |position| format!("{DONE} {position}")))
    }

    /// The stream of a position with or without that word.
    pub(super) fn read_again(key: StreamKey, position: Option<&str>) -> Self {
        let (is_shut, position) = position.map_or((false, None), |position| {
            let (is_shut, own) = shut_before(position);
            (is_shut, Some(own))
        });
        let rest = position.and_then(|position| position.strip_prefix(DONE));
        let is_done = rest.is_some();
        let known = Followed::go_on(key, rest.map(str::trim_start).or(position));
        Followed { is_done, in_gap: known.in_gap || is_shut, ..known }
    }
}

impl Follower {
    /// Those of whom others have to wait for.
    pub(super) fn bootstrapped(&self) -> Vec<StreamKey> {
        let settings = &self.settings;
        let wanted = settings.collectors.iter().filter(|_| settings.bootstrap);
        let key = |collector: &String| StreamKey {
            source: settings.name.clone(),
            collector: collector.clone(),
            part: Part::Messages,
        };
        wanted.map(key).collect()
    }

    /// Whether every collector was read as far as it had to be: at a restart, and after each look.
    pub(super) fn is_bootstrapped(&mut self, outlet: &Outlet) -> bool {
        let keys = self.bootstrapped();
        let is_done = |key: &StreamKey| self.stream(&key.collector, key.part, outlet).is_done;
        !keys.is_empty() && keys.iter().map(is_done).filter(|is_done| !is_done).count() == 0
    }

    /// Closes the collectors that were read to where a live source has surely begun, or of which nothing came in time
    /// since the start at `began`. False where nobody takes it any more.
    pub(super) fn hand_over(&mut self, began: Time, outlet: &Outlet) -> bool {
        let patience = i64::try_from(self.settings.patience.as_micros()).unwrap_or(i64::MAX);
        let give_up = outlet.now() - began >= patience;
        for key in self.bootstrapped() {
            let stream = self.stream(&key.collector, key.part, outlet);
            let reached = stream.speaks_until >= began + OVERLAP;
            if stream.is_done || !(reached || give_up) {
                continue;
            }
            if !outlet.send(stream.handing_over(began)) {
                return false;
            }
            let says =
                if reached { "handed over to what is live" } else { "given up: its files do not come" };
            tracing::info!(collector = key.collector, says, "bootstrap");
            outlet.health.session(&key.collector, Some(says.into()));
        }
        true
    }
}

impl Followed {
    /// Its last parcel.
    fn handing_over(&mut self, began: Time) -> Parcel {
        let mut parcel = Parcel { closed: true, ..Parcel::of(&self.key) };
        let until = self.speaks_until;
        let is_short = until > Time::MIN && until < began + -EARLIER;
        if is_short && !self.in_gap {
            // It lasts to the first message of the live source, which comes after it in any case.
            let begin = Observation::GapBegin { reason: BlindReason::MissingFile };
            parcel.batch.observations.push((until, begin));
        } else if !is_short && self.in_gap {
            // The live source has begun: it tells of its own blindness.
            parcel.batch.observations.push((until, Observation::GapEnd));
        }
        (self.in_gap, self.is_done) = (is_short, true);
        parcel.mark = (until > Time::MIN).then_some(until);
        parcel.position = self.written();
        parcel
    }
}
