//! Attacks with forged sources, by what their victims answer to addresses that never asked: RSDoS, by the rules of CAIDA's
//! corsaro (METHOD.md, "Backscatter").
//!
//! A telescope of unused addresses gets one in so many of a victim's answers. It sees no reflection, no attack from real
//! sources, none that is spread so thin over many victims that each answers fewer than 25 times, and none under a minute.

mod attack;
mod echo;
mod rules;
mod victim;

pub use attack::{BackscatterAttack, Flooded};
pub use echo::{DarkPacket, Inner};
pub use rules::BackscatterParameters;

use crate::parameters::SECOND;
use echo::echo;
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use victim::Victim;

/// How often those that were not heard for long are looked for, in microseconds: corsaro's slide. Guess.
const SWEEP: i64 = 10 * SECOND;

/// What a telescope sees of attacks.
///
/// Feed it in order of time; what comes late is taken as of now.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Backscatter {
    #[serde(skip)]
    parameters: BackscatterParameters,
    /// Addresses of the telescope.
    addresses: u64,
    victims: BTreeMap<(Flooded, IpAddr), Victim>,
    now: Time,
    next_sweep: Time,
    packets: u64,
    others: u64,
    refused: u64,
    finished: Vec<BackscatterAttack>,
    changed: BTreeSet<(Flooded, IpAddr)>,
}

impl Backscatter {
    /// A telescope of so many IPv4 addresses that saw nothing yet.
    pub fn new(parameters: BackscatterParameters, addresses: u64) -> Self {
        Backscatter {
            parameters,
            addresses,
            victims: BTreeMap::new(),
            now: Time::MIN,
            next_sweep: Time::MIN,
            packets: 0,
            others: 0,
            refused: 0,
            finished: Vec::new(),
            changed: BTreeSet::new(),
        }
    }

    /// Goes on with the rules that were in force before: they are not kept with the rest.
    pub fn go_on(mut self, parameters: BackscatterParameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// Of how many of a victim's answers one arrives, where the attacker forges addresses of all IPv4 alike.
    pub fn scale(&self) -> u64 {
        (1_u64 << 32) / self.addresses.max(1)
    }

    /// The least that is seen at all, in packets a second that the victim answers: 128 of a telescope of a /8, 33 thousand of
    /// one of a /16, 8.4 million of one of a /24.
    pub fn least_pps(&self) -> u64 {
        let window = (self.parameters.window / SECOND).max(1) as u64;
        self.scale().saturating_mul(self.parameters.least_in_window).div_ceil(window)
    }

    /// One packet that reached the telescope.
    pub fn packet(&mut self, packet: &DarkPacket) {
        self.advance(packet.at);
        self.packets += 1;
        let Some(echo) = echo(packet) else {
            self.others += 1;
            return;
        };
        let at = packet.at.max(self.now);
        let key = (echo.flooded, echo.victim);
        // Met again before it was looked for: what comes now is another attack.
        if self.victims.get(&key).is_some_and(|known| at - known.last >= self.parameters.expiry) {
            self.finish(key);
        }
        if !self.victims.contains_key(&key) && self.victims.len() >= self.parameters.max_victims {
            self.refused += 1;
            return;
        }
        let victim = self.victims.entry(key).or_insert_with(|| Victim::new(at));
        victim.hear(at, packet.bytes, &echo, &self.parameters);
        if !victim.told && victim.is_attack(&self.parameters) {
            victim.told = true;
            self.changed.insert(key);
        }
    }

    /// Everything before `now` was told.
    pub fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
        if self.now < self.next_sweep {
            return;
        }
        let expiry = self.parameters.expiry;
        let done: Vec<(Flooded, IpAddr)> = self
            .victims
            .iter()
            .filter(|(_, victim)| self.now - victim.last >= expiry)
            .map(|(key, _)| *key)
            .collect();
        for key in done {
            self.finish(key);
        }
        self.next_sweep = self.now + SWEEP;
    }

    fn finish(&mut self, key: (Flooded, IpAddr)) {
        let Some(victim) = self.victims.remove(&key) else { return };
        self.changed.remove(&key);
        if victim.is_attack(&self.parameters) {
            self.finished.push(victim.tell(key, true, self.scale(), &self.parameters));
        }
    }

    /// Attacks that became ones or were over since the last call, as they are now; those that are over are forgotten.
    pub fn news(&mut self) -> Vec<BackscatterAttack> {
        let scale = self.scale();
        let changed = std::mem::take(&mut self.changed);
        let known = changed.iter().filter_map(|key| Some((key, self.victims.get(key)?)));
        let mut news: Vec<BackscatterAttack> =
            known.map(|(key, victim)| victim.tell(*key, false, scale, &self.parameters)).collect();
        news.append(&mut self.finished);
        news.sort_by_key(|attack| (attack.flooded, attack.victim, attack.first));
        news
    }

    /// Every attack that goes on, and those that are over and were not yet told with [`Backscatter::news`].
    pub fn report(&self) -> Vec<BackscatterAttack> {
        let scale = self.scale();
        let open = self.victims.iter().filter(|(_, victim)| victim.is_attack(&self.parameters));
        let open = open.map(|(key, victim)| victim.tell(*key, false, scale, &self.parameters));
        let mut attacks: Vec<BackscatterAttack> = open.chain(self.finished.iter().cloned()).collect();
        attacks.sort_by_key(|attack| (attack.flooded, attack.victim, attack.first));
        attacks
    }

    /// Packets taken, those of them that are no backscatter, and those for whose victims there was no room.
    pub fn counts(&self) -> (u64, u64, u64) {
        (self.packets, self.others, self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const BEGIN: i64 = 1_419_033_600;

    fn victim() -> IpAddr {
        Ipv4Addr::new(175, 45, 176, 8).into()
    }

    fn dark(number: u32) -> IpAddr {
        Ipv4Addr::from(0x2c00_0000 | number.wrapping_mul(0x9e37_79b1) >> 8).into()
    }

    fn syn_ack(number: u32, millis: i64) -> DarkPacket {
        DarkPacket {
            at: Time::from_micros(BEGIN * SECOND + millis * 1_000),
            source: victim(),
            target: dark(number),
            protocol: 6,
            source_port: 80,
            target_port: 1_024 + number as u16,
            tcp_flags: 0b1_0010,
            icmp: (0, 0),
            inner: None,
            bytes: 44,
        }
    }

    fn slash_8() -> Backscatter {
        Backscatter::new(BackscatterParameters::default(), 1 << 24)
    }

    /// Packets, evenly over a time.
    fn heard(count: u32, over_millis: i64) -> Vec<BackscatterAttack> {
        let mut telescope = slash_8();
        for number in 0..count {
            let at = i64::from(number) * over_millis / i64::from(count - 1);
            telescope.packet(&syn_ack(number, at));
        }
        telescope.report()
    }

    #[test]
    fn each_of_corsaros_three_thresholds_decides() {
        assert_eq!(heard(61, 60_000).len(), 1);
        // One packet too few: 24.
        let parameters = BackscatterParameters { least_in_window: 1, ..Default::default() };
        let mut telescope = Backscatter::new(parameters, 1 << 24);
        for number in 0..24 {
            telescope.packet(&syn_ack(number, i64::from(number) * 3_000));
        }
        assert_eq!(telescope.report().len(), 0);
        telescope.packet(&syn_ack(24, 75_000));
        assert_eq!(telescope.report().len(), 1);
        // A second too short; too thin.
        assert_eq!(heard(61, 59_999).len(), 0);
        assert_eq!(heard(61, 180_000).len(), 0);
        assert_eq!(heard(61, 100_000).len(), 1);
    }

    #[test]
    fn what_a_telescope_can_see_depends_on_its_size() {
        let of = |addresses| Backscatter::new(BackscatterParameters::default(), addresses);
        assert_eq!((of(1 << 24).scale(), of(1 << 24).least_pps()), (256, 128));
        assert_eq!(of((1 << 23) + (1 << 22)).least_pps(), 171);
        assert_eq!(of(1 << 16).least_pps(), 32_768);
        assert_eq!(of(1 << 8).least_pps(), 8_388_608);
    }

    #[test]
    fn the_victim_of_an_error_is_whom_the_quoted_packet_was_for() {
        let mut telescope = slash_8();
        for number in 0..100 {
            let mut packet = syn_ack(number, i64::from(number) * 1_000);
            packet.protocol = 1;
            packet.icmp = (3, 3);
            packet.source = Ipv4Addr::new(10, 0, 0, 1).into();
            let source = if number == 0 { victim() } else { packet.target };
            packet.inner =
                Some(Inner { source, target: victim(), protocol: 17, source_port: 4_000, target_port: 53 });
            telescope.packet(&packet);
        }
        let attacks = telescope.report();
        assert_eq!(attacks.len(), 1);
        assert_eq!((attacks[0].victim, attacks[0].flooded), (victim(), Flooded::Udp));
        assert_eq!((attacks[0].mismatches, &attacks[0].victim_ports[..]), (1, &[53][..]));
        assert_eq!(attacks[0].attacker_ports, [4_000]);
    }

    #[test]
    fn tcp_udp_and_icmp_of_one_victim_are_attacks_of_their_own() {
        let mut telescope = slash_8();
        for number in 0..100 {
            telescope.packet(&syn_ack(number, i64::from(number) * 1_000));
            let mut reply = syn_ack(number, i64::from(number) * 1_000);
            (reply.protocol, reply.icmp) = (1, (0, 0));
            telescope.packet(&reply);
        }
        let flooded: Vec<Flooded> = telescope.report().iter().map(|attack| attack.flooded).collect();
        assert_eq!(flooded, [Flooded::Tcp, Flooded::Icmp]);
    }

    #[test]
    fn scans_and_plain_udp_are_no_backscatter() {
        let mut telescope = slash_8();
        for number in 0..200 {
            let mut packet = syn_ack(number, i64::from(number) * 1_000);
            packet.tcp_flags = 0b10;
            telescope.packet(&packet);
            packet.protocol = 17;
            telescope.packet(&packet);
            (packet.protocol, packet.icmp) = (1, (8, 0));
            telescope.packet(&packet);
        }
        assert_eq!((telescope.report().len(), telescope.counts()), (0, (600, 600, 0)));
    }

    #[test]
    fn after_five_minutes_without_a_packet_an_attack_is_over_and_told_once_more() {
        let mut telescope = slash_8();
        for number in 0..100 {
            telescope.packet(&syn_ack(number, i64::from(number) * 1_000));
        }
        let first = telescope.news();
        assert_eq!((first.len(), first[0].is_over), (1, false));
        assert_eq!(telescope.news(), []);
        telescope.advance(Time::from_seconds(BEGIN + 99 + 299));
        assert_eq!(telescope.news(), []);
        telescope.advance(Time::from_seconds(BEGIN + 99 + 310));
        let last = telescope.news();
        assert_eq!((last.len(), last[0].is_over, last[0].packets), (1, true, 100));
        assert!((80..=100).contains(&last[0].attacker_networks), "{}", last[0].attacker_networks);
        assert_eq!(last[0].pps_at_victim, 256);
        // What comes then is a new one, and not yet an attack.
        telescope.packet(&syn_ack(7, 500_000));
        assert_eq!(telescope.report(), []);
    }
}
