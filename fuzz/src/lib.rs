//! What the fuzz targets do with their input. Each body is a plain function: the targets in `fuzz_targets/` call it,
//! and so does a test of the decoder crate over a seed corpus, so that it is compiled and run without any fuzzer.
//!
//! A body panics where a promise of the decoder is broken: a step of no bytes, more routes than bytes, an answer
//! that depends on how the stream was cut.

use gonedark_decode::bgp::{AddPath, Message, Session, Update};
use gonedark_decode::delegated::{self, Line};
use gonedark_decode::mrt::{Decoder, Frame, RawRecord, Record, frame, records};
use gonedark_decode::{
    bmp as bmp_decode, flow as flow_decode, packet as packet_decode, ris_live as ris_live_decode,
};
use gonedark_route::{AsnSize, Flow, Time};
use std::net::{IpAddr, Ipv4Addr};

/// An MRT stream: framing, every record, every route.
pub fn mrt(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    let mut consumed = 0;
    for raw in records(bytes).flatten() {
        consumed += raw.body.len();
        let routes = routes(&mut decoder, raw);
        assert!(routes <= raw.body.len(), "{routes} routes in {} bytes", raw.body.len());
    }
    assert!(consumed <= bytes.len());
    // Only the start of long inputs: this is the square of the length.
    same_in_small_buffers(&bytes[..bytes.len().min(256)]);
}

/// How many routes a record has; goes through all that it offers.
fn routes(decoder: &mut Decoder, raw: RawRecord<'_>) -> usize {
    match decoder.decode(raw) {
        Ok(Record::Update { update, .. }) => routes_of_update(&update),
        Ok(Record::RibRow(row)) => {
            let entries = row.entries().flatten().inspect(|entry| {
                let _ = (row.peer(entry.peer_index), entry.attributes.path().map(|path| path.tail()));
            });
            entries.count()
        }
        Ok(Record::TableDump(mut dump)) => {
            let mut count = 0;
            while let Some(Ok(entry)) = dump.next_entry() {
                let _ = entry.path.map(|path| path.tail());
                count += 1;
            }
            count
        }
        Ok(Record::Message { message: Message::Open(open), .. }) => open.capabilities().count() / 2,
        Ok(Record::PeerIndexTable(table)) => table.peers.len(),
        _ => 0,
    }
}

fn routes_of_update(update: &Update<'_>) -> usize {
    assert!(update.path.is_none_or(|path| path.is_whole()));
    if update.end_of_rib.is_some() {
        assert_eq!(update.announced().chain(update.withdrawn()).count(), 0);
    }
    update.announced().count() + update.withdrawn().count()
}

/// The records of a stream do not depend on how much of it is in memory at a time.
fn same_in_small_buffers(bytes: &[u8]) {
    let offset = |raw: RawRecord<'_>| raw.offset;
    let whole: Vec<_> = records(bytes).map(|raw| raw.map(offset)).collect();
    let (mut at, mut filled) = (0, 0);
    let mut parts = Vec::new();
    while at < bytes.len() {
        match frame(&bytes[at..filled], at as u64, filled < bytes.len()) {
            Frame::NeedMore { at_least } => {
                assert!(at_least > filled - at, "asks for bytes that it has");
                if filled == bytes.len() {
                    break;
                }
                filled += 1;
            }
            Frame::Record { record, consumed } => {
                assert!(consumed >= 12);
                parts.push(Ok(record.offset));
                at += consumed;
            }
            Frame::Damaged { error, skip } => {
                assert!(skip > 0);
                parts.push(Err(error));
                at += skip;
            }
        }
    }
    assert!(whole.starts_with(&parts), "{whole:?} against {parts:?}");
}

/// One BGP message, read in every way that a session can have it.
pub fn bgp_update(bytes: &[u8]) {
    let mut scratch = Vec::new();
    for asn_size in [AsnSize::Two, AsnSize::Four] {
        for add_path in [AddPath::No, AddPath::Unknown, AddPath::Offered, AddPath::Agreed] {
            let session = Session { asn_size, add_path_v4: add_path, add_path_v6: add_path };
            match Message::read(bytes, 0, &session, &mut scratch) {
                Ok(Message::Update(update)) => {
                    assert!(routes_of_update(&update) <= bytes.len());
                }
                Ok(Message::Open(open)) => {
                    let _ = open.capabilities().count();
                }
                Ok(_) => {}
                Err(error) => assert!(error.offset() <= bytes.len() as u64, "{error}"),
            }
        }
    }
    // AS4_PATH at its longest, beside an AS_PATH at its longest.
    assert!(scratch.len() <= 2 * 65_536 * 2);
}

/// A BMP stream: framing, every message, every route.
pub fn bmp(bytes: &[u8]) {
    let mut decoder = bmp_decode::Decoder::new();
    let mut consumed = 0;
    for raw in bmp_decode::messages(bytes).flatten() {
        consumed += raw.body.len() + bmp_decode::HEADER;
        let length = raw.body.len();
        let items = match decoder.decode(raw) {
            Ok(bmp_decode::Message::RouteMonitoring { update, .. }) => routes_of_update(&update),
            Ok(bmp_decode::Message::Statistics { statistics, .. }) => statistics.iter().count(),
            Ok(bmp_decode::Message::PeerUp { up, .. }) => {
                let opens = [up.sent, up.received].into_iter().flatten();
                opens.map(|open| open.capabilities().count()).sum::<usize>() / 2
                    + up.information.iter().count()
            }
            Ok(bmp_decode::Message::PeerDown { down: bmp_decode::PeerDown::LocalClosed(tlvs), .. })
            | Ok(bmp_decode::Message::RouteMirroring { messages: tlvs, .. })
            | Ok(bmp_decode::Message::Initiation(tlvs) | bmp_decode::Message::Termination(tlvs)) => {
                let _ = tlvs.reason();
                tlvs.iter().count()
            }
            _ => 0,
        };
        assert!(items <= length, "{items} items in {length} bytes");
    }
    assert!(consumed <= bytes.len());
    // Only the start of long inputs: this is the square of the length.
    bmp_in_small_buffers(&bytes[..bytes.len().min(512)]);
}

/// The messages of a stream do not depend on how much of it is in memory at a time.
fn bmp_in_small_buffers(bytes: &[u8]) {
    let whole: Vec<_> = bmp_decode::messages(bytes).map(|raw| raw.map(|raw| raw.offset)).collect();
    let (mut at, mut filled) = (0, 0);
    let mut parts = Vec::new();
    while at < bytes.len() {
        match bmp_decode::frame(&bytes[at..filled], at as u64) {
            bmp_decode::Frame::NeedMore { at_least } => {
                assert!(at_least > filled - at, "asks for bytes that it has");
                assert!(at_least <= bmp_decode::MESSAGE_MAX as usize);
                if filled == bytes.len() {
                    break;
                }
                filled += 1;
            }
            bmp_decode::Frame::Message { message, consumed } => {
                assert!(consumed >= bmp_decode::HEADER);
                parts.push(Ok(message.offset));
                at += consumed;
            }
            bmp_decode::Frame::Damaged { error, skip } => {
                assert!(skip > 0);
                parts.push(Err(error));
                at += skip;
            }
        }
    }
    assert!(whole.starts_with(&parts), "{whole:?} against {parts:?}");
}

/// Lines of RIS Live.
pub fn ris_live(bytes: &[u8]) {
    let mut scratch = ris_live_decode::Scratch::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        match ris_live_decode::decode(line, &mut scratch) {
            Ok(ris_live_decode::Message::Update { update, .. }) => {
                assert!(routes_of_update(&update) <= line.len());
            }
            Ok(ris_live_decode::Message::Open { open: Some(open), .. }) => {
                let _ = open.capabilities().count();
            }
            Ok(_) => {}
            Err(error) => assert!(error.offset() <= line.len() as u64, "{error}"),
        }
    }
}

/// A delegated or delegated-extended file of an RIR: the check of its counts, and every line.
pub fn delegated(bytes: &[u8]) {
    let verified = delegated::verify(bytes);
    let (mut good, mut last) = (0, 0);
    for (number, line) in delegated::lines(bytes) {
        assert!(number > last, "line {number} after line {last}");
        last = number;
        good += usize::from(matches!(line, Ok(Line::Record(_))));
    }
    // A file that passes has a header, and every record that the header counts.
    assert!(verified.is_err() || good > 0 || last > 0);
}

/// Datagrams of flow exporters: each with a byte before it that says whose it is, and a length of two bytes. What was
/// learned of templates is given to a second decoder at the end.
pub fn flow(bytes: &[u8]) {
    let settings = flow_decode::Settings {
        exporters_max: 3,
        domains_max: 3,
        template_bytes_max: 4 << 10,
        waiting_bytes_max: 4 << 10,
        decapsulate: true,
        ..flow_decode::Settings::default()
    };
    let mut decoder = flow_decode::Decoder::new(settings.clone());
    let (mut rest, mut number, mut handed_out, mut taken) = (bytes, 0_i64, 0_u64, 0_u64);
    while let Some(([whose, high, low], behind)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(behind.len());
        let (datagram, behind) = behind.split_at(length);
        (rest, number) = (behind, number + 1);
        taken += length as u64;
        let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, whose % 5));
        let received = Time::from_seconds(1_700_000_000 + 100 * number);
        let decoded = decoder.decode(from, received, datagram, &mut |exporter, flow: &Flow| {
            assert!(exporter.0 < 3);
            assert!(flow.begin <= flow.end && flow.sampling > 0, "{flow:?}");
            handed_out += 1;
        });
        match decoded {
            Ok(decoded) => assert!(decoded.records <= length as u64, "{decoded:?} of {length} bytes"),
            Err(error) => assert!(error.offset() <= length as u64, "{error}"),
        }
    }
    // A record of one byte is a flow, and one back.
    assert!(handed_out <= 2 * taken, "{handed_out} flows of {taken} bytes");
    let mut counted = 0;
    for exporter in decoder.exporters() {
        let counters = exporter.counters();
        counted += counters.flows;
        assert_eq!(counters.sampling.iter().sum::<u64>(), counters.flows);
        assert!(counters.flows + counters.without_addresses >= counters.records);
        assert!(exporter.waiting() <= 4 << 10);
    }
    assert_eq!(counted, handed_out);
    let mut second = flow_decode::Decoder::new(settings);
    for (exporter, message) in decoder.templates() {
        second.take_up_template(exporter, &message).expect("a template that was taken up before");
    }
    for rate in decoder.rates() {
        second.take_up_rate(rate).expect("an exporter that was known before");
    }
    assert!(second.templates().eq(decoder.templates()));
    // Exporters of which only rates are known come later in the second one.
    let rates = |decoder: &flow_decode::Decoder| {
        let mut rates: Vec<_> = decoder.rates().collect();
        rates.sort_by_key(|kept| (kept.exporter, kept.version, kept.domain, kept.of));
        rates
    };
    assert_eq!(rates(&second), rates(&decoder));
}

/// A packet behind each kind of link, and all that is in it.
pub fn packet(bytes: &[u8]) {
    for link_type in [0, 1, 101, 113, 219, 276] {
        let link = packet_decode::Link::from_pcap(link_type).expect("a link type that is known");
        match packet_decode::linked(link, bytes) {
            Ok(packet) => {
                let innermost = packet.innermost();
                assert!(packet.payload.len() <= bytes.len() && innermost.payload.len() <= bytes.len());
                assert!(packet.link_length as usize <= bytes.len());
                let _ = (packet.transport().ports(), packet.quoted(), packet.inside(), innermost.transport());
            }
            Err(error) => assert!(error.offset() <= bytes.len() as u64, "{error}"),
        }
    }
}
