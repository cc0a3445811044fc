//! What one router says over BMP, from bytes to observations. It knows the time only as it is told.

use super::super::batch::{Neighbour, Observation, Spare};
use super::super::filling::{Filling, PER_STREAM};
use super::super::live::Health;
use super::super::parcel::{Parcel, Part, StreamKey};
use super::super::stamp::{Grain, Stamps};
use super::{Distinguisher, Settings};
use gonedark_decode::bmp::{self, Decoder, Frame, Message, PeerType, PerPeer, View, tlv};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use std::collections::HashSet;
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[cfg(test)]
mod tests;

/// Which of a router's tables are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Adj-RIB-In before policy.
    PrePolicy,
    /// Adj-RIB-In after policy.
    PostPolicy,
    /// Loc-RIB: the router is its own only peer.
    LocRib,
}

impl Taken {
    fn takes_session(self, view: View) -> bool {
        (self == Taken::LocRib) == matches!(view, View::LocRib { .. })
    }

    fn takes(self, view: View) -> bool {
        matches!(
            (self, view),
            (Taken::PrePolicy, View::InPrePolicy)
                | (Taken::PostPolicy, View::InPostPolicy)
                | (Taken::LocRib, View::LocRib { .. })
        )
    }
}

/// A connection of a router, without the connection.
pub struct Router {
    source: String,
    view: Taken,
    vrf: Option<Distinguisher>,
    pub(super) key: Arc<StreamKey>,
    pub(super) filling: Filling,
    stamps: Stamps,
    grain: Grain,
    decoder: Decoder,
    bytes: Vec<u8>,
    /// So many of them are needed before they say more.
    needed: usize,
    offset: u64,
    /// Whether anything was handed on: then the numbers go on.
    begun: bool,
    /// Neighbours whose sessions are up: of those that have a number.
    pub(super) up: HashSet<Neighbour>,
    /// Those of a connection before of which nobody has told the end.
    before: HashSet<Neighbour>,
    /// Messages that could not be read.
    damaged: u64,
    /// Whether it tells of routing instances that are not taken.
    has_others: bool,
}

impl Router {
    /// One that has just connected from an address.
    pub fn new(settings: &Settings, from: IpAddr) -> Self {
        let key = StreamKey {
            source: settings.name.clone(),
            collector: format!("{}/{from}", settings.name),
            part: Part::Messages,
        };
        Router {
            source: settings.name.clone(),
            view: settings.view,
            vrf: settings.vrf,
            key: Arc::new(key),
            filling: Filling::new(Spare::default(), PER_STREAM),
            stamps: Stamps::new(settings.hold),
            grain: Grain::default(),
            decoder: Decoder::new(),
            bytes: Vec::new(),
            needed: 0,
            offset: 0,
            begun: false,
            up: HashSet::new(),
            before: HashSet::new(),
            damaged: 0,
            has_others: false,
        }
    }

    /// Takes what was received at `now`; tells why the connection ends where the router says so.
    pub fn take(&mut self, received: &[u8], now: Time, health: &Health) -> Option<String> {
        self.bytes.extend_from_slice(received);
        // Else damage would be searched for its end anew with every byte.
        if self.bytes.len() < self.needed {
            return None;
        }
        let bytes = std::mem::take(&mut self.bytes);
        let mut used = 0;
        let mut ends = None;
        while ends.is_none() {
            match bmp::frame(&bytes[used..], self.offset + used as u64) {
                Frame::Message { message, consumed } => {
                    used += consumed;
                    health.messages.fetch_add(1, Ordering::Relaxed);
                    ends = self.message(message, now, health);
                }
                Frame::NeedMore { at_least } => {
                    self.needed = at_least;
                    break;
                }
                Frame::Damaged { error, skip } => {
                    used += skip;
                    self.unread(&error, now, health);
                }
            }
        }
        self.offset += used as u64;
        self.bytes = bytes;
        self.bytes.drain(..used);
        ends
    }

    fn message(&mut self, raw: bmp::RawMessage<'_>, now: Time, health: &Health) -> Option<String> {
        let Router { decoder, view, vrf, filling, stamps, grain, up, .. } = self;
        let mut time = |peer: &PerPeer| stamps.of(grain.fine(peer.at), now);
        let vrf = *vrf;
        let takes = |peer: &PerPeer| view.takes(peer.view) && is_of(vrf, peer);
        // Routers tell of sessions with the flags of any of a neighbour's tables.
        let of_ours = |peer: &PerPeer| view.takes_session(peer.view) && is_of(vrf, peer);
        let of_another = |peer: &PerPeer| view.takes_session(peer.view) && !is_of(vrf, peer);
        match decoder.decode(raw) {
            Ok(Message::RouteMonitoring { peer, update }) if takes(&peer) => {
                filling.update(time(&peer), neighbour(&peer), &update);
            }
            Ok(Message::Damaged { peer, error }) if takes(&peer) => {
                let damaged = |peer| Observation::Damaged { peer: Some(peer) };
                filling.of_peer(time(&peer), neighbour(&peer), damaged);
                self.damage(&error, health);
            }
            // Told once for each of its tables: the first time counts.
            Ok(Message::PeerUp { peer, .. }) if of_ours(&peer) => {
                let neighbour = neighbour(&peer);
                // Nothing is said of who gets no number: a router that invents neighbours takes no memory.
                if filling.peer(neighbour).is_some() && up.insert(neighbour) {
                    let is_up = |peer| Observation::Session { peer, established: true };
                    filling.of_peer(time(&peer), neighbour, is_up);
                }
            }
            // Also of one that was never up: some routers tell of those.
            Ok(Message::PeerDown { peer, .. }) if of_ours(&peer) => {
                up.remove(&neighbour(&peer));
                let down = |peer| Observation::Session { peer, established: false };
                filling.of_peer(time(&peer), neighbour(&peer), down);
            }
            Ok(
                Message::RouteMonitoring { peer, .. }
                | Message::Damaged { peer, .. }
                | Message::PeerUp { peer, .. }
                | Message::PeerDown { peer, .. },
            ) if of_another(&peer) => self.leave_out(&peer, health),
            Ok(Message::Initiation(tlvs)) => {
                let name = tlvs.first(tlv::SYSTEM_NAME).and_then(|name| std::str::from_utf8(name).ok());
                let name = name.map(|name| name.trim().to_owned());
                self.name(name, health);
            }
            Ok(Message::Termination(tlvs)) => {
                return Some(format!("it said goodbye, reason {}", tlvs.reason().unwrap_or(1)));
            }
            Ok(_) => {}
            Err(error) => self.unread(&error, now, health),
        }
        None
    }

    /// The router's own name makes it known over several addresses; it counts only before anything was handed on.
    fn name(&mut self, name: Option<String>, health: &Health) {
        if let Some(name) = name.filter(|name| !name.is_empty() && name.len() <= 255 && !self.begun) {
            // Its state stands under one name, however many it tells before it settles.
            health.session(&self.key.collector, None);
            // With the source's name before it: a router must not pass for a collector of somebody else.
            self.rename(format!("{}/{name}", self.source));
        }
        health.session(&self.key.collector, Some(self.state().into()));
    }

    /// What it is at, for people.
    pub(super) fn state(&self) -> &'static str {
        if self.has_others { "connected; other routing instances of it are left out" } else { "connected" }
    }

    /// Something of an instance that was not asked for is not taken: told once.
    fn leave_out(&mut self, peer: &PerPeer, health: &Health) {
        if !std::mem::replace(&mut self.has_others, true) {
            let router = &self.key.collector;
            let instance = match peer.kind {
                PeerType::Global => "global".to_owned(),
                _ => Distinguisher(peer.distinguisher).to_string(),
            };
            tracing::warn!(
                router,
                instance,
                "a router tells of other routing instances too: they are left out; vrf in [[source.bmp]] chooses the one \
                 that holds the Internet"
            );
            health.session(router, Some(self.state().into()));
        }
    }

    pub(super) fn rename(&mut self, collector: String) {
        self.key = Arc::new(StreamKey { collector, ..(*self.key).clone() });
    }

    /// Whether it has said anything of routes or sessions.
    pub(super) fn has_spoken(&self) -> bool {
        self.begun || !self.filling.batch.observations.is_empty()
    }

    /// Something of the connection could not be read: nobody knows of whom it was.
    fn unread(&mut self, why: &dyn Display, now: Time, health: &Health) {
        self.damage(why, health);
        let at = self.stamps.of(None, now);
        self.filling.batch.observations.push((at, Observation::Damaged { peer: None }));
    }

    /// Counts what cannot be read or trusted. It is told where there is twice as much as before.
    fn damage(&mut self, why: &dyn Display, health: &Health) {
        self.damaged += 1;
        health.damaged.fetch_add(1, Ordering::Relaxed);
        let (router, damaged) = (&self.key.collector, self.damaged);
        if damaged.is_power_of_two() {
            tracing::warn!(router, %why, damaged, "part of a BMP connection cannot be read or trusted");
        }
    }

    /// Takes over the neighbours that a connection before has told to be up, and of which nothing more will be heard from it:
    /// down with the first that is handed on, since who is still there was told of already by this connection.
    pub(super) fn inherit(&mut self, before: HashSet<Neighbour>) {
        self.before = before;
    }

    /// What was taken, and how far it speaks; nothing before the first observation.
    pub fn hand_on(&mut self, now: Time) -> Option<Parcel> {
        if !self.has_spoken() {
            return None;
        }
        let mark = self.stamps.promise(now);
        let fresh = !std::mem::replace(&mut self.begun, true);
        let said = self.filling.batch.observations.len();
        if fresh {
            // Before all else, whatever the order of their times.
            let at = self.filling.batch.observations.iter().map(|(at, _)| *at).min().unwrap_or(now);
            for neighbour in std::mem::take(&mut self.before) {
                let down = |peer| Observation::Session { peer, established: false };
                self.filling.of_peer(at, neighbour, down);
            }
            // Who was there before is seen again from its first message on.
            self.filling.batch.observations.push((at, Observation::GapEnd));
        }
        let mut batch = self.filling.take();
        batch.observations.rotate_left(said);
        batch.sort();
        Some(Parcel { batch, fresh, mark, ..Parcel::of(&self.key) })
    }

    /// The connection is gone: nobody sees through this router any more.
    pub fn gone(mut self, now: Time) -> Option<Parcel> {
        if !self.begun {
            return None;
        }
        let at = self.stamps.of(None, now);
        // Who is still there is told of when it connects again; who is not would otherwise be there for ever.
        for neighbour in std::mem::take(&mut self.up) {
            let down = |peer| Observation::Session { peer, established: false };
            self.filling.of_peer(at, neighbour, down);
        }
        let begin = Observation::GapBegin { reason: BlindReason::SessionDown };
        self.filling.batch.observations.push((at, begin));
        let batch = self.filling.take();
        Some(Parcel { batch, mark: Some(at), closed: true, ..Parcel::of(&self.key) })
    }
}

/// Whether it is of a routing instance: the global one where none is named. In another one other neighbours may have the same
/// addresses (RFC 7854 section 4.2), and what they say is mostly not of the public Internet.
fn is_of(vrf: Option<Distinguisher>, peer: &PerPeer) -> bool {
    match vrf {
        None => peer.kind == PeerType::Global || peer.distinguisher == 0,
        Some(Distinguisher(number)) => peer.kind != PeerType::Global && peer.distinguisher == number,
    }
}

fn neighbour(peer: &PerPeer) -> Neighbour {
    let address = match peer.view {
        // A Loc-RIB has no neighbour: the router stands for itself.
        View::LocRib { .. } => IpAddr::V4(peer.identifier),
        _ => peer.address,
    };
    Neighbour { asn: peer.asn, address }
}
