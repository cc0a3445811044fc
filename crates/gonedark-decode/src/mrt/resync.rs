//! Finding records again after damage (see [`frame`](super::frame())), in time that the bytes passed over bound: each
//! place costs a few headers, whatever stands there.

use crate::mrt::frame::{HEADER, Header};

/// How far a plausible header is searched for at once, in bytes. A guess; it bounds the reader's memory less than
/// [`RECORD_MAX`] does.
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

/// Whether records follow each other from `at` on: [`CHAIN`] of them, or up to the end of the stream, or two and what
/// the window does not show.
#[inline]
fn is_chain(window: &[u8], at: usize, ends: bool) -> bool {
    let (mut at, mut seconds, mut is_short) = (at, None::<u32>, false);
    for count in 0..CHAIN {
        let header = |at: usize| window.get(at..).and_then(Header::read).map(|(header, _)| header);
        let near = |header: &Header| {
            header.is_plausible()
                && header.length <= HIDDEN_MAX
                && seconds.is_none_or(|before| before.abs_diff(header.seconds) <= APART)
        };
        let behind = at.saturating_add(4);
        let found = header(at);
        let found = match found {
            Some(found) if near(&found) => found,
            // The form whose length leaves four bytes out.
            _ if is_short && header(behind).is_some_and(|header| near(&header)) => {
                at = behind;
                let Some(found) = header(at) else { return false };
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
