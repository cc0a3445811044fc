use super::block::MAX_BLOCK;
use super::symbols::Column;

/// Rows that the table has room for: a power of two, so that a masked number is never outside.
const ROWS: usize = 1 << 20;

/// The bits of an entry that name a row.
const ROW: u32 = ROWS as u32 - 1;

/// Marks an entry at which a chain stops.
const STOP: u32 = 1 << 20;

/// Entries written at once, more than most runs are long; what is too much is written over by the next run.
/// A guess.
const WIDE: usize = 8;

// What is too much, and the row that rests, have room behind the largest block.
const _: () = assert!(MAX_BLOCK + WIDE < ROWS);

/// The last byte of a row, and the row that begins with that byte and goes on like this row.
///
/// The row in the low 20 bits, the byte in the top eight. A stop is its own next row, so that who goes too far stays
/// there, and its byte is a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u32);

impl Entry {
    /// Where those stay who have nothing to do: a row that no block has.
    pub(super) const REST: Entry = Entry(STOP | ROW);

    #[inline(always)]
    pub(super) fn byte(self) -> u8 {
        (self.0 >> 24) as u8
    }

    pub(super) fn is_stop(self) -> bool {
        self.0 & STOP != 0
    }
}

/// The rows of a block, sorted: its text rotated by each number of bytes. Of each row only its entry is kept.
pub(super) struct Rows(Box<[Entry; ROWS]>);

impl Rows {
    pub(super) fn new() -> Self {
        match vec![Entry(0); ROWS].into_boxed_slice().try_into() {
            Ok(rows) => Rows(rows),
            Err(_) => unreachable!("the length is that of the type"),
        }
    }

    /// Row by row: the n-th row that ends in a byte follows from the n-th that begins with it.
    pub(super) fn fill(&mut self, column: &Column) {
        let mut firsts = [0; 256];
        let mut row = 0;
        for (first, &count) in firsts.iter_mut().zip(&column.counts) {
            *first = row;
            row += count;
        }
        let mut at = 0;
        for &run in &column.runs {
            let first = &mut firsts[usize::from(run.value())];
            let entry = u32::from(run.value()) << 24 | *first;
            *first += run.length();
            let length = run.length() as usize;
            if let Some(wide) = self.0[at..].first_chunk_mut::<WIDE>() {
                *wide = std::array::from_fn(|index| Entry(entry + index as u32));
            }
            if length > WIDE {
                self.0[at..at + length].iter_mut().zip(entry..).for_each(|(to, entry)| *to = Entry(entry));
            }
            at += length;
        }
        self.0[ROW as usize] = Entry::REST;
    }

    /// Makes a row a stop with a number; gives the entry that was there.
    pub(super) fn stop(&mut self, row: usize, number: u8) -> Entry {
        let stop = Entry(u32::from(number) << 24 | STOP | row as u32 & ROW);
        std::mem::replace(&mut self.0[row], stop)
    }

    /// The entry of the row that this one names.
    #[inline(always)]
    pub(super) fn next(&self, entry: Entry) -> Entry {
        self.0[(entry.0 & ROW) as usize]
    }
}
