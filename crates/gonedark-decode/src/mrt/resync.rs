//! Finding records again after damage (see [`frame`](super::frame())), in time that the bytes passed over bound: each
//! place costs a few headers, whatever stands there.

use crate::mrt::frame::{HEADER, Header};

/// How far a plausible header is searched for at once, in bytes. A guess; it bounds the reader's memory less than
/// [`RECORD_MAX`](crate::mrt::RECORD_MAX) does.
pub(super) const SEARCH: usize = 1 << 20;

/// So many plausible headers, each where the one before says, are taken for records. Guess: one could be chance or stand
/// in a message of somebody who wishes to be found; a third is sure.
const CHAIN: usize = 3;

/// How far behind a doubted record the headers that follow those within it are looked for, in bytes. Guess: three times
/// the largest record seen, which has 70 KiB.
const BEHIND: usize = 256 << 10;

/// A record within a doubted one is at most this long, in bytes. Guess: the largest seen has 70 KiB.
const HIDDEN_MAX: u32 = 1 << 20;

/// Records that follow each other are at most this far apart, in seconds. Guess: a day, though files hold an hour or so.
const APART: u32 = 86_400;

/// What a doubted record hides.
pub(super) enum Hidden {
    /// Records, from so many bytes behind its start on.
    At(usize),
    /// None.
    None,
    /// So many bytes from its start tell.
    NeedMore { at_least: usize },
}

/// Records within the first `framed` bytes, which are taken for one record that nothing bears out.
#[cold]
pub(super) fn hidden_record(bytes: &[u8], framed: usize, more: bool) -> Hidden {
    let at_least = framed.saturating_add(BEHIND);
    if more && bytes.len() < at_least {
        return Hidden::NeedMore { at_least };
    }
    let window = bytes.get(..at_least).unwrap_or(bytes);
    // Only a stream that ends before the window does is known to end in every cut of it.
    let ends = bytes.len() < at_least;
    match (1..framed.min(window.len())).find(|at| is_chain(window, *at, ends)) {
        Some(at) => Hidden::At(at),
        None => Hidden::None,
    }
}

fn header_at(bytes: &[u8], at: usize) -> Option<Header> {
    #[cfg(test)]
    tests::LOOKED.set(tests::LOOKED.get().saturating_add(1));
    bytes.get(at..).and_then(Header::read).map(|(header, _)| header)
}

/// Whether records follow each other from `at` on: [`CHAIN`] of them, or up to the end of the stream, or two and what
/// the window does not show.
#[inline]
fn is_chain(window: &[u8], at: usize, ends: bool) -> bool {
    let (mut at, mut seconds, mut is_short) = (at, None::<u32>, false);
    for count in 0..CHAIN {
        let near = |header: &Header| {
            header.is_plausible()
                && header.length <= HIDDEN_MAX
                && seconds.is_none_or(|before| before.abs_diff(header.seconds) <= APART)
        };
        let behind = at.saturating_add(4);
        let found = header_at(window, at);
        let found = match found {
            Some(found) if near(&found) => found,
            // The form whose length leaves four bytes out.
            _ if is_short && header_at(window, behind).is_some_and(|header| near(&header)) => {
                at = behind;
                let Some(found) = header_at(window, at) else { return false };
                found
            }
            Some(_) => return false,
            None => {
                let end = at == window.len() || is_short && behind == window.len();
                return count >= 2 || ends && end && count >= 1;
            }
        };
        seconds = Some(found.seconds);
        is_short = found.may_be_four_bytes_short();
        at = at.saturating_add(HEADER).saturating_add(found.length as usize);
    }
    true
}

/// How far the next plausible header is, at least one byte; nearly all of [`SEARCH`] where that many bytes hold none.
#[cold]
pub(super) fn next_header(bytes: &[u8]) -> Option<usize> {
    let searched = bytes.get(..SEARCH);
    let headers = searched.unwrap_or(bytes).windows(HEADER);
    let found =
        headers.skip(1).position(|at| Header::read(at).is_some_and(|(header, _)| header.is_plausible()));
    match found {
        Some(position) => Some(position.saturating_add(1)),
        // What could be the start of a header that the end of the search cuts is searched again.
        None => searched.map(|bytes| bytes.len().saturating_sub(HEADER).saturating_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use crate::mrt::records;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        /// Headers that were looked at in search of hidden records.
        pub(super) static LOOKED: Cell<u64> = const { Cell::new(0) };
    }

    fn header() -> impl Strategy<Value = Vec<u8>> {
        let length =
            prop_oneof![Just(0), 0..40_u32, Just(66 << 10), Just(1 << 20), Just(16 << 20), any::<u32>()];
        let kind = prop_oneof![Just(12_u16), Just(13), Just(16), Just(17), Just(99)];
        (kind, 0..12_u16, length, vec(any::<u8>(), 0..9)).prop_map(|(kind, subtype, length, after)| {
            let seconds = 1_419_264_900_u32.to_be_bytes();
            [&seconds[..], &kind.to_be_bytes(), &subtype.to_be_bytes(), &length.to_be_bytes(), &after]
                .concat()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_hostile_stream_takes_time_by_its_length_and_not_by_its_square(headers in vec(header(), 1..6)) {
            // Headers one behind the other whose lengths cover all that follows.
            let file: Vec<u8> = headers.concat().into_iter().cycle().take(300_000).collect();
            LOOKED.set(0);
            let found = records(&file).count();
            // Three headers for each place, each looked for twice and four bytes on: the square is a hundred thousand.
            prop_assert!(LOOKED.get() <= 12 * file.len() as u64, "{} for {found} records", LOOKED.get());
        }
    }
}
