use crate::Asn;
use std::fmt;

/// How many bytes an ASN takes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsnSize {
    /// Two bytes (RFC 4271).
    Two,
    /// Four bytes (RFC 6793).
    Four,
}

impl AsnSize {
    /// 2 or 4.
    pub const fn bytes(self) -> usize {
        match self {
            AsnSize::Two => 2,
            AsnSize::Four => 4,
        }
    }
}

/// What a path segment means (RFC 4271 section 4.3, RFC 5065 section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SegmentKind {
    /// AS_SET (1): an unordered set, left by aggregation.
    Set,
    /// AS_SEQUENCE (2): the ordered list.
    Sequence,
    /// AS_CONFED_SEQUENCE (3) or AS_CONFED_SET (4): inside one AS, no part of the path outside it.
    Confederation,
    /// Any other number.
    Unknown(u8),
}

/// One segment of an AS path.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Its kind.
    pub kind: SegmentKind,
    bytes: &'a [u8],
    size: AsnSize,
}

impl<'a> Segment<'a> {
    /// Its ASNs, first to last.
    #[inline]
    pub fn asns(&self) -> impl DoubleEndedIterator<Item = Asn> + ExactSizeIterator + use<'a> {
        let size = self.size;
        self.bytes.chunks_exact(size.bytes()).map(move |raw| match (size, raw) {
            (AsnSize::Two, [a, b]) => Asn(u32::from(u16::from_be_bytes([*a, *b]))),
            (AsnSize::Four, [a, b, c, d]) => Asn(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => Asn(0),
        })
    }
}

/// The end of a path: who originates a route, and through whom.
///
/// 8 bytes. AS0 is reserved (RFC 7607) and stands for "the path does not tell".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tail {
    origin: Asn,
    upstream: Asn,
}

impl Tail {
    /// A tail of what is known.
    #[inline]
    pub fn new(origin: Option<Asn>, upstream: Option<Asn>) -> Self {
        Tail { origin: origin.unwrap_or_default(), upstream: upstream.unwrap_or_default() }
    }

    /// The last AS of the path; `None` for the empty path and for one that ends in an AS_SET of several members.
    #[inline]
    pub fn origin(self) -> Option<Asn> {
        (self.origin.0 != 0).then_some(self.origin)
    }

    /// The last AS before the origin that is another one.
    #[inline]
    pub fn upstream(self) -> Option<Asn> {
        (self.upstream.0 != 0).then_some(self.upstream)
    }
}

/// A borrowed AS path in wire form: segments of `kind, count, count ASNs`. Nothing is copied or allocated.
///
/// The bytes are taken as they are: a segment that runs over the end yields the whole ASNs that are there and ends
/// the path, so that every method is total. Decoders check [`PathView::is_whole`] first (RFC 7606 section 7.2).
#[derive(Clone, Copy)]
pub struct PathView<'a> {
    bytes: &'a [u8],
    size: AsnSize,
}

impl<'a> PathView<'a> {
    /// A view of the value of an AS_PATH attribute.
    #[inline]
    pub const fn new(bytes: &'a [u8], size: AsnSize) -> Self {
        PathView { bytes, size }
    }

    /// The wire bytes.
    #[inline]
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The width of its ASNs.
    #[inline]
    pub const fn size(self) -> AsnSize {
        self.size
    }

    /// Whether every segment is of a known kind, not empty, and ends within the bytes (RFC 7606 section 7.2).
    pub fn is_whole(self) -> bool {
        let mut rest = self.bytes;
        while let [kind, count, tail @ ..] = rest {
            let length = usize::from(*count) * self.size.bytes();
            if !(1..=4).contains(kind) || *count == 0 || tail.len() < length {
                return false;
            }
            rest = &tail[length..];
        }
        rest.is_empty()
    }

    /// The segments, first to last.
    #[inline]
    pub fn segments(self) -> impl Iterator<Item = Segment<'a>> {
        let PathView { bytes: mut rest, size } = self;
        std::iter::from_fn(move || {
            let [kind, count, tail @ ..] = rest else { return None };
            let length = (usize::from(*count) * size.bytes()).min(tail.len());
            let (bytes, after) = tail.split_at(length);
            rest = after;
            let kind = match kind {
                1 => SegmentKind::Set,
                2 => SegmentKind::Sequence,
                3 | 4 => SegmentKind::Confederation,
                other => SegmentKind::Unknown(*other),
            };
            Some(Segment { kind, bytes, size })
        })
    }

    /// The neighbour that gave the route: the first ASN of the path.
    pub fn first(self) -> Option<Asn> {
        self.segments().find(|segment| segment.kind == SegmentKind::Sequence)?.asns().next()
    }

    /// The origin, and the last AS before it that is another one (its upstream; prepending is folded).
    ///
    /// The origin is the last ASN of the path. A path that ends in an AS_SET has an origin only where the set has one
    /// member (RFC 6907 section 7.1 holds a larger set's origin unknown); then the AS before the set counts as the
    /// upstream. Both are `None` for the empty path of a route that the peer itself originates.
    #[inline]
    pub fn tail(self) -> Tail {
        // The common case first: one AS_SEQUENCE that fills the attribute.
        if let [2, count, rest @ ..] = self.bytes
            && usize::from(*count) * self.size.bytes() == rest.len()
        {
            let mut asns = Segment { kind: SegmentKind::Sequence, bytes: rest, size: self.size }.asns().rev();
            let origin = asns.next();
            return Tail::new(origin, asns.find(|asn| Some(*asn) != origin));
        }
        self.tail_of_segments()
    }

    fn tail_of_segments(self) -> Tail {
        let (mut origin, mut upstream) = (None, None);
        for segment in self.segments() {
            match segment.kind {
                SegmentKind::Sequence => {
                    for asn in segment.asns() {
                        if origin != Some(asn) {
                            upstream = origin;
                            origin = Some(asn);
                        }
                    }
                }
                SegmentKind::Set => {
                    let mut asns = segment.asns();
                    let only = asns.next().filter(|first| asns.all(|other| other == *first));
                    if only != origin || only.is_none() {
                        upstream = origin.or(upstream);
                        origin = only;
                    }
                }
                SegmentKind::Confederation | SegmentKind::Unknown(_) => {}
            }
        }
        Tail::new(origin, upstream)
    }
}

/// As looking glasses print it: `3356 1239 {64512,64513}`.
impl fmt::Display for PathView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for segment in self.segments() {
            let (open, separator, close) = match segment.kind {
                SegmentKind::Set => ("{", ",", "}"),
                SegmentKind::Confederation => ("(", " ", ")"),
                SegmentKind::Sequence | SegmentKind::Unknown(_) => ("", " ", ""),
            };
            if !std::mem::take(&mut first) {
                write!(f, " ")?;
            }
            write!(f, "{open}")?;
            for (index, asn) in segment.asns().enumerate() {
                write!(f, "{}{}", if index == 0 { "" } else { separator }, asn.0)?;
            }
            write!(f, "{close}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PathView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(kind: u8, asns: &[u32]) -> Vec<u8> {
        let mut bytes = vec![kind, asns.len() as u8];
        bytes.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
        bytes
    }

    #[test]
    fn the_tail_is_the_origin_and_its_upstream_without_prepending() {
        let bytes = sequence(2, &[30844, 3356, 4837, 131279, 131279]);
        let path = PathView::new(&bytes, AsnSize::Four);
        assert_eq!(path.tail(), Tail::new(Some(Asn(131279)), Some(Asn(4837))));
        assert_eq!(path.first(), Some(Asn(30844)));
        assert_eq!(path.to_string(), "30844 3356 4837 131279 131279");
    }

    #[test]
    fn a_set_of_several_members_has_no_origin_and_one_of_one_has() {
        let mut bytes = sequence(2, &[3356, 4837]);
        bytes.extend(sequence(1, &[64512, 64513]));
        assert_eq!(PathView::new(&bytes, AsnSize::Four).tail(), Tail::new(None, Some(Asn(4837))));
        let mut bytes = sequence(2, &[3356, 4837]);
        bytes.extend(sequence(1, &[64512]));
        let tail = PathView::new(&bytes, AsnSize::Four).tail();
        assert_eq!((tail.origin(), tail.upstream()), (Some(Asn(64512)), Some(Asn(4837))));
    }

    #[test]
    fn a_cut_segment_is_not_whole_and_still_readable() {
        let bytes = sequence(2, &[3356, 4837]);
        let cut = PathView::new(&bytes[..bytes.len() - 1], AsnSize::Four);
        assert!(!cut.is_whole());
        assert_eq!(cut.tail().origin(), Some(Asn(3356)));
        assert!(PathView::new(&[], AsnSize::Two).is_whole());
        assert_eq!(PathView::new(&[], AsnSize::Two).tail(), Tail::default());
    }
}
