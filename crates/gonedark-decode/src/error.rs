use std::fmt;

/// Why bytes could not be decoded: where, what stood there, and what should have.
///
/// 24 bytes and `Copy`, so that a damaged archive costs no allocation. Offsets count from the start of the
/// (decompressed) stream, as the caller gave them with the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Something ends before its length says.
    #[error("byte {offset}: {}", self.complaint())]
    Cut {
        /// Where it starts.
        offset: u64,
        /// What is cut.
        field: Field,
        /// How many bytes it needs.
        needed: u32,
        /// How many there are.
        left: u32,
    },
    /// A value that the format does not allow there.
    #[error("byte {offset}: {}", self.complaint())]
    Value {
        /// Where it stands.
        offset: u64,
        /// What it is.
        field: Field,
        /// The value that was found.
        found: u32,
    },
    /// Something without which the rest means nothing is not there.
    #[error("byte {offset}: {}", self.complaint())]
    Missing {
        /// Where it would stand at the latest.
        offset: u64,
        /// What is missing.
        field: Field,
    },
}

impl DecodeError {
    /// Offset from the start of the stream.
    pub const fn offset(self) -> u64 {
        match self {
            DecodeError::Cut { offset, .. }
            | DecodeError::Value { offset, .. }
            | DecodeError::Missing { offset, .. } => offset,
        }
    }

    /// What is wrong, without the offset: equal complaints of one file can be counted together.
    pub fn complaint(self) -> impl fmt::Display {
        fmt::from_fn(move |f| match self {
            DecodeError::Cut { field, needed, left, .. } => {
                write!(f, "{field} needs {needed} bytes, {left} are left")
            }
            DecodeError::Value { field, found, .. } => {
                write!(f, "{field} is {found}, expected {}", field.expected())
            }
            DecodeError::Missing { field, .. } => write!(f, "{field} is missing"),
        })
    }

    /// What was being read.
    pub const fn field(self) -> Field {
        match self {
            DecodeError::Cut { field, .. }
            | DecodeError::Value { field, .. }
            | DecodeError::Missing { field, .. } => field,
        }
    }
}

/// The part of a record that an error is about, in the words of the RFCs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Field {
    /// The twelve bytes before each MRT record (RFC 6396 section 2).
    MrtHeader,
    /// The type in an MRT header.
    MrtType,
    /// The length in an MRT header.
    MrtLength,
    /// An MRT record as a whole.
    MrtRecord,
    /// The microseconds of an _ET record (RFC 6396 section 3).
    Microseconds,
    /// The table of peers before a RIB (RFC 6396 section 4.3.1).
    PeerIndexTable,
    /// A row of a RIB: prefix and number of entries (RFC 6396 section 4.3.2).
    RibRow,
    /// An entry of a row (RFC 6396 section 4.3.4).
    RibEntry,
    /// An entry of a TABLE_DUMP record (RFC 6396 section 4.2).
    TableDumpEntry,
    /// The ASNs, interface and addresses before a BGP message (RFC 6396 section 4.4).
    PeerHeader,
    /// The address family of a peer's address.
    AddressFamily,
    /// Old and new state of a peer's session (RFC 6396 section 4.4.1).
    StateChange,
    /// A prefix length.
    PrefixLength,
    /// A prefix with its length and, where there is one, its path identifier.
    Nlri,
    /// The sixteen bytes of ones before a BGP message (RFC 4271 section 4.1).
    BgpMarker,
    /// The length in a BGP header.
    BgpLength,
    /// A BGP message as a whole.
    BgpMessage,
    /// The type in a BGP header.
    BgpType,
    /// The withdrawn routes of an UPDATE.
    WithdrawnRoutes,
    /// The path attributes of an UPDATE or a RIB entry.
    PathAttributes,
    /// MP_REACH_NLRI (RFC 4760 section 3).
    MpReach,
    /// MP_UNREACH_NLRI (RFC 4760 section 4).
    MpUnreach,
    /// How often MP_REACH_NLRI or MP_UNREACH_NLRI occurs in one UPDATE (RFC 7606 section 3 g).
    MpOccurrences,
    /// The fields of an OPEN before its parameters (RFC 4271 section 4.2).
    Open,
    /// An optional parameter or a capability of an OPEN (RFC 5492).
    Capability,
    /// A NOTIFICATION (RFC 4271 section 4.5).
    Notification,
    /// A ROUTE-REFRESH (RFC 2918).
    RouteRefresh,
    /// The version in a BMP header (RFC 7854 section 4.1).
    BmpVersion,
    /// The length in a BMP header (RFC 7854 section 4.1).
    BmpLength,
    /// A BMP message as a whole.
    BmpMessage,
    /// The header that says whose routes a BMP message is about (RFC 7854 section 4.2).
    PerPeerHeader,
    /// A type, length and value of BMP (RFC 7854 section 4.4).
    BmpTlv,
    /// The addresses, ports and OPENs of a Peer Up (RFC 7854 section 4.10).
    PeerUp,
    /// The counters of a Statistics Report (RFC 7854 section 4.8).
    Statistics,
    /// The text of a JSON value (RFC 8259).
    Json,
    /// How deep JSON values are nested.
    JsonDepth,
    /// The time of a RIS Live message.
    RisTimestamp,
    /// The peer's address in a RIS Live message.
    RisPeer,
    /// The peer's ASN in a RIS Live message.
    RisPeerAsn,
    /// The collector in a RIS Live message.
    RisHost,
    /// The type of a RIS Live message.
    RisType,
    /// The hexadecimal digits of a BGP message in a RIS Live message.
    RisRaw,
    /// The AS path in the fields of a RIS Live message.
    RisPath,
    /// A prefix in the fields of a RIS Live message.
    RisPrefix,
    /// The link layer before a packet, as it was captured.
    Frame,
    /// What a frame carries (IANA "IEEE 802 Numbers").
    EtherType,
    /// An MPLS label stack and what is behind it (RFC 3032).
    Mpls,
    /// The first four bits of an IP header.
    IpVersion,
    /// An IP header (RFC 791, RFC 8200).
    IpHeader,
    /// A length in an IPv4 header (RFC 791 section 3.1).
    IpHeaderLength,
    /// The version at the start of a flow datagram.
    FlowVersion,
    /// The header of a flow datagram.
    FlowHeader,
    /// How many records or samples a flow datagram is said to have.
    FlowCount,
    /// The length in an IPFIX header (RFC 7011 section 3.1).
    FlowLength,
    /// A set of NetFlow version 9 or IPFIX (RFC 3954 section 5, RFC 7011 section 3.3).
    FlowSet,
    /// The identifier of a set.
    FlowSetId,
    /// The length of a set.
    FlowSetLength,
    /// A template (RFC 3954 section 5.2, RFC 7011 section 3.4).
    FlowTemplate,
    /// The identifier of a template.
    FlowTemplateId,
    /// A data record.
    FlowRecord,
    /// How many exporters there are.
    FlowExporters,
    /// How many domains, source identifiers or agents an exporter has.
    FlowDomains,
    /// The type of an agent's address in sFlow.
    SflowAddress,
    /// A sample of sFlow (sFlow version 5, section 5).
    SflowSample,
    /// A record in a sample of sFlow.
    SflowRecord,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Field::MrtHeader => "MRT header",
            Field::MrtType => "MRT type",
            Field::MrtLength => "MRT record length",
            Field::MrtRecord => "MRT record",
            Field::Microseconds => "microseconds",
            Field::PeerIndexTable => "PEER_INDEX_TABLE",
            Field::RibRow => "RIB row",
            Field::RibEntry => "RIB entry",
            Field::TableDumpEntry => "TABLE_DUMP entry",
            Field::PeerHeader => "peer header",
            Field::AddressFamily => "address family",
            Field::StateChange => "state change",
            Field::PrefixLength => "prefix length",
            Field::Nlri => "NLRI",
            Field::BgpMarker => "BGP marker byte",
            Field::BgpLength => "BGP message length",
            Field::BgpMessage => "BGP message",
            Field::BgpType => "BGP message type",
            Field::WithdrawnRoutes => "withdrawn routes",
            Field::PathAttributes => "path attributes",
            Field::MpReach => "MP_REACH_NLRI",
            Field::MpUnreach => "MP_UNREACH_NLRI",
            Field::MpOccurrences => "number of MP_REACH_NLRI or MP_UNREACH_NLRI",
            Field::Open => "OPEN",
            Field::Capability => "OPEN parameter",
            Field::Notification => "NOTIFICATION",
            Field::RouteRefresh => "ROUTE-REFRESH",
            Field::BmpVersion => "BMP version",
            Field::BmpLength => "BMP message length",
            Field::BmpMessage => "BMP message",
            Field::PerPeerHeader => "BMP per-peer header",
            Field::BmpTlv => "BMP TLV",
            Field::PeerUp => "BMP Peer Up",
            Field::Statistics => "BMP Statistics Report",
            Field::Json => "JSON",
            Field::JsonDepth => "JSON nesting",
            Field::RisTimestamp => "timestamp",
            Field::RisPeer => "peer",
            Field::RisPeerAsn => "peer_asn",
            Field::RisHost => "host",
            Field::RisType => "type",
            Field::RisRaw => "raw",
            Field::RisPath => "path",
            Field::RisPrefix => "prefix",
            Field::Frame => "frame",
            Field::EtherType => "EtherType",
            Field::Mpls => "MPLS",
            Field::IpVersion => "IP version",
            Field::IpHeader => "IP header",
            Field::IpHeaderLength => "IP header length",
            Field::FlowVersion => "flow version",
            Field::FlowHeader => "flow header",
            Field::FlowCount => "flow record count",
            Field::FlowLength => "IPFIX length",
            Field::FlowSet => "flow set",
            Field::FlowSetId => "flow set identifier",
            Field::FlowSetLength => "flow set length",
            Field::FlowTemplate => "flow template",
            Field::FlowTemplateId => "flow template identifier",
            Field::FlowRecord => "flow record",
            Field::FlowExporters => "number of flow exporters",
            Field::FlowDomains => "number of flow domains",
            Field::SflowAddress => "sFlow address type",
            Field::SflowSample => "sFlow sample",
            Field::SflowRecord => "sFlow record",
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Field::MrtType => "not 0, which is no record",
            Field::MrtLength => "the length of its record (at most 16 MiB for a RIB, 66 KiB for a message)",
            Field::AddressFamily => "1 (IPv4) or 2 (IPv6)",
            Field::PrefixLength => "at most 32 (IPv4) or 128 (IPv6)",
            Field::BgpMarker => "255",
            Field::BgpLength => "at least 19 and within the record",
            Field::MpOccurrences => "at most one of each",
            Field::BgpType => "that of the message it is said to be",
            Field::BmpVersion => "3 or 4 (1 and 2 have no length by which they could be cut)",
            Field::BmpLength => {
                "that of a message of its type (at most 256 KiB, 64 KiB where the type is unknown)"
            }
            Field::Json => "another character (by its code)",
            Field::JsonDepth => "at most 32",
            Field::RisTimestamp => "seconds since 1970 as digits with an optional fraction",
            Field::RisPeer => "an IP address",
            Field::RisPeerAsn | Field::RisPath => "an ASN of 32 bits",
            Field::RisRaw => "hexadecimal digits in pairs (by the character's code)",
            Field::RisPrefix => "an IP address with a prefix length",
            Field::EtherType => "IPv4, IPv6, or a tag, label or session around them",
            Field::Mpls => "IPv4, IPv6 or a control word of zeros behind the labels",
            Field::IpVersion => "4 or 6",
            Field::IpHeaderLength => "at least that of the header",
            Field::FlowVersion => "5, 9, 10 (IPFIX), or 0 and 5 (sFlow)",
            Field::FlowCount | Field::FlowLength => "as many as there are",
            Field::FlowSetId => "that of templates, or at least 256",
            Field::FlowSetLength => "at least 4 and within the datagram",
            Field::FlowTemplateId => "at least 256",
            Field::FlowTemplate => "a template with at least one byte of records, and at most 65,535",
            Field::FlowExporters | Field::FlowDomains => "no more than the settings allow",
            Field::SflowAddress => "0 (unknown), 1 (IPv4) or 2 (IPv6)",
            _ => "another value",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
