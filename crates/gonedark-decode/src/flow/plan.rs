//! A template, compiled: where in a record the few values stand that are read.
//!
//! With fields of fixed lengths only, the places are those of every record. With one of variable length (RFC 7011
//! section 7) they are found anew for each, and read by the same code.

use crate::flow::element::{self, Clock, Kind, Place, Places, Role, Section, Unit};
use std::collections::BTreeMap;

/// What the length of a field says that stands in the record itself (RFC 7011 section 7). H3C writes it in version 9
/// too, which has no such fields.
const VARIABLE: u16 = 65_535;

/// The protocol of a packet (IANA "IPFIX Information Elements", protocolIdentifier).
const PROTOCOL: u16 = 4;

/// How many bytes stand before a record where it is read: a number is read as the eight bytes that end with it.
pub(super) const BEFORE: usize = 8;

/// One field of a template, as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct FieldSpecifier {
    /// 0 for IANA's.
    pub(super) enterprise: u32,
    /// The number of the information element.
    pub(super) number: u16,
    /// In bytes; 65,535 for one that tells its own.
    pub(super) length: u16,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    length: u16,
    role: Option<Role>,
}

/// What is read of the records of a template.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where the fields stand that lie before any of variable length.
    pub(super) places: Places,
    /// The least length of a record in bytes; that of each where no length is variable.
    minimum: usize,
    /// All fields, where one has a variable length; else none.
    steps: Box<[Step]>,
    pub(super) begin: Clock,
    pub(super) end: Clock,
    pub(super) unit: Unit,
    pub(super) section: Section,
    /// Counters are those since the flow began.
    pub(super) has_totals: bool,
    pub(super) has_v4: bool,
    pub(super) has_v6: bool,
    pub(super) has_counts: bool,
    pub(super) has_packets: bool,
    pub(super) has_reverse: bool,
    pub(super) has_icmp: bool,
    pub(super) has_fragments: bool,
    pub(super) has_rate: bool,
    pub(super) has_sampler: bool,
}

/// What going through a set came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Walked {
    /// Whole records.
    pub(super) records: u64,
    /// The last one goes on behind the end of the set.
    pub(super) is_cut: bool,
}

impl Plan {
    /// Compiles fields in their order. `None` where a record would have no byte, or more than a datagram can hold.
    ///
    /// Of a packet in a packet, as IOS XR tells of SRv6, a template has addresses, ports and protocol twice, the
    /// outermost first (RFC 7011 section 8). The ones are read or, with `decapsulate`, the others; never a mixture.
    pub(super) fn new(fields: impl Iterator<Item = FieldSpecifier>, decapsulate: bool) -> Option<Self> {
        let fields: Vec<FieldSpecifier> = fields.collect();
        let protocols = fields.iter().filter(|field| (field.enterprise, field.number) == (0, PROTOCOL));
        let is_encapsulated = protocols.count() > 1;
        let (mut steps, mut best) = (Vec::new(), BTreeMap::<Role, (u8, usize, Kind)>::new());
        for (index, field) in fields.iter().enumerate() {
            steps.push(Step { length: field.length, role: None });
            let Some((role, rank, kind)) = element::known(field.enterprise, field.number) else { continue };
            if !is_fitting(role, field.length) {
                continue;
            }
            let takes_inner = is_encapsulated && decapsulate && is_of_header(role);
            let is_better = |other: u8| if takes_inner { rank <= other } else { rank < other };
            if best.get(&role).is_none_or(|(other, ..)| is_better(*other)) {
                best.insert(role, (rank, index, kind));
            }
        }
        if is_encapsulated {
            keep_one_family(&mut best, decapsulate);
        }
        for (role, (_, index, _)) in &best {
            if let Some(step) = steps.get_mut(*index) {
                step.role = Some(*role);
            }
        }
        let minimum =
            steps.iter().map(|step| if step.length == VARIABLE { 1 } else { usize::from(step.length) });
        let minimum = minimum.fold(0, usize::saturating_add);
        if minimum == 0 || minimum > usize::from(u16::MAX) {
            return None;
        }
        Some(Plan::of(steps, minimum, &best))
    }

    fn of(steps: Vec<Step>, minimum: usize, best: &BTreeMap<Role, (u8, usize, Kind)>) -> Self {
        let has = |roles: &[Role]| roles.iter().any(|role| best.contains_key(role));
        let kind = |role: Role| best.get(&role).map(|(.., kind)| *kind);
        let clock = |role: Role| match kind(role) {
            Some(Kind::Clock(clock)) => clock,
            _ => Clock::None,
        };
        let is_varying = steps.iter().any(|step| step.length == VARIABLE);
        let mut places = Places::default();
        let mut end = 0_u16;
        for step in steps.iter().take_while(|step| step.length != VARIABLE) {
            end = end.saturating_add(step.length);
            if let Some(role) = step.role {
                *places.of(role) = Place { end, length: step.length };
            }
        }
        Plan {
            places,
            minimum,
            steps: if is_varying { steps.into() } else { Box::default() },
            begin: clock(Role::Begin),
            end: clock(Role::End),
            unit: if let Some(Kind::Unit(unit)) = kind(Role::Duration) { unit } else { Unit::default() },
            section: match kind(Role::Section) {
                Some(Kind::Section(section)) => section,
                _ => Section::None,
            },
            has_totals: [Role::Bytes, Role::Packets].into_iter().any(|role| kind(role) == Some(Kind::Total)),
            has_v4: has(&[Role::SourceV4, Role::TargetV4]),
            has_v6: has(&[Role::SourceV6, Role::TargetV6]),
            has_counts: has(&[Role::Bytes, Role::Packets]),
            has_packets: has(&[Role::Packets]),
            has_reverse: has(&[Role::ReverseBytes, Role::ReversePackets]),
            has_icmp: has(&[Role::IcmpType, Role::IcmpCode, Role::IcmpTypeCode]),
            has_fragments: has(&[Role::FragmentOffset, Role::FragmentFlags]),
            has_rate: has(&[Role::Interval, Role::PacketInterval, Role::Size, Role::Probability]),
            has_sampler: has(&[Role::Sampler]),
        }
    }

    /// Whether its records tell a sampling rate, and nothing of any flow: options, whatever they are called.
    pub(super) fn is_of_sampling_only(&self) -> bool {
        self.has_rate && !self.has_v4 && !self.has_v6 && !self.has_counts && self.section == Section::None
    }

    /// Its size in memory, in bytes, for the bound of an exporter's templates.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>().saturating_add(size_of_val(&*self.steps))
    }

    /// Gives each record of a set to `each`: the record with [`BEFORE`] bytes before it, and where in it the values
    /// stand. `body` is the set without its header, with as many bytes before it.
    #[inline]
    pub(super) fn walk<'a>(&self, mut body: &'a [u8], mut each: impl FnMut(&'a [u8], &Places)) -> Walked {
        let mut records = 0_u64;
        if !self.steps.is_empty() {
            return self.walk_varying(body, each);
        }
        // What is left when no whole record is any more pads the set (RFC 7011 section 3.3.1).
        let reach = self.minimum.saturating_add(BEFORE);
        while let Some(record) = body.get(..reach) {
            each(record, &self.places);
            records = records.wrapping_add(1);
            body = body.get(self.minimum..).unwrap_or_default();
        }
        Walked { records, is_cut: false }
    }

    fn walk_varying<'a>(&self, mut body: &'a [u8], mut each: impl FnMut(&'a [u8], &Places)) -> Walked {
        let mut records = 0_u64;
        loop {
            let left = body.get(BEFORE..).unwrap_or_default();
            // Zeros of less than eight bytes pad the set; a record of empty fields cannot be told from them.
            if left.len() < self.minimum || (left.len() < 8 && left.iter().all(|byte| *byte == 0)) {
                return Walked { records, is_cut: false };
            }
            let mut places = Places::default();
            let Some(length) = self.place(left, &mut places) else {
                return Walked { records, is_cut: true };
            };
            let reach = length.saturating_add(BEFORE);
            let Some(record) = body.get(..reach) else { return Walked { records, is_cut: true } };
            each(record, &places);
            records = records.wrapping_add(1);
            body = body.get(length..).unwrap_or_default();
        }
    }

    /// Finds the places of one record. Its length; `None` where it is cut.
    fn place(&self, record: &[u8], places: &mut Places) -> Option<usize> {
        let mut at = 0_usize;
        for step in &self.steps {
            let mut length = step.length;
            if length == VARIABLE {
                length = u16::from(*record.get(at)?);
                at = at.saturating_add(1);
                if length == 255 {
                    let (bytes, _) = record.get(at..)?.split_first_chunk::<2>()?;
                    length = u16::from_be_bytes(*bytes);
                    at = at.saturating_add(2);
                }
            }
            at = at.saturating_add(usize::from(length));
            if let Some(role) = step.role {
                let length = if is_fitting(role, length) { length } else { 0 };
                *places.of(role) = Place { end: u16::try_from(at).ok()?, length };
            }
        }
        (at <= record.len()).then_some(at)
    }
}

/// Whether a role is of a header of the packet, which there are two of in a packet in a packet.
fn is_of_header(role: Role) -> bool {
    role <= Role::TcpFlags
}

/// Of addresses of both families, which are of two packets, keeps those of the outer one or of the inner one.
fn keep_one_family(best: &mut BTreeMap<Role, (u8, usize, Kind)>, decapsulate: bool) {
    let at = |role| best.get(&role).map(|(_, index, _)| *index);
    let (Some(v4), Some(v6)) =
        (at(Role::SourceV4).or(at(Role::TargetV4)), at(Role::SourceV6).or(at(Role::TargetV6)))
    else {
        return;
    };
    let gone = if (v4 < v6) == decapsulate {
        [Role::SourceV4, Role::TargetV4]
    } else {
        [Role::SourceV6, Role::TargetV6]
    };
    best.retain(|role, _| !gone.contains(role));
}

/// Whether a field of this length can be read for the role. Zero-length fields are of use for none; numbers may have
/// fewer bytes than they are defined with (RFC 7011 section 6.2), and more than eight is none.
fn is_fitting(role: Role, length: u16) -> bool {
    match role {
        Role::SourceV4 | Role::TargetV4 => length == 4 || length == VARIABLE,
        Role::SourceV6 | Role::TargetV6 => length == 16 || length == VARIABLE,
        Role::Probability => matches!(length, 4 | 8 | VARIABLE),
        Role::Section => length > 0,
        _ => matches!(length, 1..=8 | VARIABLE),
    }
}
