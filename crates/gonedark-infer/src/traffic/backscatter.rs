//! Attacks with forged sources, by what their victims answer to addresses that never asked: RSDoS, by the rules of CAIDA's
//! corsaro (METHOD.md, "Backscatter").
//!
//! A telescope of unused addresses gets one in so many of a victim's answers. It sees no reflection, no attack from real
//! sources, none that is spread so thin over many victims that each answers fewer than 25 times, and none under a minute.

use super::place::mix;
use super::sketch::Distinct;
use crate::parameters::SECOND;
use crate::report::Interval;
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Networks of attackers that are counted one by one; of more the number is an estimate. Guess.
const ONE_BY_ONE: usize = 256;
/// Registers for them (2 to this power): a standard error of 3.3 %.
const NETWORK_BITS: u32 = 10;
/// How often those that were not heard for long are looked for, in microseconds: corsaro's slide. Guess.
const SWEEP: i64 = 10 * SECOND;

/// The rules of corsaro, each of them a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackscatterParameters {
    /// An attack has at least so many packets: corsaro.
    pub least_packets: u64,
    /// And lasts at least so long: corsaro.
    pub least_duration: i64,
    /// And has at least so many packets within some window: corsaro's 30 packets a minute.
    pub least_in_window: u64,
    /// The window: corsaro.
    pub window: i64,
    /// By how much the window slides: corsaro.
    pub slide: i64,
    /// A victim that was not heard for so long is done with: corsaro 2.
    pub expiry: i64,
    /// Victims that are kept at once. Guess: 400 MiB at the worst, of victims that each answer to
    /// hundreds of networks.
    pub max_victims: usize,
    /// Ports and networks that are remembered of one victim. Guess.
    pub max_remembered: usize,
}

impl Default for BackscatterParameters {
    fn default() -> Self {
        BackscatterParameters {
            least_packets: 25,
            least_duration: 60 * SECOND,
            least_in_window: 30,
            window: 60 * SECOND,
            slide: 10 * SECOND,
            expiry: 300 * SECOND,
            max_victims: 100_000,
            max_remembered: 64,
        }
    }
}

/// The packet that an ICMP error quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inner {
    /// Who seemed to have sent it.
    pub source: IpAddr,
    /// To whom: the victim.
    pub target: IpAddr,
    /// Its protocol.
    pub protocol: u8,
    /// The first two bytes after its header: the source port of TCP and UDP.
    pub source_port: u16,
    /// The next two: the target port.
    pub target_port: u16,
}

/// A packet that reached the telescope, as the caller decoded it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DarkPacket {
    /// When.
    pub at: Time,
    /// Who sent it.
    pub source: IpAddr,
    /// An address of the telescope.
    pub target: IpAddr,
    /// 1 ICMP, 6 TCP, 17 UDP.
    pub protocol: u8,
    /// TCP or UDP; 0 for others.
    pub source_port: u16,
    /// TCP or UDP; 0 for others.
    pub target_port: u16,
    /// Of TCP.
    pub tcp_flags: u8,
    /// Of ICMP: type and code.
    pub icmp: (u8, u8),
    /// Of an ICMP error.
    pub inner: Option<Inner>,
    /// From the IP header on.
    pub bytes: u64,
}

/// By what the victim was flooded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Flooded {
    /// It answered with SYN-ACK or RST, or errors quote TCP.
    Tcp,
    /// Errors quote UDP.
    Udp,
    /// It answered ICMP, or errors quote ICMP.
    Icmp,
}

impl Flooded {
    /// `tcp`, `udp`, `icmp`.
    pub const fn name(self) -> &'static str {
        match self {
            Flooded::Tcp => "tcp",
            Flooded::Udp => "udp",
            Flooded::Icmp => "icmp",
        }
    }
}

/// An attack that a telescope saw the echo of.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct BackscatterAttack {
    /// Who answers.
    pub victim: IpAddr,
    /// By what it is flooded.
    pub flooded: Flooded,
    /// The first packet; it may have begun before, as a telescope sees one in so many.
    pub first: Time,
    /// The last packet so far.
    pub last: Time,
    /// Whether nothing came of it for as long as is waited.
    pub is_over: bool,
    /// Packets that reached the telescope.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The most within a window, as packets a minute.
    pub most_per_minute: u64,
    /// Errors whose quoted sender is not the address that they were sent to.
    pub mismatches: u64,
    /// Distinct /16s (IPv6: /32s) of the addresses that the attacker wrote on his packets.
    pub attacker_networks: u64,
    /// Ports of the victim that answer, ascending; as many as are remembered.
    pub victim_ports: Vec<u16>,
    /// Ports that the attacker wrote on his packets, ascending; as many as are remembered.
    pub attacker_ports: Vec<u16>,
    /// What the victim answered in all in its worst minute, in packets a second, if the attacker forged addresses of the whole
    /// family alike: what arrived times [`Backscatter::scale`].
    pub pps_at_victim: u64,
}

impl BackscatterAttack {
    /// From the first packet to the last.
    pub fn span(&self) -> Interval {
        Interval { earliest: self.first, latest: self.last }
    }
}

/// A victim that is watched.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Victim {
    first: Time,
    last: Time,
    packets: u64,
    bytes: u64,
    mismatches: u64,
    most_in_window: u64,
    /// Packets by slide: its number and how many.
    slides: Vec<(i64, u64)>,
    /// The attackers' networks, and once they are many how many there are, about.
    networks: BTreeSet<u32>,
    many_networks: Option<Distinct>,
    victim_ports: BTreeSet<u16>,
    attacker_ports: BTreeSet<u16>,
    told: bool,
}

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

/// Which protocol, whose, and between which ports: what a packet says of a victim.
struct Echo {
    flooded: Flooded,
    victim: IpAddr,
    attacker: IpAddr,
    victim_port: u16,
    attacker_port: u16,
    is_mismatch: bool,
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

impl Victim {
    fn new(at: Time) -> Self {
        Victim {
            first: at,
            last: at,
            packets: 0,
            bytes: 0,
            mismatches: 0,
            most_in_window: 0,
            slides: Vec::new(),
            networks: BTreeSet::new(),
            many_networks: None,

            victim_ports: BTreeSet::new(),
            attacker_ports: BTreeSet::new(),
            told: false,
        }
    }

    fn hear(&mut self, at: Time, bytes: u64, echo: &Echo, parameters: &BackscatterParameters) {
        self.last = self.last.max(at);
        self.packets += 1;
        self.bytes += bytes;
        self.mismatches += u64::from(echo.is_mismatch);
        let slide = at.micros().div_euclid(parameters.slide.max(1));
        match self.slides.last_mut() {
            Some((number, count)) if *number == slide => *count += 1,
            _ => self.slides.push((slide, 1)),
        }
        let kept = (parameters.window / parameters.slide.max(1)).max(1);
        self.slides.retain(|(number, _)| slide - *number < kept);
        let in_window: u64 = self.slides.iter().map(|(_, count)| count).sum();
        self.most_in_window = self.most_in_window.max(in_window);
        let most = parameters.max_remembered;
        remember(&mut self.victim_ports, echo.victim_port, most);
        remember(&mut self.attacker_ports, echo.attacker_port, most);
        let network = match echo.attacker {
            IpAddr::V4(address) => u32::from(address) >> 16,
            IpAddr::V6(address) => (u128::from(address) >> 96) as u32,
        };
        match &mut self.many_networks {
            Some(many) => many.add(mix(u64::from(network))),
            None => {
                self.networks.insert(network);
                if self.networks.len() >= ONE_BY_ONE {
                    let mut many = Distinct::new(NETWORK_BITS);
                    std::mem::take(&mut self.networks).into_iter().for_each(|one| many.add(mix(one.into())));
                    self.many_networks = Some(many);
                }
            }
        }
    }

    fn is_attack(&self, parameters: &BackscatterParameters) -> bool {
        self.packets >= parameters.least_packets
            && self.last - self.first >= parameters.least_duration
            && self.most_in_window >= parameters.least_in_window
    }

    fn tell(
        &self,
        (flooded, victim): (Flooded, IpAddr),
        is_over: bool,
        scale: u64,
        parameters: &BackscatterParameters,
    ) -> BackscatterAttack {
        let window = (parameters.window / SECOND).max(1) as u64;
        BackscatterAttack {
            victim,
            flooded,
            first: self.first,
            last: self.last,
            is_over,
            packets: self.packets,
            bytes: self.bytes,
            most_per_minute: self.most_in_window * 60 / window,
            mismatches: self.mismatches,
            attacker_networks: match &self.many_networks {
                Some(many) => many.estimate(),
                None => self.networks.len() as u64,
            },
            victim_ports: self.victim_ports.iter().copied().collect(),
            attacker_ports: self.attacker_ports.iter().copied().collect(),
            pps_at_victim: self.most_in_window.saturating_mul(scale) / window,
        }
    }
}

fn remember<T: Ord>(known: &mut BTreeSet<T>, one: T, most: usize) {
    if known.len() < most {
        known.insert(one);
    }
}

/// What a packet says of a victim, if it is an answer to one that was never sent.
fn echo(packet: &DarkPacket) -> Option<Echo> {
    let DarkPacket { source, target, source_port, target_port, .. } = *packet;
    let direct = |flooded| Echo {
        flooded,
        victim: source,
        attacker: target,
        victim_port: source_port,
        attacker_port: target_port,
        is_mismatch: false,
    };
    match packet.protocol {
        6 => {
            let (syn_ack, rst) = (0b1_0010, 0b100);
            let is_answer = packet.tcp_flags & syn_ack == syn_ack || packet.tcp_flags & rst != 0;
            is_answer.then(|| direct(Flooded::Tcp))
        }
        1 => match packet.icmp.0 {
            0 | 14 | 16 | 18 => Some(direct(Flooded::Icmp)),
            // An error need not come from the victim: whom the quoted packet was for is the victim.
            3 | 4 | 5 | 11 | 12 => {
                let inner = packet.inner?;
                let flooded = match inner.protocol {
                    6 => Flooded::Tcp,
                    17 => Flooded::Udp,
                    1 => Flooded::Icmp,
                    _ => return None,
                };
                let ports =
                    if flooded == Flooded::Icmp { (0, 0) } else { (inner.target_port, inner.source_port) };
                Some(Echo {
                    flooded,
                    victim: inner.target,
                    attacker: target,
                    victim_port: ports.0,
                    attacker_port: ports.1,
                    is_mismatch: inner.source != target,
                })
            }
            _ => None,
        },
        _ => None,
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
