//! What a flow looks like: the kind of misuse that it may be part of, and the service that it seems to come from.

use gonedark_route::Flow;

/// Kinds of traffic that have thresholds of their own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Misuse {
    /// TCP SYN without anything after it.
    SynFlood = 0,
    /// SYN-ACK or RST without a conversation, or flags that no TCP sends: reflected, or made up.
    TcpReflection = 1,
    /// Acknowledgements without data, of TCP or of QUIC.
    AckFlood = 2,
    /// Answers of a UDP service that gives back more than it is asked.
    Amplification = 3,
    /// Other UDP.
    UdpFlood = 4,
    /// ICMP and ICMPv6.
    IcmpFlood = 5,
    /// Fragments of larger packets.
    Fragments = 6,
    /// Neither TCP, UDP nor ICMP.
    OtherProtocol = 7,
    /// TCP with data, QUIC: what people want. An attack only where it is far more than anything else would have to be.
    Conversation = 8,
    /// All of these together but conversations and acknowledgements.
    Total = 9,
}

impl Misuse {
    /// Every kind that a flow can be of, in order.
    pub const OF_FLOWS: [Misuse; 9] = [
        Misuse::SynFlood,
        Misuse::TcpReflection,
        Misuse::AckFlood,
        Misuse::Amplification,
        Misuse::UdpFlood,
        Misuse::IcmpFlood,
        Misuse::Fragments,
        Misuse::OtherProtocol,
        Misuse::Conversation,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Misuse::SynFlood => "tcp_syn",
            Misuse::TcpReflection => "tcp_reflection",
            Misuse::AckFlood => "ack",
            Misuse::Amplification => "udp_amplification",
            Misuse::UdpFlood => "udp",
            Misuse::IcmpFlood => "icmp",
            Misuse::Fragments => "fragments",
            Misuse::OtherProtocol => "other_protocol",
            Misuse::Conversation => "conversation",
            Misuse::Total => "total",
        }
    }

    /// Whether it is part of [`Misuse::Total`].
    pub(crate) const fn is_in_total(self) -> bool {
        !matches!(self, Misuse::AckFlood | Misuse::Conversation | Misuse::Total)
    }
}

/// UDP services that are known to amplify, by their port, with the sizes of packet that betray it.
///
/// The ports of NTP (large packets), L2TP (500 bytes and more) and most others are those of Sightline's misuse types; those
/// of ISAKMP, BACnet, DHDiscover and ARD are of attacks that were recorded. DNS, ISAKMP: sizes are guesses.
const AMPLIFIERS: [Amplifier; 34] = [
    Amplifier::new(17, "qotd"),
    Amplifier::new(19, "chargen"),
    Amplifier { least: 400, ..Amplifier::new(53, "dns") },
    Amplifier::new(69, "tftp"),
    Amplifier::new(111, "rpcbind"),
    Amplifier { least: 100, ..Amplifier::new(123, "ntp") },
    Amplifier::new(137, "netbios"),
    Amplifier::new(138, "netbios"),
    Amplifier::new(161, "snmp"),
    Amplifier::new(162, "snmp"),
    Amplifier::new(177, "xdmcp"),
    Amplifier::new(389, "cldap"),
    Amplifier::new(427, "slp"),
    // What is larger on these two is a tunnel that people work through.
    Amplifier { most: 400, ..Amplifier::new(500, "isakmp") },
    Amplifier { most: 400, ..Amplifier::new(4500, "isakmp") },
    Amplifier::new(520, "rip"),
    Amplifier::new(623, "ipmi"),
    Amplifier::new(1434, "mssql"),
    Amplifier { least: 500, ..Amplifier::new(1701, "l2tp") },
    Amplifier::new(1900, "ssdp"),
    Amplifier::new(3283, "ard"),
    Amplifier::new(3478, "stun"),
    Amplifier::new(3702, "ws-discovery"),
    Amplifier::new(5093, "sentinel"),
    Amplifier::new(5353, "mdns"),
    Amplifier::new(5683, "coap"),
    Amplifier::new(10001, "ubiquiti"),
    Amplifier::new(10074, "mitel"),
    Amplifier::new(11211, "memcached"),
    Amplifier::new(27960, "quake"),
    Amplifier::new(32410, "plex"),
    Amplifier::new(32414, "plex"),
    Amplifier::new(37810, "dhdiscover"),
    Amplifier::new(47808, "bacnet"),
];

struct Amplifier {
    port: u16,
    name: &'static str,
    /// Mean bytes of a packet, header included.
    least: u64,
    most: u64,
}

impl Amplifier {
    const fn new(port: u16, name: &'static str) -> Self {
        Amplifier { port, name, least: 0, most: u64::MAX }
    }
}

fn amplifier(port: u16) -> Option<&'static Amplifier> {
    let at = AMPLIFIER_AT.get(usize::from(port) % AMPLIFIER_AT.len())?;
    let known = AMPLIFIERS.get(usize::from(*at))?;
    if known.port == port { Some(known) } else { AMPLIFIERS.iter().find(|known| known.port == port) }
}

/// Where to look first, by the port modulo the length: a flow that names none of them costs two look-ups.
static AMPLIFIER_AT: [u8; 512] = places_of_amplifiers();

const fn places_of_amplifiers() -> [u8; 512] {
    let mut places = [u8::MAX; 512];
    let mut at = 0;
    while at < AMPLIFIERS.len() {
        places[AMPLIFIERS[at].port as usize % 512] = at as u8;
        at += 1;
    }
    places
}

/// The name of the UDP service that amplifies from a port.
pub fn amplifying_service(port: u16) -> Option<&'static str> {
    amplifier(port).map(|known| known.name)
}

/// Packets that carry data are larger than this, header included. Guess: headers with options stay below 100.
const WITH_DATA: u64 = 200;
/// TCP packets without data are no larger: an IPv6 header, a TCP header and options.
const WITHOUT_DATA: u64 = 100;
/// So many packets of one flow come from a conversation: floods change their ports, or send a packet or two. Guess.
const CONVERSATION_PACKETS: u64 = 10;
/// A SYN-ACK that is never acknowledged is sent so many times at most: once and Linux's five repeats.
const SYN_ACK_REPEATS: u64 = 6;

/// Of what kind a flow is.
#[inline]
pub fn classify(flow: &Flow) -> Misuse {
    if flow.is_fragment {
        return Misuse::Fragments;
    }
    let mean = flow.bytes / flow.packets.max(1);
    match flow.protocol {
        6 => of_tcp(flow, mean),
        17 => of_udp(flow, mean),
        1 | 58 => Misuse::IcmpFlood,
        _ => Misuse::OtherProtocol,
    }
}

fn of_udp(flow: &Flow, mean: u64) -> Misuse {
    if let Some(known) = amplifier(flow.source_port)
        && (known.least..=known.most).contains(&mean)
    {
        return Misuse::Amplification;
    }
    match flow.source_port == 443 || flow.target_port == 443 {
        true if mean >= WITH_DATA => Misuse::Conversation,
        true => Misuse::AckFlood,
        false => Misuse::UdpFlood,
    }
}

fn of_tcp(flow: &Flow, mean: u64) -> Misuse {
    const FIN: u8 = 1;
    const SYN: u8 = 2;
    const RST: u8 = 4;
    const PSH: u8 = 8;
    const ACK: u8 = 16;
    let has = |flags: u8| flow.tcp_flags & flags != 0;
    if flow.tcp_flags == 0 {
        // Not told, or a packet without any, which only a flood sends: the size must do.
        return if mean >= WITH_DATA { Misuse::Conversation } else { Misuse::AckFlood };
    }
    match (has(SYN), has(ACK)) {
        (true, false) if !has(FIN | PSH) => Misuse::SynFlood,
        (true, true) if !has(FIN | PSH) && flow.packets <= SYN_ACK_REPEATS && mean < WITHOUT_DATA => {
            Misuse::TcpReflection
        }
        (true, true) => Misuse::Conversation,
        (false, _) if has(RST) && !has(FIN | PSH) && mean < WITHOUT_DATA => Misuse::TcpReflection,
        (_, false) => Misuse::TcpReflection,
        (false, true) => {
            let talks = mean >= WITH_DATA || has(FIN) || has(PSH) && mean >= WITHOUT_DATA;
            let lasts = flow.sampling <= 1 && flow.packets >= CONVERSATION_PACKETS;
            if talks || lasts { Misuse::Conversation } else { Misuse::AckFlood }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gonedark_route::Time;
    use std::net::Ipv4Addr;

    fn udp(source_port: u16, target_port: u16, mean: u64) -> Flow {
        Flow {
            source: Ipv4Addr::new(8, 8, 8, 8).into(),
            target: Ipv4Addr::new(175, 45, 176, 8).into(),
            source_port,
            target_port,
            protocol: 17,
            tcp_flags: 0,
            is_fragment: false,
            packets: 2,
            bytes: 2 * mean,
            sampling: 1,
            begin: Time::from_seconds(0),
            end: Time::from_seconds(0),
        }
    }

    fn tcp(flags: u8, packets: u64, mean: u64) -> Flow {
        let flow = udp(40_000, 80, mean);
        Flow { protocol: 6, tcp_flags: flags, packets, bytes: packets * mean, ..flow }
    }

    #[test]
    fn every_amplifying_service_is_found_by_its_port() {
        for known in &AMPLIFIERS {
            assert_eq!(amplifying_service(known.port), Some(known.name));
        }
        assert_eq!(amplifying_service(0), None);
        assert_eq!(amplifying_service(443), None);
        // As far away as the table of places is long.
        assert_eq!(amplifying_service(123 + 512), None);
    }

    #[test]
    fn an_answer_of_a_size_that_nobody_amplifies_to_is_plain_udp() {
        assert_eq!(classify(&udp(123, 53, 468)), Misuse::Amplification);
        assert_eq!(classify(&udp(123, 123, 76)), Misuse::UdpFlood);
        assert_eq!(classify(&udp(53, 40_000, 120)), Misuse::UdpFlood);
        assert_eq!(classify(&udp(53, 40_000, 1_400)), Misuse::Amplification);
        assert_eq!(classify(&udp(4500, 4500, 1_200)), Misuse::UdpFlood);
        assert_eq!(classify(&udp(1900, 53, 320)), Misuse::Amplification);
    }

    #[test]
    fn downloads_requests_and_quic_are_conversations() {
        assert_eq!(classify(&tcp(0b1_0000, 100, 1_450)), Misuse::Conversation);
        assert_eq!(classify(&tcp(0b1_1011, 7, 120)), Misuse::Conversation);
        assert_eq!(classify(&tcp(0b1_0000, 5_000, 52)), Misuse::Conversation);
        assert_eq!(classify(&udp(443, 50_000, 1_250)), Misuse::Conversation);
    }

    #[test]
    fn what_never_becomes_a_conversation_is_told_by_its_flags() {
        assert_eq!(classify(&tcp(0b10, 1, 60)), Misuse::SynFlood);
        assert_eq!(classify(&tcp(0b1_0010, 1, 44)), Misuse::TcpReflection);
        assert_eq!(classify(&tcp(0b100, 1, 40)), Misuse::TcpReflection);
        assert_eq!(classify(&tcp(0b1_0100, 1, 40)), Misuse::TcpReflection);
        assert_eq!(classify(&tcp(0b10_1001, 1, 40)), Misuse::TcpReflection);
        assert_eq!(classify(&tcp(0b1_0000, 1, 40)), Misuse::AckFlood);
        assert_eq!(classify(&tcp(0, 1, 40)), Misuse::AckFlood);
    }
}
