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

/// Gives out every packet of a capture, in its order.
///
/// # Errors
/// A file that cannot be opened, or is no capture. What is damaged further on is told in [`Summary::damage`].
pub fn read(path: &Path, workers: &Workers, each: &mut dyn FnMut(&Captured<'_>)) -> io::Result<Summary> {
    let fault = Arc::new(Mutex::new(None));
    let reader = ArchiveReader::open(path, workers)?;
    let unpacked = Unpacked { reader, chunk: Vec::new(), used: 0, fault: Arc::clone(&fault) };
    let told = || fault.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut packets = create_reader(ROOM, unpacked).map_err(|error| no_capture(&error, told()))?;
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
                Found::Packet(Captured { at, link, bytes: packet.data })
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
                Found::Packet(Captured { at, link: *link, bytes: packet.packet_data() })
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
