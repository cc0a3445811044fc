//! Parcels and tidings on their way from the sources to the observatory. Each source may have so many bytes on the way, whatever the
//! others do: one that floods takes no room from another.

use super::parcel::{Freight, Parcel};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Begins a channel; each source gets a [`Departures`] of its own.
#[allow(
    clippy::disallowed_methods,
    reason = "bounded by bytes, where parcels are sent, instead of by their number"
)]
pub fn channel() -> (Sender, Arrivals) {
    let (sender, receiver) = mpsc::channel();
    (Sender(sender), Arrivals(receiver))
}

/// The end of which sources get theirs.
#[derive(Clone)]
pub struct Sender(mpsc::Sender<Delivery>);

/// The end of one source, whose threads share it.
#[derive(Clone)]
pub struct Departures {
    sender: mpsc::Sender<Delivery>,
    room: Arc<Room>,
}

/// The end of the observatory.
pub struct Arrivals(mpsc::Receiver<Delivery>);

/// Why a parcel is not on its way.
#[derive(Debug)]
pub enum Refused {
    /// There is no room for it: here it is again.
    Full(Box<Parcel>),
    /// Nobody takes it any more.
    Nobody,
}

struct Room {
    limit: usize,
    /// Bytes on their way.
    used: Mutex<usize>,
    freed: Condvar,
}

/// The room of a parcel, which is free again when this is dropped: also where nobody takes it any more.
struct Held {
    room: Arc<Room>,
    bytes: usize,
}

struct Delivery {
    freight: Freight,
    held: Held,
}

impl Sender {
    /// For a source that may have `limit` bytes on their way, or one parcel that is larger than that.
    pub fn of_source(&self, limit: usize) -> Departures {
        let room = Room { limit, used: Mutex::new(0), freed: Condvar::new() };
        Departures { sender: self.0.clone(), room: Arc::new(room) }
    }
}

impl Departures {
    /// Sends, and waits as long as there is no room; false where nobody takes it any more.
    pub fn send(&self, freight: impl Into<Freight>) -> bool {
        let freight = freight.into();
        let bytes = freight.weight();
        let used = self.room.used.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |used: &mut usize| !self.room.has(*used, bytes);
        let mut used = self.room.freed.wait_while(used, is_full).unwrap_or_else(PoisonError::into_inner);
        *used += bytes;
        drop(used);
        self.depart(freight, bytes)
    }

    /// Whether nothing of it is on its way.
    pub fn is_idle(&self) -> bool {
        *self.room.used.lock().unwrap_or_else(PoisonError::into_inner) == 0
    }

    /// Sends if there is room.
    ///
    /// # Errors
    /// There is none, or nobody takes it any more.
    pub fn try_send(&self, parcel: Parcel) -> Result<(), Refused> {
        let bytes = parcel.weight();
        let mut used = self.room.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.room.has(*used, bytes) {
            return Err(Refused::Full(Box::new(parcel)));
        }
        *used += bytes;
        drop(used);
        if self.depart(parcel.into(), bytes) { Ok(()) } else { Err(Refused::Nobody) }
    }

    fn depart(&self, freight: Freight, bytes: usize) -> bool {
        let held = Held { room: Arc::clone(&self.room), bytes };
        // What nobody takes is dropped here, with its room.
        self.sender.send(Delivery { freight, held }).is_ok()
    }
}

impl Room {
    fn has(&self, used: usize, bytes: usize) -> bool {
        used == 0 || used.saturating_add(bytes) <= self.limit
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *self.room.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.room.freed.notify_all();
    }
}

impl Arrivals {
    /// The next parcel or tidings of whoever; its room is free from now on.
    ///
    /// # Errors
    /// None came in time, or none can come any more.
    pub fn recv_timeout(&self, longest: Duration) -> Result<Freight, RecvTimeoutError> {
        let Delivery { freight, held } = self.0.recv_timeout(longest)?;
        drop(held);
        Ok(freight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::parcel::{Part, StreamKey};

    const SOON: Duration = Duration::from_secs(5);

    fn parcel() -> Parcel {
        let key = StreamKey { source: "s".into(), collector: "c".into(), part: Part::Messages };
        Parcel::of(&Arc::new(key))
    }

    #[test]
    fn a_source_that_floods_takes_no_room_from_another() {
        let (sender, arrivals) = channel();
        let (flood, calm) =
            (sender.of_source(2 * parcel().weight()), sender.of_source(2 * parcel().weight()));
        let sent = (0..).take_while(|_| flood.try_send(parcel()).is_ok()).count();
        assert_eq!(sent, 2);
        assert!(calm.try_send(parcel()).is_ok());
        assert!(arrivals.recv_timeout(SOON).is_ok());
        assert!(flood.try_send(parcel()).is_ok());
    }

    #[test]
    fn a_parcel_that_is_larger_than_all_the_room_goes_alone() {
        let (sender, arrivals) = channel();
        let source = sender.of_source(1);
        assert!(source.try_send(parcel()).is_ok());
        assert!(matches!(source.try_send(parcel()), Err(Refused::Full(_))));
        assert!(arrivals.recv_timeout(SOON).is_ok() && source.send(parcel()));
    }

    #[test]
    fn whoever_waits_for_room_is_let_go_when_nobody_takes_anything_any_more() {
        let (sender, arrivals) = channel();
        let source = sender.of_source(1);
        assert!(source.send(parcel()));
        let waits = std::thread::spawn(move || source.send(parcel()));
        std::thread::sleep(Duration::from_millis(20));
        drop(arrivals);
        assert!(!waits.join().unwrap());
    }
}
