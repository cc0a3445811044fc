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
                let Transport::Udp { .. } = packet.transport() else { return None };
                let datagram = packet.payload.get(8..)?;
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
                    NetflowPacket::V7(_) => 0,
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

/// Where netflow_parser 1.0.6 finds more, and how many both find.
const MORE_OF_NETFLOW_PARSER: [(&str, usize, u64); 0] = [];

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
fn a_lying_count_and_zero_fill_cost_no_record() {
    let Some(folder) = support::recordings("data/flow") else { return };
    let codecs = folder.join("logstash-codec-netflow/spec/codecs");
    for lying in ["netflow5_test_invalid01.dat", "netflow5_test_invalid02.dat"] {
        let (counted, decoder) = decode(&datagrams(&codecs.join(lying)));
        assert_eq!(counted.counters.records, 30);
        assert_eq!(decoder.exporters()[0].counters().damaged(Damage::Count), 1);
        assert_eq!(counted.errors.len(), 1);
    }
}
