//! Flow datagrams of real exporters, counted against tshark, netflow_parser and sflow-parser.

mod support;

use gonedark_decode::flow::{Counters, Damage, Decoder, Settings};
use gonedark_decode::packet::{self, Link, Transport};
use gonedark_route::Time;
use std::net::IpAddr;
use std::path::Path;
use support::{flow_captures, pcap};

/// The address of those whose datagrams are files of their own.
const NOBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// The flow datagrams of a file, and who sent them. Our own reader of packets finds them in captures.
fn datagrams(path: &Path) -> Vec<(IpAddr, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match path.extension().and_then(|name| name.to_str()) {
        Some("pcap" | "pcapng" | "cap") => {
            let packets = pcap::packets(&bytes);
            let datagrams = packets.into_iter().filter_map(|(link, bytes)| {
                let packet = packet::linked(Link::from_pcap(link)?, bytes).ok()?;
                if !matches!(packet.transport(), Transport::Udp { .. }) || packet.payload.len() < 8 {
                    return None;
                }
                // As long as UDP says, which is what a socket hands out.
                let length = u16::from_be_bytes([packet.payload[4], packet.payload[5]]);
                let datagram = packet.payload.get(8..usize::from(length).min(packet.payload.len()))?;
                let is_flow = matches!(datagram, [0, 5 | 9 | 10, ..] | [0, 0, 0, 5, ..]);
                is_flow.then(|| (packet.source, datagram.to_vec()))
            });
            datagrams.collect()
        }
        // A file of IPFIX messages (RFC 5655).
        Some("ipfix") => {
            let (mut rest, mut messages) = (&bytes[..], Vec::new());
            while let Some(header) = rest.first_chunk::<4>() {
                let length = usize::from(u16::from_be_bytes([header[2], header[3]])).clamp(16, rest.len());
                messages.push((NOBODY, rest[..length].to_vec()));
                rest = &rest[length..];
            }
            messages
        }
        _ => vec![(NOBODY, bytes)],
    }
}

#[derive(Default, Debug)]
struct Counted {
    datagrams: usize,
    errors: Vec<String>,
    counters: Counters,
    flows: usize,
    damaged: u64,
    waiting: usize,
}

fn decode(datagrams: &[(IpAddr, Vec<u8>)]) -> (Counted, Decoder) {
    let mut decoder = Decoder::new(Settings::default());
    let mut counted = Counted { datagrams: datagrams.len(), ..Counted::default() };
    for (number, (from, datagram)) in datagrams.iter().enumerate() {
        let received = Time::from_seconds(1_800_000_000 + number as i64);
        let mut flows = 0;
        let decoded = decoder.decode(*from, received, datagram, &mut |_, flow| {
            flows += 1;
            assert!(flow.begin <= flow.end && flow.sampling > 0, "{flow:?}");
        });
        counted.flows += flows;
        match decoded {
            Ok(decoded) => counted.errors.extend(decoded.damage.map(|error| error.to_string())),
            Err(error) => counted.errors.push(error.to_string()),
        }
    }
    for exporter in decoder.exporters() {
        let all = exporter.counters();
        let sum = &mut counted.counters;
        sum.records += all.records;
        sum.options_records += all.options_records;
        sum.flows += all.flows;
        sum.without_addresses += all.without_addresses;
        sum.counter_samples += all.counter_samples;
        sum.discards += all.discards;
        counted.damaged += all.damaged_at_all();
        counted.waiting += exporter.waiting();
    }
    (counted, decoder)
}

/// The datagrams of the files of a row, in their order.
fn of_row(folder: &Path, row: &flow_captures::Row) -> Vec<(IpAddr, Vec<u8>)> {
    row.files.iter().flat_map(|file| datagrams(&folder.join(row.folder).join(file))).collect()
}

#[test]
fn every_recording_gives_at_least_the_records_that_tshark_counts() {
    let Some(folder) = support::recordings("data/flow") else { return };
    let mut wrong = Vec::new();
    for row in &flow_captures::ROWS {
        let (counted, _) = decode(&of_row(&folder, row));
        let Counters { records, options_records, flows, without_addresses, .. } = counted.counters;
        let name = format!("{}/{}", row.folder, row.files[0]);
        if [records, options_records, flows] != row.ours || records + options_records < row.tshark {
            wrong.push(format!("{name}: {counted:?}, expected {:?}, tshark {}", row.ours, row.tshark));
        }
        // No record is lost silently: it is a flow, or counted as none.
        assert!(flows + without_addresses >= records, "{name}: {counted:?}");
        assert_eq!(counted.flows as u64, flows, "{name}");
        assert!(counted.datagrams > 0, "{name}");
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_file_of_flows_is_in_the_table() {
    let Some(folder) = support::recordings("data/flow") else { return };
    let listed: Vec<_> = flow_captures::ROWS
        .iter()
        .flat_map(|row| row.files.iter().map(|file| folder.join(row.folder).join(file)))
        .collect();
    let mut folders = vec![folder];
    let mut missing = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_flows = match path.extension().and_then(|name| name.to_str()) {
                Some("dat" | "bin" | "ipfix") => true,
                Some("pcap" | "pcapng" | "cap") => !datagrams(&path).is_empty(),
                _ => false,
            };
            if is_flows && !listed.contains(&path) {
                missing.push(path);
            }
        }
    }
    missing.sort();
    assert_eq!(missing, Vec::<std::path::PathBuf>::new());
}

#[test]
fn netflow_parser_finds_no_record_that_is_not_found_here() {
    use netflow_parser::variable_versions::ipfix::FlowSetBody as Ipfix;
    use netflow_parser::variable_versions::v9::FlowSetBody as V9;
    use netflow_parser::{NetflowPacket, NetflowParser};
    let Some(folder) = support::recordings("data/flow") else { return };
    let mut more = Vec::new();
    for row in &flow_captures::ROWS {
        let datagrams = of_row(&folder, row);
        if datagrams.iter().any(|(_, datagram)| datagram.starts_with(&[0, 0, 0, 5])) {
            continue;
        }
        let mut parsers = std::collections::BTreeMap::<IpAddr, NetflowParser>::new();
        let mut theirs = 0;
        for (from, datagram) in &datagrams {
            let parsed = parsers.entry(*from).or_default().parse_bytes(datagram);
            for packet in parsed.packets {
                theirs += match packet {
                    NetflowPacket::V5(v5) => v5.flowsets.len(),
                    NetflowPacket::V9(v9) => v9
                        .flowsets
                        .iter()
                        .map(|set| match &set.body {
                            V9::Data(data) => data.fields.len(),
                            V9::OptionsData(data) => data.fields.len(),
                            _ => 0,
                        })
                        .sum(),
                    NetflowPacket::IPFix(ipfix) => ipfix
                        .flowsets
                        .iter()
                        .map(|set| match &set.body {
                            Ipfix::Data(data) => data.fields.len(),
                            Ipfix::OptionsData(data) => data.fields.len(),
                            _ => 0,
                        })
                        .sum(),
                    _ => 0,
                };
            }
        }
        let [records, options, _] = row.ours;
        if theirs as u64 > records + options {
            more.push((row.files[0], theirs, records + options));
        }
    }
    assert_eq!(more, MORE_OF_NETFLOW_PARSER);
}

/// Where netflow_parser 1.0.6 finds more, and how many are found here: two files that hold several datagrams in a row,
/// which it takes apart. No datagram does, and tshark reads none of them either.
const MORE_OF_NETFLOW_PARSER: [(&str, usize, u64); 2] = [("ipfix.dat", 13, 7), ("netflow5.dat", 30, 2)];

#[test]
fn sflow_parser_finds_as_many_samples() {
    use sflow_parser::SampleData;
    let Some(folder) = support::recordings("data/flow") else { return };
    let mut compared = 0;
    for row in &flow_captures::ROWS {
        let mut datagrams = of_row(&folder, row);
        datagrams.retain(|(_, datagram)| datagram.starts_with(&[0, 0, 0, 5]));
        for datagram in datagrams {
            let Ok(theirs) = sflow_parser::parse_datagram(&datagram.1) else { continue };
            let (ours, _) = decode(std::slice::from_ref(&datagram));
            let count = |wanted: fn(&SampleData) -> bool| {
                theirs.samples.iter().filter(|sample| wanted(&sample.sample_data)).count() as u64
            };
            let name = row.files[0];
            let flows =
                count(|data| matches!(data, SampleData::FlowSample(_) | SampleData::FlowSampleExpanded(_)));
            let counters = count(|data| {
                matches!(data, SampleData::CountersSample(_) | SampleData::CountersSampleExpanded(_))
            });
            let discards = count(|data| matches!(data, SampleData::DiscardedPacket(_)));
            assert_eq!(ours.counters.records, flows, "{name}");
            assert_eq!(ours.counters.counter_samples, counters, "{name}");
            assert_eq!(ours.counters.discards, discards, "{name}");
            assert_eq!(ours.damaged, 0, "{name}: {ours:?}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

/// The rates of all flows of the row that begins with a file, and how many have which.
fn rates(folder: &Path, first: &str) -> std::collections::BTreeMap<u32, usize> {
    let row = flow_captures::ROWS.iter().find(|row| row.files[0] == first).unwrap();
    let mut decoder = Decoder::new(Settings::default());
    let mut rates = std::collections::BTreeMap::new();
    for (from, datagram) in of_row(folder, row) {
        let mut each = |_, flow: &gonedark_route::Flow| *rates.entry(flow.sampling).or_default() += 1;
        decoder.decode(from, Time::from_seconds(1_800_000_000), &datagram, &mut each).unwrap();
    }
    rates
}

#[test]
fn sampling_rates_are_found_in_headers_records_options_and_per_sampler() {
    let Some(folder) = support::recordings("data/flow") else { return };
    assert_eq!(rates(&folder, "netflow5_test_juniper_mx80.dat"), [(1000, 29)].into());
    assert_eq!(rates(&folder, "samplingrate-template.pcap"), [(2048, 6)].into());
    assert_eq!(rates(&folder, "multiplesamplingrates-options-template.pcap"), [(2000, 11), (4000, 1)].into());
    assert_eq!(rates(&folder, "options-template.pcap"), [(30_000, 4)].into());
    assert_eq!(rates(&folder, "data-1140.pcap"), [(1024, 5)].into());
}

#[test]
fn datagrams_that_made_other_decoders_crash_are_errors() {
    let Some(folder) = support::recordings("data/flow") else { return };
    for name in ["malformed-OT", "malformed_1", "malformed_2", "malformed_3", "malformed_5", "malformed_6"] {
        let (counted, _) = decode(&datagrams(&folder.join(format!("libnetflow9/testcases/{name}.pcap"))));
        assert!(counted.damaged > 0 && counted.flows == 0, "{name}: {counted:?}");
    }
    let segv = std::fs::read(folder.join("tcpdump/tests/sflow_print-segv.pcap")).unwrap();
    let (_, frame) = pcap::packets(&segv)[0];
    let packet = packet::ethernet(frame).unwrap();
    let whole = vec![(packet.source, packet.payload[8..].to_vec())];
    let (counted, _) = decode(&whole);
    assert!(!counted.errors.is_empty() && counted.damaged > 0, "{counted:?}");
}

#[test]
fn a_lying_count_costs_no_record() {
    let Some(folder) = support::recordings("data/flow") else { return };
    let codecs = folder.join("logstash-codec-netflow/spec/codecs");
    for lying in ["netflow5_test_invalid01.dat", "netflow5_test_invalid02.dat"] {
        let (counted, decoder) = decode(&datagrams(&codecs.join(lying)));
        assert_eq!(counted.counters.records, 30);
        assert_eq!(decoder.exporters()[0].counters().damaged(Damage::Count), 1);
        assert_eq!(counted.errors.len(), 1);
    }
}

/// All packets of a capture that could be read.
fn packets(path: &Path, mut each: impl FnMut(packet::Packet<'_>)) -> (usize, usize) {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (mut read, mut not) = (0, 0);
    for (link, frame) in pcap::packets(&bytes) {
        match Link::from_pcap(link).map(|link| packet::linked(link, frame)) {
            Some(Ok(packet)) => {
                each(packet);
                read += 1;
            }
            _ => not += 1,
        }
    }
    (read, not)
}

#[test]
fn attacks_have_the_packets_that_tshark_counts() {
    let Some(folder) = support::recordings("data/flow") else { return };
    let mut syn = 0;
    let all = packets(&folder.join("packet-captures/pkt.TCP.synflood.spoofed.pcap"), |packet| {
        syn += usize::from(matches!(packet.transport(), Transport::Tcp { flags: 0x02, .. }));
    });
    assert_eq!((all, syn), ((37_841, 0), 37_841));
    let (mut syn_ack, mut reset, mut icmp) = (0, 0, 0);
    let all = packets(&folder.join("packet-captures/amp.TCP.reflection.SYNACK.pcap"), |packet| match packet
        .transport()
    {
        Transport::Tcp { flags, .. } if flags & 0x3F == 0x12 => syn_ack += 1,
        Transport::Tcp { flags, .. } if flags & 0x04 != 0 => reset += 1,
        Transport::Icmp { .. } => icmp += 1,
        _ => {}
    });
    // Four of the 8,000 are ARP.
    assert_eq!((all, syn_ack, reset, icmp), ((7_996, 4), 6_651, 813 + 205, 153));
    let (mut ports, mut quoted) = (std::collections::BTreeMap::new(), 0);
    packets(&folder.join("packet-captures/amp.UDP.bacnet.IOT.37810.pcapng"), |packet| {
        *ports.entry(packet.transport().ports().0).or_insert(0) += 1;
        let about = packet.quoted().and_then(|quoted| quoted.ports);
        quoted += usize::from(about.is_some_and(|(source, _)| source == 30_120));
    });
    // tshark counts the ports that 155 ICMP errors quote as well.
    assert_eq!([47_808, 37_810, 30_120].map(|port| ports[&port]), [6_737, 2_377, 493 - 155]);
    assert_eq!(quoted, 155);
    let mut snmp = 0;
    packets(&folder.join("packet-captures/amp.UDP.snmp.src161.pcapng"), |packet| {
        snmp += usize::from(packet.transport().ports().0 == 161);
    });
    // As above: 29 of the 4,108 that tshark counts are quoted.
    assert_eq!(snmp, 4_108 - 29);
}

#[test]
fn icmp_errors_quote_what_they_are_about_and_frames_in_tunnels_are_read() {
    let Some(folder) = support::recordings("data/flow") else { return };
    for (name, has_ports) in [
        ("icmp-destunreach-udp", Some(true)),
        ("icmp-destunreach-ip", Some(false)),
        ("icmp-destunreach-no-context", None),
        ("icmp-timeexceeded", Some(true)),
        ("icmp6-destunreach-ip6ext-udp", Some(true)),
        ("icmp6-destunreach-ip6ext-trunc", Some(false)),
        ("icmp6-destunreach-no-context", None),
        ("icmp6-timeexceeded", Some(true)),
        ("icmp6-toobig", Some(true)),
    ] {
        let mut found = Vec::new();
        packets(&folder.join(format!("zeek/icmp/{name}.pcap")), |packet| {
            if matches!(packet.transport(), Transport::Icmp { .. }) {
                found.push(packet.quoted().map(|quoted| quoted.ports.is_some()));
            }
        });
        assert!(found.contains(&has_ports), "{name}: {found:?}");
    }
    for name in ["gre-v4-key", "gre-v4-plain", "gre-v6-plain", "ipv4-ipv4", "ipv4-ipv6", "srv6-end-dt6"] {
        let all = packets(&folder.join(format!("akvorado/testdata/{name}.pcap")), |packet| {
            assert!(packet.inside().is_some(), "{name}: {packet:?}");
            assert!(!matches!(packet.innermost().transport(), Transport::Absent), "{name}");
        });
        assert!(all.0 > 0 && all.1 == 0, "{name}");
    }
    for name in [
        "mpls-eompls-cw",
        "mpls-explicit-null-ipv4",
        "mpls-explicit-null-ipv6",
        "mpls-ipv4",
        "mpls-ipv6",
        "vlan-ipv6",
    ] {
        let all = packets(&folder.join(format!("akvorado/testdata/{name}.pcap")), |_| {});
        assert!(all.0 > 0 && all.1 == 0, "{name}");
    }
    // Invalid for akvorado, as its control word has a sequence number, which RFC 4448 section 4.6 allows.
    let all = packets(&folder.join("akvorado/testdata/mpls-eompls-invalid-cw.pcap"), |_| {});
    assert_eq!(all, (1, 0));
    let all = packets(&folder.join("akvorado/testdata/mpls-invalid-nibble.pcap"), |_| {});
    assert_eq!(all, (0, 1));
    let (read, not) = packets(
        &folder.join("suricata-verify/tests/ipv6-evasion/ipv6-dos-with-ext-headers-5/denial6-5.pcap"),
        |_| {},
    );
    assert_eq!((read, not), (35_720, 0));
}

#[test]
fn bytes_and_packets_are_those_that_tshark_reads() {
    let Some(folder) = support::recordings("data/flow") else { return };
    // tshark -T fields -e cflow.octets -e cflow.packets, added up.
    for (first, bytes, packets) in [
        ("ipfix_test_openbsd_pflow_tpl.dat", 99_323, 209),
        ("ipfix_test_mikrotik_tpl.dat", 103_235, 253),
        ("ipfix_test_barracuda_tpl.dat", 388, 4),
        ("netflow9_cisco_asr1001x_tpl259.dat", 38_255, 124),
        ("netflow9_test_cisco_1941K9.dat", 70_258, 370),
        ("netflow9_test_iptnetflow_reduced_size_encoding_tpldata260.dat", 7_598, 74),
        ("netflow9_test_softflowd_tpl_data.dat", 1_128, 13),
        ("netflow5_test_juniper_mx80.dat", 3_989, 31),
        ("example_flows.ipfix", 49_001_404, 56_695),
    ] {
        let row = flow_captures::ROWS.iter().find(|row| row.files[0] == first).unwrap();
        let mut decoder = Decoder::new(Settings::default());
        let mut sums = (0, 0);
        for (from, datagram) in of_row(&folder, row) {
            let mut each = |_, flow: &gonedark_route::Flow| {
                sums = (sums.0 + flow.bytes, sums.1 + flow.packets);
            };
            decoder.decode(from, Time::from_seconds(1_800_000_000), &datagram, &mut each).unwrap();
        }
        assert_eq!(sums, (bytes, packets), "{first}");
    }
}

#[test]
fn exporters_that_are_heard_at_once_are_read_as_each_alone() {
    let Some(folder) = support::recordings("data/flow") else { return };
    for test in ["110-IPFIXv10-NFv9-multiple-sources", "111-IPFIXv10-NFv9-IPv6-IPv4-mix_sources"] {
        let folder_of_test = format!("pmacct/tests/{test}");
        let rows = flow_captures::ROWS.iter().filter(|row| row.folder == folder_of_test);
        let rows: Vec<_> = rows.map(|row| (row.ours, of_row(&folder, row))).collect();
        let alone: u64 = rows.iter().map(|([records, ..], _)| records).sum();
        let longest = rows.iter().map(|(_, datagrams)| datagrams.len()).max().unwrap();
        let mixed: Vec<_> = (0..longest)
            .flat_map(|at| rows.iter().filter_map(move |(_, datagrams)| datagrams.get(at).cloned()))
            .collect();
        let (counted, decoder) = decode(&mixed);
        assert!(rows.len() > 1 && decoder.exporters().len() > 1, "{test}");
        assert_eq!(counted.counters.records, alone, "{test}");
    }
}
