//! Files of flows: captures of what exporters sent, captures of the traffic itself, and what exporters sent without anything
//! around it.

use super::super::archive::{ArchiveReader, Workers};
use super::super::capture;
use super::exports::{Exports, Told, is_export};
use gonedark_decode::flow::of_packet;
use gonedark_decode::packet::{self, Transport};
use gonedark_route::Time;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// The largest file of bare datagrams: one that is larger is something else. Guess.
const LARGEST: usize = 1 << 30;
/// Whose bare datagrams are: nobody says.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What a capture is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What exporters sent.
    Exports,
    /// The traffic itself: every packet is counted.
    Packets,
}

/// What was read of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// Packets of a capture, or bare datagrams.
    pub packets: u64,
    /// Of them those that told something.
    pub used: u64,
    /// Of them those that look like an exporter's and could not be read, or are no IP packets where those are counted.
    pub unread: u64,
    /// Why not all of it was read.
    pub damage: Option<String>,
}

/// Reads a file, and tells what is in it in its order.
///
/// # Errors
/// A file that cannot be read at all.
pub fn read(
    path: &Path,
    workers: &Workers,
    kind: Kind,
    exports: &mut Exports,
    each: &mut impl FnMut(Told<'_>),
) -> io::Result<Input> {
    let mut input = Input::default();
    let mut packet = |captured: &capture::Captured<'_>| {
        let told = match packet::linked(captured.link, captured.bytes) {
            Ok(packet) if kind == Kind::Packets => {
                let flow = of_packet(&packet, false, captured.length, captured.at);
                each(Told::Flow { at: captured.at, exporter: 0, flow: &flow });
                Some(true)
            }
            Ok(packet) => export(&packet)
                .map(|datagram| exports.take(packet.source, captured.at, datagram, each).is_ok()),
            Err(_) => (kind == Kind::Packets).then_some(false),
        };
        input.used += u64::from(told == Some(true));
        input.unread += u64::from(told == Some(false));
    };
    match capture::read(path, workers, &mut packet) {
        Ok(summary) => {
            input.packets = summary.packets + summary.passed_over;
            input.unread += summary.passed_over;
            input.damage = summary.damage;
            Ok(input)
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData && kind == Kind::Exports => {
            bare(path, workers, exports, each)?.ok_or(error)
        }
        Err(error) => Err(error),
    }
}

/// The datagram in a packet, where it looks like an exporter's.
fn export<'a>(packet: &packet::Packet<'a>) -> Option<&'a [u8]> {
    let Transport::Udp { .. } = packet.transport() else { return None };
    let datagram = packet.payload.get(8..)?;
    is_export(datagram).then_some(datagram)
}

/// Datagrams without anything around them, as they were received; nothing where it is none.
fn bare(
    path: &Path,
    workers: &Workers,
    exports: &mut Exports,
    each: &mut impl FnMut(Told<'_>),
) -> io::Result<Option<Input>> {
    let (mut bytes, mut chunk) = (Vec::new(), Vec::new());
    let mut reader = ArchiveReader::open(path, workers)?;
    let mut input = Input::default();
    loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) if bytes.len() + chunk.len() <= LARGEST => bytes.extend_from_slice(&chunk),
            Ok(true) => return Ok(None),
            Ok(false) => break,
            Err(damage) => {
                input.damage = Some(damage.to_string());
                break;
            }
        }
    }
    let mut left = &bytes[..];
    while is_export(left) {
        let (datagram, rest) = left.split_at(length(left));
        input.packets += 1;
        match exports.take(NOBODY, sent(datagram), datagram, each) {
            Ok(()) => input.used += 1,
            Err(_) => input.unread += 1,
        }
        left = rest;
    }
    if input.packets == 0 {
        return Ok(None);
    }
    if !left.is_empty() && input.damage.is_none() {
        input.damage = Some(format!("the last {} bytes are no datagram", left.len()));
    }
    Ok(Some(input))
}

/// Where the first of several datagrams ends. Of version 9 and sFlow nobody says: all is one.
fn length(bytes: &[u8]) -> usize {
    let whole = match *bytes {
        // A count that lies takes what is there.
        [0, 5, high, low, ..] => 24 + 48 * usize::from(u16::from_be_bytes([high, low])),
        [0, 10, high, low, ..] => usize::from(u16::from_be_bytes([high, low])),
        _ => bytes.len(),
    };
    whole.min(bytes.len())
}

/// When a datagram was sent, by its own word: that it was received then is the best guess there is.
fn sent(datagram: &[u8]) -> Time {
    let at = match datagram {
        [0, 5 | 9, ..] => datagram.get(8..12),
        [0, 10, ..] => datagram.get(4..8),
        _ => None,
    };
    let seconds = at.and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_be_bytes);
    Time::from_seconds(i64::from(seconds))
}
