//! Is the file whole?

use super::line::{Sorted, sorted_lines};
use super::{Header, Kind};

/// Why a file must not be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DelegatedError {
    /// No line but comments.
    #[error("empty: no header line")]
    Empty,
    /// It begins with something else than a header.
    #[error(
        "line {line}: not RIR statistics: expected a header such as 2|apnic|20181014|113050|19830613|20181012|+1000"
    )]
    NoHeader {
        /// Counted from 1.
        line: u64,
    },
    /// A second header follows.
    #[error("line {line}: a second header: give one file per registry")]
    SecondHeader {
        /// Counted from 1.
        line: u64,
    },
    /// The header announces another number of records than there are.
    #[error(
        "the header announces {expected} records, {found} are there (last line {line}): cut or damaged, \
         fetch the file again"
    )]
    Records {
        /// Announced.
        expected: u64,
        /// There.
        found: u64,
        /// The last line, counted from 1.
        line: u64,
    },
    /// A summary line announces another number of records of its kind than there are.
    #[error(
        "the summary (line {line}) announces {expected} {} records, {found} are there: damaged, fetch the file again",
        kind.name()
    )]
    Summary {
        /// The kind.
        kind: Kind,
        /// Announced.
        expected: u64,
        /// There.
        found: u64,
        /// The line of the summary, counted from 1.
        line: u64,
    },
}

/// Whether a file is whole: its records are as many as its header announces, and of each kind as many as its summary
/// lines announce. A line that cannot be read counts as a record, since that is what it was before the damage.
///
/// Nothing is said of what stands in the records; [`super::records`] gives the damaged ones as errors.
///
/// # Errors
/// A file that is empty, of another format, cut, or put together from several is refused.
pub fn verify(bytes: &[u8]) -> Result<Header<'_>, DelegatedError> {
    let mut lines = sorted_lines(bytes);
    let (mut last_line, first) = lines.next().ok_or(DelegatedError::Empty)?;
    let no_header = DelegatedError::NoHeader { line: last_line };
    let Sorted::Header(fields) = first else { return Err(no_header) };
    let header = fields.header().map_err(|_| no_header)?;
    let mut found = 0_u64;
    let mut kinds = [Tally::default(); Kind::ALL.len()];
    for (line, sorted) in lines {
        last_line = line;
        match sorted {
            Sorted::Header(_) => return Err(DelegatedError::SecondHeader { line }),
            Sorted::Summary(fields) => {
                if let Ok(summary) = fields.summary() {
                    tally(&mut kinds, summary.kind).announced = Some((line, summary.records));
                }
            }
            Sorted::Record(fields) => {
                found = found.saturating_add(1);
                if let Some(kind) = fields.kind() {
                    let tally = tally(&mut kinds, kind);
                    tally.found = tally.found.saturating_add(1);
                }
            }
            Sorted::Unreadable => found = found.saturating_add(1),
        }
    }
    if header.records != found {
        return Err(DelegatedError::Records { expected: header.records, found, line: last_line });
    }
    for (kind, Tally { announced, found }) in Kind::ALL.into_iter().zip(kinds) {
        if let Some((line, expected)) = announced.filter(|(_, expected)| *expected != found) {
            return Err(DelegatedError::Summary { kind, expected, found, line });
        }
    }
    Ok(header)
}

/// What a summary line announced and what was found, of one kind.
#[derive(Clone, Copy, Default)]
struct Tally {
    announced: Option<(u64, u64)>,
    found: u64,
}

fn tally(kinds: &mut [Tally; 3], kind: Kind) -> &mut Tally {
    let [asn, ipv4, ipv6] = kinds;
    match kind {
        Kind::Asn => asn,
        Kind::Ipv4 => ipv4,
        Kind::Ipv6 => ipv6,
    }
}
