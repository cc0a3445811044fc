//! Which connection speaks for a router: the newest one. An older one, which may be dead without a word, has nothing more
//! to say.

use crate::source::batch::Neighbour;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who has each name. The lock of all names is never held while somebody waits for one name's, which may take as long as
/// the observatory is busy.
#[derive(Default)]
pub(super) struct Names {
    held: Mutex<HashMap<String, Arc<Mutex<Holder>>>>,
    /// All that were ever taken: each is a collector from then on.
    taken: Mutex<HashSet<String>>,
}

/// Names that are taken since the start: collectors are numbered with 16 bits, and each takes memory for ever. Guess: far more
/// than a network has routers.
const MOST: usize = 4096;

/// Why a name is not to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A router at another address has it.
    Elsewhere,
    /// There were too many others.
    TooMany,
}

/// Who has a name.
#[derive(Default)]
pub(super) struct Holder {
    /// The newest connection; each that takes the name gets the next number.
    number: u64,
    /// From where it is connected; `None` where it is not.
    address: Option<IpAddr>,
    /// Neighbours that it has told to be up.
    up: HashSet<Neighbour>,
}

/// A name that a connection has taken.
pub(super) struct Claim {
    holder: Arc<Mutex<Holder>>,
    number: u64,
    /// Neighbours that a connection before, which was not seen to end, has told to be up: nobody else takes them down.
    pub(super) before: HashSet<Neighbour>,
}

impl Names {
    /// Takes a name for a connection. What the connection before is sending is waited for: it comes before all that this
    /// one sends.
    ///
    /// # Errors
    /// Somebody else has it, or nobody gets a new one any more.
    pub(super) fn take(&self, name: &str, address: IpAddr) -> Result<Claim, Refusal> {
        let holder = self.holder(name);
        let mut held = lock(&holder);
        if held.address.is_some_and(|other| other != address) {
            return Err(Refusal::Elsewhere);
        }
        let mut taken = lock(&self.taken);
        if !taken.contains(name) {
            if taken.len() >= MOST {
                return Err(Refusal::TooMany);
            }
            taken.insert(name.to_owned());
        }
        drop(taken);
        held.number += 1;
        held.address = Some(address);
        let (number, before) = (held.number, std::mem::take(&mut held.up));
        drop(held);
        Ok(Claim { holder, number, before })
    }

    fn holder(&self, name: &str) -> Arc<Mutex<Holder>> {
        let mut names = lock(&self.held);
        // Names that no connection has any more are forgotten: a router with ever new ones takes no memory.
        names.retain(|_, holder| Arc::strong_count(holder) > 1);
        Arc::clone(names.entry(name.to_owned()).or_default())
    }
}

impl Claim {
    /// The right to speak for the router, which nobody else gets before this is dropped: what is sent meanwhile comes before
    /// all that a newer connection sends. `None` where there is a newer one.
    pub(super) fn hold(&self) -> Option<MutexGuard<'_, Holder>> {
        Some(lock(&self.holder)).filter(|held| held.number == self.number)
    }
}

impl Holder {
    /// The connection is gone: a router at another address may take the name.
    pub(super) fn release(&mut self) {
        self.address = None;
        self.up.clear();
    }

    /// Notes who is up, by what is about to be sent.
    pub(super) fn note(&mut self, up: &HashSet<Neighbour>) {
        if self.up != *up {
            self.up.clone_from(up);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_new_connection_waits_for_what_the_old_one_sends_and_the_old_one_sends_nothing_more() {
        let names = Names::default();
        let old = names.take("edge", HERE).expect("it is free");
        std::thread::scope(|scope| {
            let sends = old.hold().expect("it is the newest");
            let new = scope.spawn(|| names.take("edge", HERE).expect("it is the same router's"));
            std::thread::sleep(Duration::from_millis(20));
            assert!(!new.is_finished());
            drop(sends);
            let new = new.join().expect("it gets the name");
            assert!(old.hold().is_none() && new.hold().is_some());
        });
    }

    #[test]
    fn who_was_up_of_a_connection_that_was_not_seen_to_end_is_left_to_the_next() {
        let names = Names::default();
        let up = HashSet::from([Neighbour { asn: gonedark_route::Asn(64_500), address: THERE }]);
        let old = names.take("edge", HERE).expect("it is free");
        assert!(old.before.is_empty());
        old.hold().expect("it is the newest").note(&up);
        let new = names.take("edge", HERE).expect("it is the same router's");
        assert_eq!(new.before, up);
        new.hold().expect("it is the newest").release();
        assert!(names.take("edge", HERE).expect("it is free").before.is_empty());
    }

    #[test]
    fn while_one_name_is_waited_for_others_are_to_be_had() {
        let names = Names::default();
        let busy = names.take("edge", HERE).expect("it is free");
        let sends = busy.hold().expect("it is the newest");
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| names.take("edge", HERE).is_ok());
            std::thread::sleep(Duration::from_millis(20));
            assert!(names.take("core", HERE).is_ok());
            drop(sends);
            assert!(waits.join().expect("it gets the name"));
        });
    }

    #[test]
    fn a_router_elsewhere_gets_a_name_only_when_its_connection_is_gone() {
        let names = Names::default();
        let first = names.take("GoBGP", HERE).expect("it is free");
        assert!(names.take("GoBGP", THERE).is_err());
        first.hold().expect("it is the newest").release();
        assert!(names.take("GoBGP", THERE).is_ok() && first.hold().is_none());
    }

    #[test]
    fn who_invents_names_gets_no_more_of_them_and_those_that_are_known_stay_to_be_had() {
        let names = Names::default();
        for number in 0..MOST {
            names.take(&number.to_string(), HERE).expect("there is room");
        }
        assert_eq!(names.take("another", HERE).err(), Some(Refusal::TooMany));
        assert!(names.take("7", HERE).is_ok());
    }

    #[test]
    fn names_of_those_who_are_gone_take_no_memory() {
        let names = Names::default();
        let kept = names.take("edge", HERE).expect("it is free");
        for number in 0..1000 {
            assert!(names.take(&number.to_string(), HERE).is_ok());
        }
        assert!(lock(&names.held).len() <= 2 && kept.hold().is_some());
    }
}
