//! One collector as it is heard: what waits to be handed on, and whether it is seen.

use crate::source::batch::{Batch, Observation, Spare};
use crate::source::filling::{Filling, PER_STREAM};
use crate::source::parcel::{Parcel, Part, StreamKey, shut_before};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use std::sync::Arc;

/// Whether a collector is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// It is heard.
    Sees,
    /// Since then it is not, and nobody was told yet.
    Missed(Time),
    /// Since then it is not, as was told. A collector that is new is one that never was heard.
    Blind(Time),
}

/// One collector.
pub(super) struct Collector {
    pub(super) key: Arc<StreamKey>,
    pub(super) filling: Filling,
    pub(super) sight: Sight,
    /// When it was heard last, by the clock of this machine.
    pub(super) heard_at: Time,
    /// The first that was heard since it was not seen.
    woke: Option<Time>,
    /// Numbers begin anew with the next parcel.
    fresh: bool,
    /// What was promised of it last.
    mark: Time,
    /// Messages in the batch that is being filled.
    messages: u64,
}

/// A parcel that may be on its way, and what holds once it is.
pub(super) struct Sending {
    pub(super) parcel: Parcel,
    sight: Sight,
    pub(super) messages: u64,
}

impl Collector {
    /// One of the given name, which is not seen since `sight` says.
    pub(super) fn new(source: &str, name: &str, sight: Sight) -> Self {
        let key = StreamKey { source: source.to_owned(), collector: name.to_owned(), part: Part::Messages };
        Collector {
            key: Arc::new(key),
            filling: Filling::new(Spare::default(), PER_STREAM),
            sight,
            heard_at: Time::MIN,
            woke: None,
            fresh: true,
            mark: Time::MIN,
            messages: 0,
        }
    }

    /// Goes on from a position: the last mark, with the word `blind` where it was not seen at that time already.
    pub(super) fn go_on(source: &str, name: &str, position: &str) -> Option<Self> {
        // Whoever shut it told no more than is told in any case: since then nobody heard it.
        let (_, position) = shut_before(position);
        let (micros, is_blind) = match position.strip_suffix(BLIND) {
            Some(micros) => (micros, true),
            None => (position, false),
        };
        let since = Time::from_micros(micros.parse().ok()?);
        let sight = if is_blind { Sight::Blind(since) } else { Sight::Missed(since) };
        Some(Collector { mark: since, ..Collector::new(source, name, sight) })
    }

    /// Something is heard; gives its time, which is none before the collector was missed.
    pub(super) fn hear(&mut self, at: Time) -> Time {
        self.messages += 1;
        let (Sight::Missed(since) | Sight::Blind(since)) = self.sight else { return at };
        let at = at.max(since);
        self.woke = Some(self.woke.map_or(at, |woke| woke.min(at)));
        at
    }

    /// What there is to hand on while it is connected; `None` where that is nothing.
    pub(super) fn due(&mut self, mark: Time) -> Option<Sending> {
        let mut front = Vec::new();
        let mut sight = self.sight;
        if let Sight::Missed(since) = sight {
            front.push((since, begin()));
            sight = Sight::Blind(since);
        }
        if let (Sight::Blind(_), Some(woke)) = (sight, self.woke) {
            front.push((woke, Observation::GapEnd));
            sight = Sight::Sees;
        }
        let is_silent = front.is_empty() && sight != Sight::Sees;
        (!is_silent).then(|| self.sending(front, sight, mark))
    }

    /// What there is to hand on when the connection is lost, of which `mark` was promised: what was heard since, and that
    /// it is not seen any more.
    pub(super) fn lost(&mut self, mark: Time) -> Option<Sending> {
        let mut front = Vec::new();
        let mut since = mark;
        if let Sight::Missed(from) = self.sight {
            front.push((from, begin()));
        }
        if let Sight::Missed(from) | Sight::Blind(from) = self.sight {
            since = from;
            // It was heard for a moment.
            if let Some(woke) = self.woke.take() {
                front.push((woke, Observation::GapEnd));
                since = mark.max(woke);
                front.push((since, begin()));
            }
        } else {
            front.push((mark, begin()));
        }
        let is_nothing = front.is_empty() && self.filling.batch.observations.is_empty();
        (!is_nothing).then(|| self.sending(front, Sight::Blind(since), mark))
    }

    fn sending(&mut self, front: Vec<(Time, Observation)>, sight: Sight, mark: Time) -> Sending {
        let mut batch: Batch = self.filling.take();
        batch.observations.splice(0..0, front);
        batch.sort();
        let mark = mark.max(self.mark);
        // Nobody waits for one that is not heard.
        let (position, closed) = match sight {
            Sight::Sees => (mark.micros().to_string(), false),
            Sight::Missed(since) | Sight::Blind(since) => (format!("{}{BLIND}", since.micros()), true),
        };
        let (fresh, position) = (self.fresh, Some(position));
        let parcel = Parcel { batch, fresh, mark: Some(mark), position, closed, ..Parcel::of(&self.key) };
        Sending { parcel, sight, messages: std::mem::take(&mut self.messages) }
    }

    /// It is on its way.
    pub(super) fn sent(&mut self, sight: Sight, mark: Option<Time>) {
        if sight == Sight::Sees {
            self.woke = None;
        }
        (self.sight, self.fresh) = (sight, false);
        self.mark = mark.unwrap_or(self.mark).max(self.mark);
    }

    /// There was no room for it: what it said is missed. Gives how many messages that were.
    pub(super) fn dropped(&mut self, parcel: &Parcel, messages: u64) -> u64 {
        if parcel.batch.is_blank() {
            return 0;
        }
        // The names that went with it are missing: numbers begin anew.
        self.filling = Filling::new(Spare::default(), PER_STREAM);
        (self.fresh, self.woke) = (true, None);
        if self.sight == Sight::Sees {
            self.sight = Sight::Missed(self.mark);
        }
        messages
    }
}

impl Sending {
    /// What holds once it is on its way.
    pub(super) fn outcome(&self) -> (Sight, Option<Time>) {
        (self.sight, self.parcel.mark)
    }
}

/// Behind the time in a position: since then the collector is not seen.
const BLIND: &str = " blind";

fn begin() -> Observation {
    Observation::GapBegin { reason: BlindReason::SessionDown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::batch::Neighbour;
    use gonedark_route::Asn;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    fn says(collector: &mut Collector, seconds: i64) {
        let peer = Neighbour { asn: Asn(64_500), address: [192, 0, 2, 1].into() };
        let time = collector.hear(at(seconds));
        collector.filling.of_peer(time, peer, |peer| Observation::Session { peer, established: true });
    }

    fn told(sending: &Sending) -> Vec<(i64, &'static str)> {
        let name = |observation: &Observation| match observation {
            Observation::GapBegin { .. } => "blind",
            Observation::GapEnd => "sees",
            _ => "says",
        };
        let all = sending.parcel.batch.observations.iter();
        all.map(|(at, what)| (at.micros() / 1_000_000, name(what))).collect()
    }

    fn send(collector: &mut Collector, sending: &Sending) {
        let (sight, mark) = sending.outcome();
        collector.sent(sight, mark);
    }

    #[test]
    fn a_lost_connection_is_blindness_from_what_was_promised_to_the_next_message() {
        let mut collector = Collector::new("ris", "rrc00", Sight::Blind(Time::MIN));
        assert!(collector.due(at(98)).is_none());
        says(&mut collector, 100);
        let sending = collector.due(at(98)).unwrap();
        assert_eq!(told(&sending), [(100, "sees"), (100, "says")]);
        assert!(sending.parcel.fresh && !sending.parcel.closed);
        send(&mut collector, &sending);
        says(&mut collector, 101);
        let sending = collector.lost(at(99)).unwrap();
        assert_eq!(told(&sending), [(99, "blind"), (101, "says")]);
        assert!(sending.parcel.closed);
        assert_eq!(sending.parcel.position.as_deref(), Some("99000000 blind"));
        send(&mut collector, &sending);
        assert!(collector.due(at(99)).is_none() && collector.lost(at(99)).is_none());
        says(&mut collector, 110);
        let sending = collector.due(at(108)).unwrap();
        assert_eq!(told(&sending), [(110, "sees"), (110, "says")]);
        assert!(!sending.parcel.fresh && !sending.parcel.closed);
        assert_eq!(sending.parcel.position.as_deref(), Some("108000000"));
    }

    #[test]
    fn one_that_was_heard_for_a_moment_is_blind_after_it() {
        let mut collector = Collector::new("ris", "rrc00", Sight::Blind(Time::MIN));
        says(&mut collector, 100);
        says(&mut collector, 103);
        let sending = collector.lost(at(101)).unwrap();
        assert_eq!(told(&sending), [(100, "sees"), (100, "says"), (101, "blind"), (103, "says")]);
        assert_eq!(sending.parcel.position.as_deref(), Some("101000000 blind"));
    }

    #[test]
    fn what_is_dropped_is_blindness_and_counted_and_numbers_begin_anew() {
        let mut collector = Collector::new("ris", "rrc00", Sight::Blind(Time::MIN));
        says(&mut collector, 100);
        let sending = collector.due(at(98)).unwrap();
        send(&mut collector, &sending);
        for seconds in [101, 103] {
            says(&mut collector, seconds);
            says(&mut collector, seconds);
            let sending = collector.due(at(seconds - 2)).unwrap();
            assert_eq!(collector.dropped(&sending.parcel, sending.messages), 2);
        }
        says(&mut collector, 105);
        let sending = collector.due(at(103)).unwrap();
        assert_eq!(told(&sending), [(98, "blind"), (105, "sees"), (105, "says")]);
        assert!(sending.parcel.fresh && sending.parcel.batch.peers.len() == 1);
        // A mark for which there is no room costs nothing.
        send(&mut collector, &sending);
        let sending = collector.due(at(104)).unwrap();
        assert_eq!((collector.dropped(&sending.parcel, sending.messages), collector.sight), (0, Sight::Sees));
    }

    #[test]
    fn after_a_restart_it_was_not_seen_since_the_position() {
        let mut collector = Collector::go_on("ris", "rrc00", "98000000").unwrap();
        let sending = collector.lost(at(98)).unwrap();
        assert_eq!((told(&sending), sending.parcel.closed), (vec![(98, "blind")], true));
        let mut collector = Collector::go_on("ris", "rrc00", "98000000 blind").unwrap();
        assert!(collector.lost(at(98)).is_none());
        // What was said before it went blind cannot make it see before.
        says(&mut collector, 90);
        assert_eq!(told(&collector.due(at(98)).unwrap()), [(98, "sees"), (98, "says")]);
        assert!(Collector::go_on("ris", "rrc00", "yesterday").is_none());
    }
}
