//! Stamps of a live stream, in order: each is no earlier than what was promised, and no later than now.

use gonedark_route::Time;

/// The stamps of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamps {
    /// Nothing earlier comes any more.
    mark: Time,
    /// For how long what was said may be on its way, in microseconds.
    hold: i64,
}

impl Stamps {
    pub(super) fn new(hold: i64) -> Self {
        Stamps { mark: Time::MIN, hold }
    }

    /// The time of a message: what it says itself, where that can be: not before what was promised, not after `now`.
    /// One that says nothing, or something that cannot be (a router tells of its table with the times at which it learned
    /// the routes), came when it was received.
    pub(super) fn of(&self, said: Option<Time>, now: Time) -> Time {
        let now = now.max(self.mark);
        said.filter(|said| (self.mark..=now).contains(said)).unwrap_or(now)
    }

    /// What can be promised at `now`, where it is more than was promised before.
    pub(super) fn promise(&mut self, now: Time) -> Option<Time> {
        let mark = now + -self.hold;
        (mark > self.mark).then(|| {
            self.mark = mark;
            mark
        })
    }

    /// What was promised.
    pub(super) fn promised(&self) -> Time {
        self.mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_never_earlier_than_what_was_promised_nor_later_than_now() {
        let at = Time::from_seconds;
        let mut stamps = Stamps::new(2_000_000);
        assert_eq!(stamps.promise(at(100)), Some(at(98)));
        assert_eq!(stamps.promise(at(99)), None);
        assert_eq!(stamps.of(Some(at(99)), at(101)), at(99));
        // A table's routes are of long ago, and a router's clock may run ahead.
        assert_eq!(stamps.of(Some(at(5)), at(101)), at(101));
        assert_eq!(stamps.of(Some(at(500)), at(101)), at(101));
        // A clock that was set back does not make it go back.
        assert_eq!(stamps.of(None, at(50)), at(98));
    }
}
