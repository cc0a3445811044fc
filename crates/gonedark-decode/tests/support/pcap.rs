//! Captures of packets, the TCP streams and the UDP datagrams in them: as much of pcap, pcapng, Ethernet, IP, TCP and
//! UDP as the captures need.

use std::collections::BTreeMap;
use std::net::IpAddr;

/// One direction of a connection.
pub struct Stream {
    pub source: IpAddr,
    pub source_port: u16,
    pub destination_port: u16,
    pub bytes: Vec<u8>,
    next: u32,
    /// Segments that came too early, by their distance from `next` when the first one came.
    early: Vec<(u32, Vec<u8>)>,
}

struct Segment<'a> {
    source: IpAddr,
    destination: IpAddr,
    ports: (u16, u16),
    sequence: u32,
    syn: bool,
    payload: &'a [u8],
}

/// The streams that carry anything, in the order in which they begin.
///
/// Replayed captures carry payload in the SYN and do not count the SYN in their sequence numbers. So the first segment
/// behind a SYN may have either number.
pub fn streams(capture: &[u8]) -> Vec<Stream> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut newest = BTreeMap::new();
    for (link, packet) in packets(capture) {
        let Some(segment) = segment(link, packet) else { continue };
        let key = (segment.source, segment.destination, segment.ports);
        let known = newest.get(&key).copied().filter(|_| !segment.syn);
        let at = known.unwrap_or_else(|| {
            streams.push(Stream {
                source: segment.source,
                source_port: segment.ports.0,
                destination_port: segment.ports.1,
                bytes: Vec::new(),
                next: segment.sequence,
                early: Vec::new(),
            });
            streams.len() - 1
        });
        newest.insert(key, at);
        streams[at].take(segment.sequence, segment.payload);
    }
    streams.iter_mut().for_each(Stream::finish);
    streams.retain(|stream| !stream.bytes.is_empty());
    streams
}

impl Stream {
    fn take(&mut self, sequence: u32, payload: &[u8]) {
        let ahead = sequence.wrapping_sub(self.next);
        if payload.is_empty() {
            return;
        }
        // One ahead: the SYN is counted.
        if ahead == 0 || ahead == 1 {
            self.bytes.extend(payload);
            self.next = sequence.wrapping_add(payload.len() as u32);
            while let Some(at) = self.early.iter().position(|(sequence, _)| *sequence == self.next) {
                let (sequence, payload) = self.early.remove(at);
                self.bytes.extend(&payload);
                self.next = sequence.wrapping_add(payload.len() as u32);
            }
        } else if ahead < 1 << 31 {
            self.early.push((sequence, payload.to_vec()));
        } else if let Some(new) = payload.get(ahead.wrapping_neg() as usize..).filter(|new| !new.is_empty()) {
            self.take(self.next, new);
        }
    }

    /// What was lost was lost: goes on behind each gap.
    fn finish(&mut self) {
        while !self.early.is_empty() {
            let next = self.next;
            self.early.sort_by_key(|(sequence, _)| sequence.wrapping_sub(next));
            let (sequence, payload) = self.early.remove(0);
            if sequence.wrapping_sub(next) < 1 << 31 {
                self.next = sequence;
            }
            self.take(sequence, &payload);
        }
    }
}

/// Link type and bytes of each packet.
pub fn packets(capture: &[u8]) -> Vec<(u32, &[u8])> {
    match capture[..4] {
        [0x0A, 0x0D, 0x0D, 0x0A] => pcapng(capture),
        [0xD4, 0xC3, 0xB2, 0xA1] | [0x4D, 0x3C, 0xB2, 0xA1] => pcap(capture, u32::from_le_bytes),
        _ => pcap(capture, u32::from_be_bytes),
    }
}

fn word(bytes: &[u8], at: usize, order: fn([u8; 4]) -> u32) -> u32 {
    order(bytes[at..at + 4].try_into().unwrap())
}

fn pcap(capture: &[u8], order: fn([u8; 4]) -> u32) -> Vec<(u32, &[u8])> {
    let link = word(capture, 20, order);
    let (mut rest, mut packets) = (&capture[24..], Vec::new());
    while rest.len() >= 16 {
        let length = word(rest, 8, order) as usize;
        let Some(packet) = rest[16..].get(..length) else { break };
        packets.push((link, packet));
        rest = &rest[16 + length..];
    }
    packets
}

/// Little-endian files with one interface.
fn pcapng(capture: &[u8]) -> Vec<(u32, &[u8])> {
    let (mut rest, mut packets, mut link) = (capture, Vec::new(), 1);
    while rest.len() >= 12 {
        let (kind, length) = (word(rest, 0, u32::from_le_bytes), word(rest, 4, u32::from_le_bytes) as usize);
        match kind {
            1 => link = word(rest, 8, u32::from_le_bytes) & 0xFFFF,
            6 => packets.push((link, &rest[28..28 + word(rest, 20, u32::from_le_bytes) as usize])),
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    packets
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().unwrap()))
}

fn segment(link: u32, packet: &[u8]) -> Option<Segment<'_>> {
    let (mut kind, mut rest) = match link {
        0 => (0, packet.get(4..)?),
        1 => (half(packet, 12)?, packet.get(14..)?),
        113 => (half(packet, 14)?, packet.get(16..)?),
        276 => (half(packet, 0)?, packet.get(20..)?),
        101 => (0, packet),
        other => panic!("link type {other}"),
    };
    while matches!(kind, 0x8100 | 0x88A8) {
        (kind, rest) = (half(rest, 2)?, rest.get(4..)?);
    }
    let (source, destination, tcp): (IpAddr, IpAddr, &[u8]) = match rest.first()? >> 4 {
        4 if rest.get(9) == Some(&6) => {
            let header = usize::from(rest[0] & 0x0F) * 4;
            let address = |at: usize| <[u8; 4]>::try_from(&rest[at..at + 4]).unwrap().into();
            let length = usize::from(half(rest, 2)?);
            // A length of zero is that of a packet that the sending machine still had to cut.
            let length = if length == 0 { rest.len() } else { length.min(rest.len()) };
            (address(12), address(16), rest.get(header..length)?)
        }
        6 if rest.get(6) == Some(&6) => {
            let address = |at: usize| <[u8; 16]>::try_from(&rest[at..at + 16]).unwrap().into();
            let length = usize::from(half(rest, 4)?) + 40;
            (address(8), address(24), rest.get(40..length.min(rest.len()))?)
        }
        _ => return None,
    };
    let header = usize::from(tcp.get(12)? >> 4) * 4;
    Some(Segment {
        source,
        destination,
        ports: (half(tcp, 0)?, half(tcp, 2)?),
        sequence: word(tcp, 4, u32::from_be_bytes),
        syn: tcp.get(13)? & 2 != 0,
        payload: tcp.get(header..)?,
    })
}
