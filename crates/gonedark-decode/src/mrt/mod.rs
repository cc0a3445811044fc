//! MRT, the format of the public BGP archives (RFC 6396, RFC 8050, and what was written before them).
//!
//! [`frame()`] cuts a stream into [`RawRecord`]s; a [`Decoder`], one per file, makes [`Record`]s of them:
//!
//! ```
//! use gonedark_decode::mrt::{Decoder, Record, records};
//!
//! fn announcements(file: &[u8]) -> usize {
//!     let mut decoder = Decoder::new();
//!     let mut count = 0;
//!     for raw in records(file).flatten() {
//!         if let Ok(Record::Update { update, .. }) = decoder.decode(raw) {
//!             count += update.announced().count();
//!         }
//!     }
//!     count
//! }
//! assert_eq!(announcements(&[]), 0);
//! ```

mod bgp4mp;
mod frame;
mod kind;
mod legacy;
mod resync;
mod table_dump;
mod table_dump_v2;

pub use frame::{Frame, HEADER, RECORD_MAX, RawRecord, UNKNOWN_MAX, cut_at_end, frame, records};
pub use table_dump::{TableDump, TableDumpEntry};
pub use table_dump_v2::{PeerIndexTable, RibEntries, RibEntry, RibRow};

use crate::bgp::{Message, Update};
use crate::error::DecodeError;
use crate::sessions::Sessions;
use gonedark_route::Asn;
use std::net::IpAddr;

/// One neighbour of a collector.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PeerAddress {
    /// Its ASN. In a record with two-byte ASNs that is AS_TRANS for every larger one.
    pub asn: Asn,
    /// Its address. `0.0.0.0` in the short records of 2000, which name nobody.
    pub address: IpAddr,
}

/// A decoded record. It borrows the bytes and the decoder; nothing in it is allocated.
#[derive(Debug)]
pub enum Record<'a> {
    /// Whom the following [`RibRow`]s mean.
    PeerIndexTable(PeerIndexTable<'a>),
    /// A prefix of a TABLE_DUMP_V2 table.
    RibRow(RibRow<'a>),
    /// One or more routes of a TABLE_DUMP table.
    TableDump(TableDump<'a>),
    /// An UPDATE that the collector received.
    Update {
        /// Who sent it.
        peer: PeerAddress,
        /// The message.
        update: Update<'a>,
    },
    /// Another message that the collector received.
    Message {
        /// Who sent it.
        peer: PeerAddress,
        /// The message; never an UPDATE.
        message: Message<'a>,
    },
    /// A message that the collector itself sent. An UPDATE in it is no route of the peer.
    Sent {
        /// To whom.
        peer: PeerAddress,
        /// The message.
        message: Message<'a>,
    },
    /// The session with a peer changed its state (RFC 4271 section 8.2.2: 1 Idle, 2 Connect, 3 Active, 4 OpenSent,
    /// 5 OpenConfirm, 6 Established; Quagga also has 7 Clearing and 8 Deleted).
    StateChange {
        /// Whose session.
        peer: PeerAddress,
        /// The state before.
        old: u16,
        /// The state after.
        new: u16,
    },
    /// A message that cannot be trusted in any part: the receiver would reset the session (RFC 7606 section 3).
    /// What the peer holds is not known from here on.
    Damaged {
        /// Who sent it.
        peer: PeerAddress,
        /// What is wrong.
        error: DecodeError,
    },
    /// A record that is whole and of no use here.
    Unsupported {
        /// MRT type.
        kind: u16,
        /// MRT subtype.
        subtype: u16,
    },
}

/// The state of one file: its PEER_INDEX_TABLE, what its OPENs agreed on, and memory that is used again for each
/// record. Its memory is bounded by the peers of one PEER_INDEX_TABLE (1.5 MiB), 4,096 sessions and one path.
#[derive(Default, Debug)]
pub struct Decoder {
    peers: Vec<PeerAddress>,
    sessions: Sessions<IpAddr>,
    scratch: Vec<u8>,
}

impl Decoder {
    /// A decoder at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one record. Records have to come in the order of the file.
    ///
    /// # Errors
    /// Where not even the peer could be read. The next record can be decoded all the same.
    #[inline]
    pub fn decode<'a>(&'a mut self, raw: RawRecord<'a>) -> Result<Record<'a>, DecodeError> {
        match raw.kind {
            kind::TABLE_DUMP_V2 => table_dump_v2::decode(raw, &mut self.peers),
            kind::BGP4MP | kind::BGP4MP_ET => bgp4mp::decode(raw, &mut self.sessions, &mut self.scratch),
            kind::TABLE_DUMP => TableDump::read(raw, &mut self.scratch),
            kind::BGP => legacy::decode(raw, &mut self.scratch),
            kind => Ok(Record::Unsupported { kind, subtype: raw.subtype }),
        }
    }
}
