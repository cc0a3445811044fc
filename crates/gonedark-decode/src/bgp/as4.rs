//! The true path of a session with two-byte ASNs: AS_PATH and AS4_PATH put together (RFC 6793 section 4.2.3).

use gonedark_route::{AsnSize, PathView, Segment, SegmentKind};

/// The longest segment that the wire can express.
const SEGMENT_MAX: usize = u8::MAX as usize;

/// Writes into `out` the leading part of `old` (two-byte ASNs) and then `new` (AS4_PATH), so that the result is as
/// long as `old`. Returns false, with nothing written, where `new` is the longer one and has to be ignored.
///
/// Both have to be whole. Confederation segments of AS4_PATH are left out (RFC 6793 section 6). Two sequences that
/// meet become one, so that the result is the same bytes as the path of a session with four-byte ASNs.
pub(crate) fn merge(old: PathView<'_>, new: PathView<'_>, out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some(mut keep) = hops(old).checked_sub(hops(new)) else { return false };
    let mut last = Last { kind: None, count_at: 0, count: 0 };
    for segment in old.segments() {
        let length = segment.asns().len();
        let take = match segment.kind {
            SegmentKind::Sequence => length.min(keep),
            SegmentKind::Set if keep == 0 => 0,
            // One that leads the path or follows a part that is kept is kept as well.
            _ => length,
        };
        if take > 0 {
            last.push(&segment, take, out);
        }
        if take < length {
            break;
        }
        keep = match segment.kind {
            SegmentKind::Sequence => keep.saturating_sub(take),
            SegmentKind::Set => keep.saturating_sub(1),
            _ => keep,
        };
    }
    for segment in new.segments().filter(|segment| segment.kind != SegmentKind::Confederation) {
        last.push(&segment, segment.asns().len(), out);
    }
    true
}

/// The path's length as route selection counts it: a set is one, confederations are none (RFC 4271 section
/// 9.1.2.2, RFC 5065 section 5.3).
fn hops(path: PathView<'_>) -> usize {
    path.segments().fold(0_usize, |hops, segment| {
        hops.saturating_add(match segment.kind {
            SegmentKind::Sequence => segment.asns().len(),
            SegmentKind::Set => 1,
            _ => 0,
        })
    })
}

/// The segment written last.
struct Last {
    kind: Option<SegmentKind>,
    count_at: usize,
    count: usize,
}

impl Last {
    fn push(&mut self, segment: &Segment<'_>, take: usize, out: &mut Vec<u8>) {
        let joined = self.count.saturating_add(take);
        let both_sequences =
            self.kind == Some(SegmentKind::Sequence) && segment.kind == SegmentKind::Sequence;
        if both_sequences && joined <= SEGMENT_MAX {
            self.count = joined;
        } else {
            let kind = match segment.kind {
                SegmentKind::Set => 1,
                SegmentKind::Sequence => 2,
                // Written as a sequence: PathView does not tell confederation sets from sequences.
                SegmentKind::Confederation => 3,
                SegmentKind::Unknown(kind) => kind,
            };
            self.kind = Some(segment.kind);
            self.count_at = out.len().saturating_add(1);
            self.count = take;
            out.extend_from_slice(&[kind, 0]);
        }
        if let Some(count) = out.get_mut(self.count_at) {
            *count = u8::try_from(self.count).unwrap_or(u8::MAX);
        }
        out.extend(segment.asns().take(take).flat_map(|asn| asn.0.to_be_bytes()));
    }
}

/// A view of what [`merge`] wrote.
pub(crate) fn merged(out: &[u8]) -> PathView<'_> {
    PathView::new(out, AsnSize::Four)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(segments: &[(u8, &[u32])], size: AsnSize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, asns) in segments {
            bytes.extend([*kind, asns.len() as u8]);
            for asn in *asns {
                bytes.extend(&asn.to_be_bytes()[4 - size.bytes()..]);
            }
        }
        bytes
    }

    fn merge_text(old: &[(u8, &[u32])], new: &[(u8, &[u32])]) -> Option<String> {
        let (old, new) = (wire(old, AsnSize::Two), wire(new, AsnSize::Four));
        let mut out = Vec::new();
        merge(PathView::new(&old, AsnSize::Two), PathView::new(&new, AsnSize::Four), &mut out)
            .then(|| merged(&out).to_string())
    }

    #[test]
    fn as4_path_replaces_the_tail_of_the_same_length() {
        let merged = merge_text(&[(2, &[3356, 23456, 23456])], &[(2, &[131279, 196608])]);
        assert_eq!(merged.unwrap(), "3356 131279 196608");
    }

    #[test]
    fn an_as4_path_longer_than_as_path_is_ignored() {
        assert_eq!(merge_text(&[(2, &[23456])], &[(2, &[3356, 131279])]), None);
    }

    #[test]
    fn a_set_counts_as_one_hop_and_a_confederation_as_none() {
        let old: &[(u8, &[u32])] = &[(3, &[65001]), (2, &[3356, 23456]), (1, &[1, 2])];
        let merged = merge_text(old, &[(2, &[131279]), (1, &[196608, 2])]);
        assert_eq!(merged.unwrap(), "(65001) 3356 131279 {196608,2}");
    }

    #[test]
    fn the_merged_path_is_one_sequence_like_that_of_a_four_byte_session() {
        let (old, new) = (wire(&[(2, &[1, 2, 23456])], AsnSize::Two), wire(&[(2, &[70000])], AsnSize::Four));
        let mut out = Vec::new();
        assert!(merge(PathView::new(&old, AsnSize::Two), PathView::new(&new, AsnSize::Four), &mut out));
        assert_eq!(out, wire(&[(2, &[1, 2, 70000])], AsnSize::Four));
    }

    #[test]
    fn a_merged_path_of_over_255_asns_has_two_sequences() {
        let long: Vec<u32> = (1..=200).collect();
        let merged = merge_text(&[(2, &long), (2, &long)], &[(2, &long)]).unwrap();
        let text: Vec<String> = long.iter().chain(&long).map(u32::to_string).collect();
        assert_eq!(merged, text.join(" "));
    }
}
