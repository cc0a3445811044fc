//! Captures of packets (pcap, pcapng), plain or packed: each packet with its time, and what stands before its IP header.

use super::archive::{ArchiveReader, Workers};
use gonedark_decode::packet::Link;
use gonedark_route::Time;
use pcap_parser::pcapng::Block;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are read at once, and the largest packet that is read without growing.
const ROOM: usize = 1 << 20;
/// The largest block of a capture that is read: what is larger is no packet of any network. Guess.
const LARGEST: usize = 64 << 20;
/// Microseconds a second.
const SECOND: u128 = 1_000_000;

/// A packet as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// When, by the clock of the capturing machine.
    pub at: Time,
    /// What stands before its IP header.
    pub link: Link,
    /// Its bytes, as far as they were captured.
    pub bytes: &'a [u8],
    /// How many there were.
    pub length: u32,
}

/// What a capture held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets that were given out.
    pub packets: u64,
    /// Packets of a kind of link that is not known, or without a time.
    pub passed_over: u64,
    /// Why reading ended before the end, if it did. All packets before it were given out.
    pub damage: Option<String>,
}

/// The name of a capture that comes on standard input, as it is captured.
pub const LIVE: &str = "-";

/// Gives out every packet of a capture, in its order; of [`LIVE`] as it comes.
///
/// # Errors
/// A file that cannot be opened, or is no capture. What is damaged further on is told in [`Summary::damage`].
pub fn read(path: &Path, workers: &Workers, each: &mut dyn FnMut(&Captured<'_>)) -> io::Result<Summary> {
    if path == Path::new(LIVE) {
        // Whoever captures does not compress, and nothing is read ahead of what is there.
        return packets(Prompt { reads: 0, stdin: io::stdin() }, &|| None, each);
    }
    let fault = Arc::new(Mutex::new(None));
    let reader = ArchiveReader::open(path, workers)?;
    let unpacked = Unpacked { reader, chunk: Vec::new(), used: 0, fault: Arc::clone(&fault) };
    packets(unpacked, &|| fault.lock().unwrap_or_else(PoisonError::into_inner).take(), each)
}

/// Standard input for pcap-parser 0.17, which reads twice before it gives anything out, and would wait for a second packet
/// before it tells of the first: its second read is told that there is nothing more yet.
struct Prompt {
    reads: u32,
    stdin: io::Stdin,
}

impl Read for Prompt {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads = self.reads.saturating_add(1);
        if self.reads == 2 { Ok(0) } else { self.stdin.read(into) }
    }
}

/// See [`read`]; `told` says what was wrong with the file around the capture.
fn packets(
    reader: impl Read + Send,
    told: &dyn Fn() -> Option<String>,
    each: &mut dyn FnMut(&Captured<'_>),
) -> io::Result<Summary> {
    let mut packets = create_reader(ROOM, reader).map_err(|error| no_capture(&error, told()))?;
    let (mut summary, mut kinds) = (Summary::default(), Kinds::default());
    let mut room = ROOM;
    loop {
        match packets.next() {
            Ok((length, block)) => {
                match kinds.packet(&block) {
                    Found::Packet(packet) => {
                        summary.packets += 1;
                        each(&packet);
                    }
                    Found::Unknown => summary.passed_over += 1,
                    Found::Nothing => {}
                }
                packets.consume(length);
                continue;
            }
            Err(PcapError::Eof) => break,
            Err(PcapError::Incomplete(_)) => {}
            Err(PcapError::BufferTooSmall) if room < LARGEST => {
                room *= 2;
                packets.grow(room);
            }
            Err(PcapError::UnexpectedEof) => {
                summary.damage = Some("the capture ends within a packet".into());
                break;
            }
            Err(_) => {
                let after = summary.packets;
                summary.damage = Some(format!("what follows packet {after} is no block of a capture"));
                break;
            }
        }
        if packets.refill().is_err() {
            summary.damage = Some("the capture cannot be read further".into());
            break;
        }
    }
    summary.damage = told().or(summary.damage);
    Ok(summary)
}

fn no_capture(error: &PcapError<&[u8]>, fault: Option<String>) -> io::Error {
    let why = fault.unwrap_or_else(|| match error {
        PcapError::Eof => "it is empty".into(),
        _ => "it begins like neither pcap nor pcapng".into(),
    });
    io::Error::new(io::ErrorKind::InvalidData, format!("no capture of packets: {why}"))
}

/// What is known of the interfaces that packets were captured at.
#[derive(Default)]
struct Kinds {
    interfaces: Vec<Interface>,
    /// Of a pcap file: units of the fraction in a second, and the link.
    legacy: (u128, Option<Link>),
}

#[derive(Clone, Copy)]
struct Interface {
    link: Option<Link>,
    /// Units of time in a second; 0 where it makes no sense.
    resolution: u128,
    /// Seconds to be added.
    offset: i64,
}

enum Found<'a> {
    Packet(Captured<'a>),
    /// A packet that nothing can be done with.
    Unknown,
    /// Something that is no packet.
    Nothing,
}

impl Kinds {
    fn packet<'a>(&mut self, block: &'a PcapBlockOwned<'_>) -> Found<'a> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let units = if header.is_nanosecond_precision() { 1_000_000_000 } else { SECOND };
                self.legacy = (units, link(header.network.0));
                Found::Nothing
            }
            PcapBlockOwned::Legacy(packet) => {
                let (units, link) = self.legacy;
                let Some(link) = link else { return Found::Unknown };
                let at = time(u128::from(packet.ts_sec) * units + u128::from(packet.ts_usec), units, 0);
                Found::Packet(Captured { at, link, bytes: packet.data, length: packet.origlen })
            }
            PcapBlockOwned::NG(Block::SectionHeader(_)) => {
                self.interfaces.clear();
                Found::Nothing
            }
            PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                self.interfaces.push(Interface {
                    link: link(interface.linktype.0),
                    resolution: resolution(interface.if_tsresol),
                    offset: interface.if_tsoffset,
                });
                Found::Nothing
            }
            PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                let interface = usize::try_from(packet.if_id).ok().and_then(|id| self.interfaces.get(id));
                let Some(Interface { link: Some(link), resolution, offset }) = interface else {
                    return Found::Unknown;
                };
                if *resolution == 0 {
                    return Found::Unknown;
                }
                let units = u128::from(packet.ts_high) << 32 | u128::from(packet.ts_low);
                let at = time(units, *resolution, *offset);
                let (bytes, length) = (packet.packet_data(), packet.origlen);
                Found::Packet(Captured { at, link: *link, bytes, length })
            }
            // It has no time.
            PcapBlockOwned::NG(Block::SimplePacket(_)) => Found::Unknown,
            PcapBlockOwned::NG(_) => Found::Nothing,
        }
    }
}

fn link(number: i32) -> Option<Link> {
    // The upper bits of pcap's say how long a checksum behind the packet is.
    Link::from_pcap(number as u32 & 0xffff)
}

/// Units in a second, as pcapng writes it: a power of ten, or with the high bit of two.
fn resolution(written: u8) -> u128 {
    let (base, power) = if written & 0x80 == 0 { (10_u128, written) } else { (2, written & 0x7f) };
    base.checked_pow(u32::from(power)).filter(|units| *units <= 1 << 64).unwrap_or(0)
}

fn time(units: u128, resolution: u128, offset: i64) -> Time {
    let micros = i64::try_from(units * SECOND / resolution.max(1)).unwrap_or(i64::MAX);
    Time::from_micros(micros) + offset.saturating_mul(SECOND as i64)
}

/// The unpacked bytes of a file, as the library that parts captures wants them.
struct Unpacked {
    reader: ArchiveReader,
    chunk: Vec<u8>,
    used: usize,
    /// What was wrong with the packing: to whoever parts the bytes it is their end.
    fault: Arc<Mutex<Option<String>>>,
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.used == self.chunk.len() {
            self.used = 0;
            match self.reader.next_chunk(&mut self.chunk) {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(damage) => {
                    let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
                    *fault = Some(damage.to_string());
                    return Ok(0);
                }
            }
        }
        let left = &self.chunk[self.used..];
        let length = left.len().min(into.len());
        into[..length].copy_from_slice(&left[..length]);
        self.used += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// When, behind what, and the bytes.
    type Found = Vec<(i64, Link, Vec<u8>)>;

    const FRAME: [u8; 6] = [0x45, 1, 2, 3, 4, 5];

    fn of(bytes: &[u8]) -> io::Result<(Summary, Found)> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("capture");
        std::fs::write(&path, bytes).expect("written");
        let mut found = Vec::new();
        let each = &mut |packet: &Captured<'_>| {
            found.push((packet.at.micros(), packet.link, packet.bytes.to_vec()));
        };
        let summary = read(&path, &Workers::per_core(), each)?;
        Ok((summary, found))
    }

    fn pcap(magic: u32, link: u32, fraction: u32, word: impl Fn(u32) -> [u8; 4]) -> Vec<u8> {
        let half = |number: u16| if word(1)[0] == 1 { number.to_le_bytes() } else { number.to_be_bytes() };
        let mut bytes = word(magic).to_vec();
        bytes.extend([half(2), half(4)].concat());
        bytes.extend([0, 0, 65_535, link].map(&word).concat());
        for second in [1, 2] {
            bytes.extend([second, fraction, FRAME.len() as u32, 1_500].map(&word).concat());
            bytes.extend(FRAME);
        }
        bytes
    }

    /// A block of pcapng, little-endian.
    fn block(kind: u32, body: &[u8]) -> Vec<u8> {
        let length = 12 + body.len().next_multiple_of(4) as u32;
        let mut bytes = [kind, length].map(u32::to_le_bytes).concat();
        bytes.extend(body);
        bytes.resize(length as usize - 4, 0);
        bytes.extend(length.to_le_bytes());
        bytes
    }

    fn section() -> Vec<u8> {
        let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
        body.extend([1, 0, 0, 0]);
        body.extend([0xff; 8]);
        block(0x0a0d_0d0a, &body)
    }

    fn interface(link: u16, resolution: Option<u8>) -> Vec<u8> {
        let mut body = link.to_le_bytes().to_vec();
        body.extend([0; 6]);
        if let Some(resolution) = resolution {
            body.extend([9, 0, 1, 0, resolution, 0, 0, 0, 0, 0, 0, 0]);
        }
        block(1, &body)
    }

    fn packet(interface: u32, units: u64) -> Vec<u8> {
        let mut body =
            [interface, (units >> 32) as u32, units as u32, 6, 1_500].map(u32::to_le_bytes).concat();
        body.extend(FRAME);
        block(6, &body)
    }

    #[test]
    fn pcap_is_read_in_both_byte_orders_and_both_resolutions() {
        let expected =
            vec![(1_000_007, Link::Ethernet, FRAME.to_vec()), (2_000_007, Link::Ethernet, FRAME.to_vec())];
        for bytes in [
            pcap(0xa1b2_c3d4, 1, 7, u32::to_le_bytes),
            pcap(0xa1b2_c3d4, 1, 7, u32::to_be_bytes),
            pcap(0xa1b2_3c4d, 1, 7_999, u32::to_le_bytes),
        ] {
            let (summary, found) = of(&bytes).expect("a capture");
            assert_eq!((found, summary.packets, summary.damage), (expected.clone(), 2, None));
        }
    }

    #[test]
    fn each_interface_of_pcapng_has_its_link_and_its_clock() {
        let bytes = [
            section(),
            interface(101, None),
            interface(113, Some(9)),
            interface(1, Some(0x80 | 10)),
            interface(147, None),
            packet(0, 5_000_001),
            packet(1, 6_000_001_999),
            packet(2, 7 * 1024 + 512),
            // A link that nobody knows, an interface that was never told of.
            packet(3, 1),
            packet(9, 1),
            block(0x0bad, &[1, 2, 3]),
            packet(0, 8_000_000),
        ];
        let (summary, found) = of(&bytes.concat()).expect("a capture");
        let kinds: Vec<(i64, Link)> = found.iter().map(|(at, link, _)| (*at, *link)).collect();
        let expected = [
            (5_000_001, Link::Ip),
            (6_000_001, Link::LinuxCooked),
            (7_500_000, Link::Ethernet),
            (8_000_000, Link::Ip),
        ];
        assert_eq!(kinds, expected);
        assert_eq!((summary.packets, summary.passed_over, summary.damage), (4, 2, None));
    }

    #[test]
    fn what_stands_before_a_cut_or_garbage_is_given_out() {
        let whole = pcap(0xa1b2_c3d4, 1, 7, u32::to_le_bytes);
        let (summary, found) = of(&whole[..whole.len() - 3]).expect("a capture");
        assert_eq!(found.len(), 1);
        assert_eq!(summary.damage.as_deref(), Some("the capture ends within a packet"));
        let mut garbage = [section(), interface(1, None), packet(0, 1)].concat();
        garbage.extend([0xff; 64]);
        let (summary, found) = of(&garbage).expect("a capture");
        assert_eq!(found.len(), 1);
        assert!(summary.damage.is_some());
        assert!(of(b"no capture at all, only words").is_err() && of(&[]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_bytes_bring_it_down(
            at in 0_usize..400, with in prop::collection::vec(any::<u8>(), 1..40), is_ng in any::<bool>(),
        ) {
            let mut bytes = if is_ng {
                [section(), interface(1, Some(9)), packet(0, 1), packet(0, 2)].concat()
            } else {
                pcap(0xa1b2_c3d4, 1, 7, u32::to_be_bytes)
            };
            let at = at % bytes.len();
            let end = (at + with.len()).min(bytes.len());
            bytes.splice(at..end, with);
            let _ = of(&bytes);
        }
    }
}
