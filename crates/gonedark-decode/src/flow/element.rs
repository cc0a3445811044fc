//! What of a record is read, and which information elements tell it.

/// Where in a record a value stands.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Place {
    /// Bytes from the start of the record to the end of the value.
    pub(super) end: u16,
    /// Its length in bytes; 0 where it is not there.
    pub(super) length: u16,
}

/// A field for each role, so that a record is read without a loop over its fields and without an index.
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident $place:ident,)*) => {
        /// What a field of a record is read for.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(super) enum Role { $($(#[$doc])* $role,)* }

        /// Where each of the roles stands in a record.
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        pub(super) struct Places { $(pub(super) $place: Place,)* }

        impl Places {
            /// The place of a role.
            pub(super) fn of(&mut self, role: Role) -> &mut Place {
                match role { $(Role::$role => &mut self.$place,)* }
            }
        }
    };
}

roles! {
    SourceV4 source_v4,
    TargetV4 target_v4,
    SourceV6 source_v6,
    TargetV6 target_v6,
    SourcePort source_port,
    TargetPort target_port,
    Protocol protocol,
    TcpFlags tcp_flags,
    Bytes bytes,
    Packets packets,
    ReverseBytes reverse_bytes,
    ReversePackets reverse_packets,
    ReverseFlags reverse_flags,
    Begin begin,
    End end,
    Duration duration,
    SystemInit system_init,
    IcmpType icmp_type,
    IcmpCode icmp_code,
    IcmpTypeCode icmp_type_code,
    FragmentOffset fragment_offset,
    FragmentFlags fragment_flags,
    Sampler sampler,
    Interface interface,
    Interval interval,
    PacketInterval packet_interval,
    PacketSpace packet_space,
    Size size,
    Population population,
    Probability probability,
    FrameSize frame_size,
    Section section,
}

/// How a value that is a time is counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Clock {
    /// It is not told.
    #[default]
    None,
    /// Milliseconds of the exporter's uptime, 32 bits that roll over every 49.7 days.
    Uptime,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Seconds since 1900 and a binary fraction of 32 bits (RFC 7011 section 6.1.9, RFC 5905 section 6).
    Ntp,
    /// Microseconds before the message was sent.
    Before,
}

/// In what unit a duration is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Unit {
    #[default]
    Milliseconds,
    Microseconds,
}

/// What a section of a packet begins with.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Section {
    /// There is none.
    #[default]
    None,
    /// An Ethernet frame (IE 315, and 104 before it).
    Frame,
    /// An IP header (IE 313).
    Ip,
    /// A transport header (IE 314).
    Transport,
}

/// What else than a place a field tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Plain,
    Clock(Clock),
    Unit(Unit),
    Section(Section),
    /// A counter since the flow began, not since the last record of it.
    Total,
}

/// A field that is read: for what, how it compares with others for the same role (0 is the best), and its kind.
pub(super) type Known = (Role, u8, Kind);

/// The enterprise number that marks the other direction of an IANA element (RFC 5103 section 6.1).
const REVERSE: u32 = 29305;

/// What an information element is read for (IANA "IPFIX Information Elements"; those below 128 are the fields of
/// NetFlow version 9, RFC 3954 section 8). `None` for all that are passed over.
///
/// Of counters those since the last record stand before those since the flow began, and what came in before what went
/// out. Cisco ASA counts each direction of a connection (231 and 232, 298 and 299), nProbe and YAF the second one under
/// the enterprise number of RFC 5103.
pub(super) fn known(enterprise: u32, number: u16) -> Option<Known> {
    match enterprise {
        0 => iana(number),
        REVERSE => reverse(number),
        _ => None,
    }
}

fn reverse(number: u16) -> Option<Known> {
    Some(match number {
        1 => (Role::ReverseBytes, 0, Kind::Plain),
        85 => (Role::ReverseBytes, 2, Kind::Plain),
        2 => (Role::ReversePackets, 0, Kind::Plain),
        86 => (Role::ReversePackets, 2, Kind::Plain),
        6 => (Role::ReverseFlags, 0, Kind::Plain),
        _ => return None,
    })
}

fn iana(number: u16) -> Option<Known> {
    let plain = |role, rank| (role, rank, Kind::Plain);
    Some(match number {
        8 => plain(Role::SourceV4, 0),
        // Aggregated flows tell a network only.
        44 => plain(Role::SourceV4, 1),
        12 => plain(Role::TargetV4, 0),
        45 => plain(Role::TargetV4, 1),
        27 => plain(Role::SourceV6, 0),
        170 => plain(Role::SourceV6, 1),
        28 => plain(Role::TargetV6, 0),
        169 => plain(Role::TargetV6, 1),
        7 => plain(Role::SourcePort, 0),
        180 => plain(Role::SourcePort, 1),
        182 => plain(Role::SourcePort, 2),
        11 => plain(Role::TargetPort, 0),
        181 => plain(Role::TargetPort, 1),
        183 => plain(Role::TargetPort, 2),
        4 => plain(Role::Protocol, 0),
        6 => plain(Role::TcpFlags, 0),
        1 => plain(Role::Bytes, 0),
        231 => plain(Role::Bytes, 1),
        85 => (Role::Bytes, 2, Kind::Total),
        23 => plain(Role::Bytes, 3),
        352 => plain(Role::Bytes, 4),
        2 => plain(Role::Packets, 0),
        298 => plain(Role::Packets, 1),
        86 => (Role::Packets, 2, Kind::Total),
        24 => plain(Role::Packets, 3),
        232 => plain(Role::ReverseBytes, 1),
        299 => plain(Role::ReversePackets, 1),
        32 | 139 => plain(Role::IcmpTypeCode, 0),
        176 | 178 => plain(Role::IcmpType, 0),
        177 | 179 => plain(Role::IcmpCode, 0),
        88 => plain(Role::FragmentOffset, 0),
        197 => plain(Role::FragmentFlags, 0),
        10 => plain(Role::Interface, 0),
        103 => plain(Role::FrameSize, 1),
        312 => plain(Role::FrameSize, 0),
        _ => return times(number).or_else(|| sampling(number)).or_else(|| sections(number)),
    })
}

fn times(number: u16) -> Option<Known> {
    let clock = |role, rank, clock| (role, rank, Kind::Clock(clock));
    Some(match number {
        152 => clock(Role::Begin, 0, Clock::Milliseconds),
        154 | 156 => clock(Role::Begin, 1, Clock::Ntp),
        150 => clock(Role::Begin, 2, Clock::Seconds),
        158 => clock(Role::Begin, 3, Clock::Before),
        22 => clock(Role::Begin, 4, Clock::Uptime),
        153 => clock(Role::End, 0, Clock::Milliseconds),
        155 | 157 => clock(Role::End, 1, Clock::Ntp),
        151 => clock(Role::End, 2, Clock::Seconds),
        159 => clock(Role::End, 3, Clock::Before),
        21 => clock(Role::End, 4, Clock::Uptime),
        // When a packet was seen, or an event was noticed.
        322 => clock(Role::End, 6, Clock::Seconds),
        323 => clock(Role::End, 5, Clock::Milliseconds),
        324 | 325 => clock(Role::End, 7, Clock::Ntp),
        160 => (Role::SystemInit, 0, Kind::Plain),
        161 => (Role::Duration, 0, Kind::Unit(Unit::Milliseconds)),
        162 => (Role::Duration, 1, Kind::Unit(Unit::Microseconds)),
        _ => return None,
    })
}

fn sampling(number: u16) -> Option<Known> {
    let plain = |role, rank| (role, rank, Kind::Plain);
    Some(match number {
        48 => plain(Role::Sampler, 0),
        302 => plain(Role::Sampler, 1),
        34 => plain(Role::Interval, 0),
        50 => plain(Role::Interval, 1),
        305 => plain(Role::PacketInterval, 0),
        306 => plain(Role::PacketSpace, 0),
        309 => plain(Role::Size, 0),
        310 => plain(Role::Population, 0),
        311 => plain(Role::Probability, 0),
        _ => return None,
    })
}

fn sections(number: u16) -> Option<Known> {
    let section = |rank, section| (Role::Section, rank, Kind::Section(section));
    Some(match number {
        315 => section(0, Section::Frame),
        104 => section(1, Section::Frame),
        313 => section(2, Section::Ip),
        314 => section(3, Section::Transport),
        _ => return None,
    })
}
