//! Vectors and kinds of traffic as people write them: protocols in capitals. In files they have names that never change.

use gonedark_infer::traffic::kind::{Misuse, amplifying_service};
use gonedark_infer::traffic::report::VectorKind;

/// Services that people write otherwise than in capitals, by their names in files.
const SERVICES: [(&str, &str); 13] = [
    ("bacnet", "BACnet"),
    ("coap", "CoAP"),
    ("dhdiscover", "DHDiscover"),
    ("mdns", "mDNS"),
    ("memcached", "memcached"),
    ("mitel", "Mitel"),
    ("netbios", "NetBIOS"),
    ("plex", "Plex"),
    ("quake", "Quake"),
    ("rpcbind", "rpcbind"),
    ("sentinel", "Sentinel"),
    ("ubiquiti", "Ubiquiti"),
    ("ws-discovery", "WS-Discovery"),
];

/// `NTP amplification (UDP source port 123)`, `TCP SYN to port 80`.
pub fn vector(kind: VectorKind) -> String {
    match kind {
        VectorKind::Amplification { port } => format!("{} (UDP source port {port})", short(kind)),
        VectorKind::UdpFrom { port } => format!("UDP source port {port}"),
        VectorKind::UdpTo { port } => format!("UDP to port {port}"),
        VectorKind::Udp => "UDP".to_owned(),
        // All others have their capitals in files as well.
        other => other.to_string(),
    }
}

/// The same without what stands in brackets, where there is little room: `NTP amplification`.
pub fn short(kind: VectorKind) -> String {
    match kind {
        VectorKind::Amplification { port } => format!("{} amplification", service(port)),
        other => vector(other),
    }
}

fn service(port: u16) -> String {
    let Some(name) = amplifying_service(port) else { return "unknown service".to_owned() };
    let written = SERVICES.iter().find(|(known, _)| *known == name);
    written.map_or_else(|| name.to_uppercase(), |(_, written)| (*written).to_owned())
}

/// The kind of traffic that was over its threshold: `UDP amplification`.
pub const fn misuse(misuse: Misuse) -> &'static str {
    match misuse {
        Misuse::SynFlood => "TCP SYNs",
        Misuse::TcpReflection => "reflected TCP",
        Misuse::AckFlood => "acknowledgements",
        Misuse::Amplification => "UDP amplification",
        Misuse::UdpFlood => "UDP",
        Misuse::IcmpFlood => "ICMP",
        Misuse::Fragments => "fragments",
        Misuse::OtherProtocol => "other protocols",
        Misuse::Conversation => "conversations",
        Misuse::Total => "all kinds together",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_in_capitals_for_people() {
        let written = [
            VectorKind::UdpTo { port: 80 },
            VectorKind::UdpFrom { port: 30_120 },
            VectorKind::Udp,
            VectorKind::TcpSyn { port: 80 },
            VectorKind::Amplification { port: 123 },
            VectorKind::Amplification { port: 47_808 },
            VectorKind::Amplification { port: 11_211 },
        ]
        .map(vector);
        let expected = [
            "UDP to port 80",
            "UDP source port 30120",
            "UDP",
            "TCP SYN to port 80",
            "NTP amplification (UDP source port 123)",
            "BACnet amplification (UDP source port 47808)",
            "memcached amplification (UDP source port 11211)",
        ];
        assert_eq!(written, expected);
        assert_eq!(short(VectorKind::Amplification { port: 123 }), "NTP amplification");
        // Every service has its letters: none of the table is left over.
        let named = (0..=u16::MAX).filter_map(amplifying_service);
        let named: std::collections::BTreeSet<&str> = named.collect();
        assert!(SERVICES.iter().all(|(name, _)| named.contains(name)));
    }
}
