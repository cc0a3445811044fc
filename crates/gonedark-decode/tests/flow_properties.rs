//! What holds for every datagram of flows and every packet: no panic, and what is written is what is read.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a library there and a module here")]
mod fuzz;
mod support;

use gonedark_decode::flow::{Decoder, Settings};
use gonedark_route::{Flow, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::net::{IpAddr, Ipv4Addr};
use support::flow_wire::*;

const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What a generated record says.
#[derive(Clone, Debug)]
struct Said {
    source: u32,
    target: u32,
    ports: (u16, u16),
    protocol: u8,
    flags: u8,
    bytes: u64,
    packets: u64,
    /// Milliseconds before the message.
    ago: (u32, u32),
    rate: u16,
    text: Vec<u8>,
}

fn said() -> impl Strategy<Value = Said> {
    let addresses =
        (any::<u32>(), any::<u32>(), any::<(u16, u16)>(), prop_oneof![Just(6_u8), Just(17), Just(47)]);
    let counts = (any::<u8>(), any::<u64>(), any::<u64>(), (0..80_000_000_u32, 0..80_000_000_u32));
    (addresses, counts, any::<u16>(), vec(any::<u8>(), 0..300)).prop_map(|(a, b, rate, text)| Said {
        source: a.0,
        target: a.1,
        ports: a.2,
        protocol: a.3,
        flags: b.0,
        bytes: b.1,
        packets: b.2,
        ago: b.3,
        rate,
        text,
    })
}

/// A field of a generated template.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Spec {
    enterprise: u32,
    number: u16,
    length: u16,
}

/// All that are read, at lengths that exporters use, and some that are not.
fn fields(is_ipfix: bool) -> impl Strategy<Value = Vec<Spec>> {
    let known: Vec<(u16, u16)> =
        vec![(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (1, 8), (2, 8), (21, 4), (22, 4), (34, 2)];
    let odd = (1000..2000_u16, prop_oneof![0..12_u16, Just(65_535)], if is_ipfix { 0..3_u32 } else { 0..1 });
    let odd = vec(odd.prop_map(|(number, length, enterprise)| Spec { enterprise, number, length }), 0..6);
    let shorter = vec(1..=8_u16, 11);
    (subsequence(known, 1..=11), odd, shorter).prop_flat_map(|(known, odd, shorter)| {
        let known = known.into_iter().zip(shorter).map(|((number, length), shorter)| {
            // Numbers may be sent in fewer bytes, or in more.
            let length = if matches!(number, 1 | 2) { shorter } else { length };
            Spec { enterprise: 0, number, length }
        });
        Just(known.chain(odd).collect::<Vec<_>>()).prop_shuffle()
    })
}

fn written(fields: &[Spec], said: &Said) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in fields {
        if field.length == 65_535 {
            match u8::try_from(said.text.len()) {
                Ok(length) if length < 255 => bytes.push(length),
                _ => bytes.extend([&[255][..], &u16s(&[said.text.len() as u16])].concat()),
            }
            bytes.extend(&said.text);
            continue;
        }
        let length = usize::from(field.length);
        let value = match (field.enterprise, field.number) {
            (0, 8) => said.source.into(),
            (0, 12) => said.target.into(),
            (0, 7) => said.ports.0.into(),
            (0, 11) => said.ports.1.into(),
            (0, 4) => said.protocol.into(),
            (0, 6) => said.flags.into(),
            (0, 1) => said.bytes,
            (0, 2) => said.packets,
            (0, 22) => u64::from(UPTIME - said.ago.0),
            (0, 21) => u64::from(UPTIME - said.ago.1),
            (0, 34) => said.rate.into(),
            _ => 0xABAB_ABAB_ABAB_ABAB,
        };
        bytes.extend(vec![0xAB; length.saturating_sub(8)]);
        bytes.extend(number(value, length.min(8)));
    }
    bytes
}

/// What should be read; `None` where no address is told.
fn expected(fields: &[Spec], said: &Said) -> Option<Flow> {
    let length = |number| {
        fields.iter().find(|field| (field.enterprise, field.number) == (0, number)).map(|field| field.length)
    };
    let has = |number| length(number).is_some();
    let counted = |number, value: u64| {
        length(number).map_or(0, |length| value & (u64::MAX >> (64 - 8 * u32::from(length))))
    };
    if !has(8) && !has(12) {
        return None;
    }
    let at = |ago: u32| Time::from_micros(i64::from(AT) * 1_000_000 - i64::from(ago) * 1_000);
    let export = at(0);
    let end = if has(21) { at(said.ago.1) } else { export };
    let protocol = if has(4) { said.protocol } else { 0 };
    Some(Flow {
        source: Ipv4Addr::from_bits(if has(8) { said.source } else { 0 }).into(),
        target: Ipv4Addr::from_bits(if has(12) { said.target } else { 0 }).into(),
        source_port: if has(7) { said.ports.0 } else { 0 },
        target_port: if has(11) { said.ports.1 } else { 0 },
        protocol,
        tcp_flags: if has(6) && protocol == 6 { said.flags } else { 0 },
        is_fragment: false,
        packets: counted(2, said.packets),
        bytes: counted(1, said.bytes),
        sampling: if has(34) { u32::from(said.rate).max(1) } else { 1 },
        begin: if has(22) { at(said.ago.0).min(end) } else { end },
        end,
    })
}

fn decode(datagrams: &[&[u8]]) -> Vec<Flow> {
    let mut decoder = Decoder::new(Settings::default());
    let mut flows = Vec::new();
    for datagram in datagrams {
        let _ = decoder
            .decode(ROUTER, Time::from_seconds(i64::from(AT)), datagram, &mut |_, flow| flows.push(*flow));
    }
    flows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes_panic_nowhere(bytes in vec(any::<u8>(), 0..1024)) {
        fuzz::flow(&bytes);
        fuzz::packet(&bytes);
    }

    #[test]
    fn arbitrary_sets_in_good_headers_panic_nowhere(
        sets in vec((prop_oneof![0..4_u16, 256..259_u16], vec(any::<u8>(), 0..120)), 0..8),
        is_ipfix in any::<bool>(),
    ) {
        let sets: Vec<Vec<u8>> = sets.iter().map(|(id, body)| set(*id, body)).collect();
        let datagram = if is_ipfix { ipfix(0, 0, &sets) } else { v9(0, 0, &sets) };
        fuzz::flow(&[&[0][..], &u16s(&[datagram.len() as u16]), &datagram].concat());
    }

    #[test]
    fn arbitrary_records_of_a_good_template_panic_nowhere(fields in fields(true), body in vec(any::<u8>(), 0..400)) {
        let specs: Vec<_> = fields.iter().map(|field| (field.enterprise, field.number, field.length)).collect();
        let datagram = ipfix(0, 0, &[set(2, &enterprise_template(256, &specs)), set(256, &body)]);
        fuzz::flow(&[&[0][..], &u16s(&[datagram.len() as u16]), &datagram].concat());
    }

    #[test]
    fn records_of_any_fields_are_read_as_they_were_written_and_cut_nowhere_make_it_panic(
        (is_ipfix, fields) in any::<bool>().prop_flat_map(|is_ipfix| (Just(is_ipfix), fields(is_ipfix))),
        said in vec(said(), 1..5),
        late in any::<bool>(),
    ) {
        let specs: Vec<_> = fields.iter().map(|field| (field.enterprise, field.number, field.length)).collect();
        // Without a header of its own IPFIX knows no uptimes.
        prop_assume!(!is_ipfix || fields.iter().all(|field| !matches!(field.number, 21 | 22)));
        let templates = set(if is_ipfix { 2 } else { 0 }, &enterprise_template(256, &specs));
        let records: Vec<u8> = said.iter().flat_map(|said| written(&fields, said)).collect();
        let data = set(256, &records);
        let sets = if late { [data, templates] } else { [templates, data] };
        let datagram = if is_ipfix { ipfix(0, 0, &sets) } else { v9(0, 0, &sets) };
        let wanted: Vec<Flow> = said.iter().filter_map(|said| expected(&fields, said)).collect();
        prop_assert_eq!(decode(&[&datagram]), wanted);
        for at in 0..datagram.len() {
            decode(&[&datagram[..at], &datagram]);
        }
    }

    #[test]
    fn samples_are_read_as_they_were_written(
        samples in vec((any::<u32>(), any::<u32>(), 1..100_000_u32, any::<bool>()), 0..6),
    ) {
        let written: Vec<Vec<u8>> = samples.iter().map(|(source, target, rate, is_expanded)| {
            let raw = [raw_header(64, &frame(*source, *target))];
            if *is_expanded { expanded_sample(1, *rate, &raw) } else { flow_sample(1, *rate, &raw) }
        }).collect();
        let datagram = sflow(0, &written);
        let read: Vec<_> = decode(&[&datagram]).iter().map(|flow| (flow.source, flow.target, flow.sampling, flow.bytes)).collect();
        let wanted: Vec<_> = samples.iter().map(|(source, target, rate, _)| {
            (Ipv4Addr::from_bits(*source).into(), Ipv4Addr::from_bits(*target).into(), *rate, 40)
        }).collect();
        prop_assert_eq!(read, wanted);
        for at in 0..datagram.len() {
            decode(&[&datagram[..at]]);
        }
    }
}
