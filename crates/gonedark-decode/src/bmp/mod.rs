//! BMP, by which routers tell what their neighbours send them (RFC 7854), what they send on (RFC 8671) and what they
//! chose (RFC 9069).
//!
//! [`frame()`] cuts a stream into [`RawMessage`]s; a [`Decoder`], one per connection, makes [`Message`]s of them:
//!
//! ```
//! use gonedark_decode::bmp::{Decoder, Message, messages};
//!
//! fn announcements(stream: &[u8]) -> usize {
//!     let mut decoder = Decoder::new();
//!     let mut count = 0;
//!     for raw in messages(stream).flatten() {
//!         if let Ok(Message::RouteMonitoring { update, .. }) = decoder.decode(raw) {
//!             count += update.announced().count();
//!         }
//!     }
//!     count
//! }
//! assert_eq!(announcements(&[]), 0);
//! ```
//!
//! Version 4 (draft-ietf-grow-bmp-tlv) is read as far as it is settled: its UPDATE, and its word on path identifiers.

mod frame;
mod kind;
mod monitoring;
mod peer;
mod session;
mod statistics;
pub mod tlv;

pub use frame::{Frame, HEADER, MESSAGE_MAX, RawMessage, UNKNOWN_MAX, cut_at_end, frame, messages};
pub use peer::{PeerType, PerPeer, View};
pub use session::{Notification, PeerDown, PeerUp};
pub use statistics::{Counter, Statistics};
pub use tlv::{Tlv, Tlvs};

use crate::bgp::Update;
use crate::cursor::Cursor;
use crate::error::DecodeError;
use crate::sessions::Sessions;
use peer::PeerKey;

/// A decoded message. It borrows the bytes and the decoder; nothing in it is allocated.
#[derive(Debug)]
pub enum Message<'a> {
    /// Routes of a peer (RFC 7854 section 4.6). The tables that a router sends first come the same way, and end with
    /// [`Update::end_of_rib`].
    RouteMonitoring {
        /// Whose routes.
        peer: PerPeer,
        /// The message.
        update: Update<'a>,
    },
    /// Routes of a peer that cannot be trusted in any part: the receiver of such an UPDATE would reset the session
    /// (RFC 7606 section 3). What the peer holds is not known from here on.
    Damaged {
        /// Whose routes.
        peer: PerPeer,
        /// What is wrong.
        error: DecodeError,
    },
    /// Counters of a peer.
    Statistics {
        /// Whose counters.
        peer: PerPeer,
        /// The counters.
        statistics: Statistics<'a>,
    },
    /// The session with a peer is up, or was when the router connected. Routers send one for each [`View`] of it.
    PeerUp {
        /// With whom.
        peer: PerPeer,
        /// What was agreed.
        up: PeerUp<'a>,
    },
    /// The session with a peer went down, and all of its routes with it.
    PeerDown {
        /// With whom.
        peer: PerPeer,
        /// Why.
        down: PeerDown<'a>,
    },
    /// What the router says of itself when it connects.
    Initiation(Tlvs<'a>),
    /// Why the router ends the connection.
    Termination(Tlvs<'a>),
    /// BGP messages as they came over the wire (RFC 7854 section 4.7): type 0 a message, type 1 a remark. They are
    /// copies of what Route Monitoring tells, or of what was not understood; no routes are read from them.
    RouteMirroring {
        /// Who sent them.
        peer: PerPeer,
        /// The messages.
        messages: Tlvs<'a>,
    },
    /// A message that is whole and of no use here: of an unknown type, or of version 4 and without an UPDATE.
    Unsupported {
        /// BMP message type.
        kind: u8,
    },
}

/// The state of one connection: what the OPENs of its sessions agreed on, and memory that is used again for each
/// message. Its memory is bounded by 4,096 sessions and two paths.
#[derive(Default, Debug)]
pub struct Decoder {
    sessions: Sessions<PeerKey>,
    scratch: [Vec<u8>; 2],
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one message. Messages have to come in the order of the stream; each peer's first one may be of any
    /// type.
    ///
    /// # Errors
    /// Where not even the peer could be read, or a Peer Up without its addresses. The next message can be decoded all
    /// the same.
    #[inline]
    pub fn decode<'a>(&'a mut self, raw: RawMessage<'a>) -> Result<Message<'a>, DecodeError> {
        let mut cursor = Cursor::new(raw.body, raw.offset.saturating_add(HEADER as u64));
        if !kind::is_of_a_peer(raw.kind) {
            return Ok(match raw.kind {
                kind::INITIATION => Message::Initiation(Tlvs::new(cursor)),
                kind::TERMINATION => Message::Termination(Tlvs::new(cursor)),
                kind => Message::Unsupported { kind },
            });
        }
        let peer = PerPeer::read(&mut cursor)?;
        match raw.kind {
            kind::ROUTE_MONITORING => {
                Ok(monitoring::decode(cursor, raw.version, peer, &mut self.sessions, &mut self.scratch))
            }
            kind::STATISTICS => Ok(Message::Statistics { peer, statistics: Statistics::read(cursor)? }),
            kind::PEER_UP => {
                let up = PeerUp::read(cursor, &peer)?;
                self.sessions.down(peer.key());
                for (by_router, open) in [(true, &up.sent), (false, &up.received)] {
                    if let Some(open) = open {
                        self.sessions.open(peer.key(), by_router, open);
                    }
                }
                Ok(Message::PeerUp { peer, up })
            }
            kind::PEER_DOWN => {
                self.sessions.down(peer.key());
                Ok(Message::PeerDown { peer, down: PeerDown::read(cursor) })
            }
            _ => Ok(Message::RouteMirroring { peer, messages: Tlvs::new(cursor) }),
        }
    }
}
