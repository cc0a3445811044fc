//! AS paths out of who buys from whom.
//!
//! A path climbs from the peer to the backbone and down to the origin (Gao and Rexford, "Stable Internet Routing
//! Without Global Coordination", 2001, in its simplest form): every AS without upstreams is linked with every other.

use super::prng::SplitMix64;
use gonedark_route::Asn;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A climb longer than this is cut: real ones have fewer than ten ASes (guess with room).
const LONGEST_CLIMB: usize = 16;

/// Who buys from whom.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    seed: u64,
    backbone: Vec<Asn>,
    upstreams: BTreeMap<Asn, Vec<Asn>>,
}

impl Topology {
    pub(crate) fn new(seed: u64, backbone: Vec<Asn>, upstreams: BTreeMap<Asn, Vec<Asn>>) -> Self {
        Topology { seed, backbone, upstreams }
    }

    /// An AS that reaches itself through its upstreams, if there is one.
    pub(crate) fn cycle(&self) -> Option<Asn> {
        self.upstreams.keys().copied().find(|start| {
            let mut seen = Vec::new();
            let mut open: Vec<Asn> = self.upstreams[start].clone();
            while let Some(asn) = open.pop() {
                if !seen.contains(&asn) {
                    seen.push(asn);
                    open.extend(self.upstreams.get(&asn).into_iter().flatten());
                }
            }
            seen.contains(start)
        })
    }

    /// The upstream that `asn` uses on the way from `peer`; an AS that the scenario does not describe buys from one
    /// to three of the backbone.
    fn upstream(&self, asn: Asn, peer: Asn, salt: u8) -> Option<Asn> {
        if self.backbone.contains(&asn) {
            return None;
        }
        let mut choice = SplitMix64::stream(self.seed, &[asn.0.into(), peer.0.into(), salt.into()]);
        if let Some(named) = self.upstreams.get(&asn) {
            return named.get(choice.below(named.len())).copied();
        }
        let mut drawn = SplitMix64::stream(self.seed, &[asn.0.into()]);
        let start = drawn.below(self.backbone.len());
        let count = 1 + drawn.below(3);
        self.backbone.get((start + choice.below(count)) % self.backbone.len()).copied()
    }

    fn climb(&self, mut chain: Vec<Asn>, peer: Asn, salt: u8) -> Vec<Asn> {
        while let Some(last) = chain.last()
            && chain.len() < LONGEST_CLIMB
            && let Some(next) = self.upstream(*last, peer, salt)
            && !chain.contains(&next)
        {
            chain.push(next);
        }
        chain
    }

    /// The path that `peer` gives to a network of `origin`, the peer first. `salt` picks among alternatives.
    fn path(&self, peer: Asn, origin: Asn, via: &[Asn], salt: u8) -> Vec<Asn> {
        let below: Vec<Asn> = std::iter::once(origin).chain(via.iter().copied()).collect();
        let down = self.climb(below, peer, salt);
        let mut path = self.climb(vec![peer], peer, 0);
        let meeting = path.iter().position(|asn| down.contains(asn));
        let rest = match meeting {
            Some(index) => {
                let joint = path[index];
                path.truncate(index);
                down.iter().position(|asn| *asn == joint).map_or(0, |position| position + 1)
            }
            None => down.len(),
        };
        path.extend(down[..rest].iter().rev());
        path
    }
}

/// The paths in use, each made once: bounded by peers x origins x salts.
#[derive(Default)]
pub(crate) struct Paths(HashMap<(Asn, Asn, u16, u8), Arc<[Asn]>>);

impl Paths {
    pub(crate) fn get(
        &mut self,
        topology: &Topology,
        vias: &[Vec<Asn>],
        (peer, origin, via, salt): (Asn, Asn, u16, u8),
    ) -> Arc<[Asn]> {
        let entry = self.0.entry((peer, origin, via, salt));
        let made = || topology.path(peer, origin, &vias[usize::from(via)], salt).into();
        Arc::clone(entry.or_insert_with(made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let upstreams = [(131_279, vec![4837]), (4837, vec![1239]), (30_844, vec![3356])];
        let upstreams =
            upstreams.into_iter().map(|(asn, ups)| (Asn(asn), ups.into_iter().map(Asn).collect())).collect();
        Topology::new(7, vec![Asn(1239), Asn(3356)], upstreams)
    }

    #[test]
    fn a_path_climbs_to_the_backbone_and_down_to_the_origin() {
        let path = topology().path(Asn(30_844), Asn(131_279), &[], 0);
        assert_eq!(path, [30_844, 3356, 1239, 4837, 131_279].map(Asn));
    }

    #[test]
    fn a_path_turns_at_the_first_common_as_and_follows_a_given_way_out() {
        assert_eq!(topology().path(Asn(4837), Asn(131_279), &[], 3), [4837, 131_279].map(Asn));
        let around = topology().path(Asn(30_844), Asn(131_279), &[Asn(3356)], 0);
        assert_eq!(around, [30_844, 3356, 131_279].map(Asn));
        assert_eq!(topology().path(Asn(131_279), Asn(131_279), &[], 0), [Asn(131_279)]);
    }

    #[test]
    fn a_ring_of_upstreams_is_found() {
        assert_eq!(topology().cycle(), None);
        let ring = BTreeMap::from([(Asn(1), vec![Asn(2)]), (Asn(2), vec![Asn(1)])]);
        assert_eq!(Topology::new(0, vec![], ring).cycle(), Some(Asn(1)));
    }
}
