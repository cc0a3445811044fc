//! Whether prefixes carry path identifiers (RFC 7911). The wire does not say; the two OPENs of the session do, and
//! recordings often lack one or both of them.

use crate::bgp::nlri;
use crate::cursor::Cursor;
use crate::error::DecodeError;
use gonedark_route::Family;

/// What is known about path identifiers in one family of a session.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AddPath {
    /// There are none: both OPENs are known and do not agree on them.
    No,
    /// Nothing is known. Path identifiers are read only where a message makes no sense without them.
    #[default]
    Unknown,
    /// One side offered them, or an earlier message made no sense without them; the other side's OPEN is not known.
    Offered,
    /// Agreed on in both OPENs, or marked by the record (RFC 8050). That mark is on the whole session though, so
    /// that a family without path identifiers is read as such where nothing else makes sense.
    Agreed,
}

/// How the fields of one family in one message are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Choice {
    pub(crate) path_ids: bool,
    /// Nothing but the bytes themselves told so.
    pub(crate) inferred: bool,
}

/// Chooses for all fields of `family` in one message, and checks them. The error is that of the likelier reading.
#[inline]
pub(crate) fn choose<const N: usize>(
    mode: AddPath,
    family: Family,
    fields: [Cursor<'_>; N],
) -> Result<Choice, DecodeError> {
    if fields.iter().all(|field| is_surely_plain(mode, field, family)) {
        return Ok(Choice::default());
    }
    choose_by_content(mode, family, &fields)
}

/// Whether the field is whole without path identifiers and cannot have any: nearly every field of every archive.
#[inline]
fn is_surely_plain(mode: AddPath, field: &Cursor<'_>, family: Family) -> bool {
    let may_have_ids = match mode {
        AddPath::No => false,
        // A path identifier below 2^24 starts with a zero byte, which a plain field reads as a default route.
        AddPath::Unknown | AddPath::Offered => matches!(field.rest(), [0, _, _, _, _, ..]),
        AddPath::Agreed => !field.is_empty(),
    };
    !may_have_ids && nlri::is_whole(field.rest(), family, false)
}

#[cold]
fn choose_by_content(mode: AddPath, family: Family, fields: &[Cursor<'_>]) -> Result<Choice, DecodeError> {
    let check = |path_ids| {
        fields.iter().try_for_each(|field| nlri::check(field.rest(), family, path_ids, field.offset()))
    };
    let (plain, with_ids) = (check(false), check(true));
    let small = || fields.iter().all(|field| nlri::has_small_path_ids(field.rest(), family));
    let defaults = || {
        let counts = fields.iter().map(|field| nlri::default_routes(field.rest(), family));
        counts.fold(0_usize, usize::saturating_add)
    };
    let path_ids = match (mode, plain.is_ok(), with_ids.is_ok()) {
        (AddPath::No, ..) | (_, true, false) => false,
        (AddPath::Agreed, ..) | (AddPath::Offered, false, true) => true,
        (AddPath::Offered, true, true) | (AddPath::Unknown, false, true) => small(),
        // No router names the default route twice in one message.
        (AddPath::Unknown, true, true) => small() && defaults() > 1,
        (AddPath::Unknown | AddPath::Offered, false, false) => false,
    };
    if path_ids {
        with_ids?
    } else {
        plain?
    }
    Ok(Choice { path_ids, inferred: path_ids && mode != AddPath::Agreed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_ids(mode: AddPath, bytes: &[u8]) -> Option<bool> {
        choose(mode, Family::V4, [Cursor::new(bytes, 0)]).ok().map(|choice| choice.path_ids)
    }

    const TWO_PLAIN: &[u8] = &[24, 192, 168, 6, 24, 192, 168, 3];
    const TWO_WITH_IDS: &[u8] = &[0, 0, 0, 1, 24, 192, 168, 6, 0, 0, 0, 2, 24, 192, 168, 3];
    const DEFAULT_WITH_ID: &[u8] = &[0, 0, 0, 1, 0];

    #[test]
    fn plain_prefixes_that_happen_to_read_as_path_ids_stay_plain_unless_agreed() {
        assert_eq!(path_ids(AddPath::Unknown, TWO_PLAIN), Some(false));
        assert_eq!(path_ids(AddPath::Offered, TWO_PLAIN), Some(false));
        assert_eq!(path_ids(AddPath::No, TWO_PLAIN), Some(false));
        assert_eq!(path_ids(AddPath::Agreed, TWO_PLAIN), Some(true));
    }

    #[test]
    fn path_ids_are_read_without_an_open_where_nothing_else_makes_sense() {
        assert_eq!(path_ids(AddPath::Unknown, TWO_WITH_IDS), Some(true));
        assert_eq!(path_ids(AddPath::No, TWO_WITH_IDS), None);
    }

    #[test]
    fn a_default_route_with_a_path_id_is_not_four_default_routes() {
        assert_eq!(path_ids(AddPath::Unknown, DEFAULT_WITH_ID), Some(true));
        assert_eq!(path_ids(AddPath::Unknown, &[0]), Some(false));
    }

    #[test]
    fn a_marked_record_may_hold_a_family_without_path_ids() {
        assert_eq!(path_ids(AddPath::Agreed, &[24, 192, 168, 6]), Some(false));
    }
}
