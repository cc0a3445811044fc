use super::rows::{Entry, Rows};

/// Chains that are followed at the same time. Each step waits for memory; with fewer the processor waits as well
/// (measured on a routing table: 8 take 1.4 times as long as 32, 48 are no faster).
const LANES: usize = 32;

/// Steps between two looks at whether a chain has stopped. Measured: 32 to 128 are alike.
const STEPS: usize = 64;

/// Small blocks are cut into chains of about this many bytes, large ones into [`MAX_CHAINS`]. Measured: 2048 is slower for
/// blocks of 100 kB, and more chains are no faster for those of 900 kB.
const CHAIN: usize = 512;

/// The most chains: their number is a byte.
const MAX_CHAINS: usize = 256;

/// Bytes of a chain, the last first: as they stand in the text.
type Page = [u8; STEPS];

/// Undoes the sorting of a block's rotations.
///
/// From the original's row the text is read from its end, each byte's row known only from the one before: a chain that
/// waits for memory at each step. So other rows are made stops, a chain is followed from each stop to the next, many at
/// a time, and the parts are joined in the order in which the stops follow each other.
pub(super) struct Chains {
    chains: Vec<Chain>,
    pages: Vec<Page>,
    /// For each page the next of the same chain.
    next_pages: Vec<u32>,
}

struct Chain {
    first: Entry,
    first_page: u32,
    /// In bytes.
    length: usize,
    /// The chain that goes on where this stops.
    next: u8,
}

/// Who follows chains, one after the other.
#[derive(Clone, Copy)]
struct Lane {
    chain: usize,
    /// The last page, once there is one.
    page: Option<u32>,
}

impl Chains {
    pub(super) fn new() -> Self {
        Chains { chains: Vec::new(), pages: Vec::new(), next_pages: Vec::new() }
    }

    /// The text of the block, whose length `text` has; the original's row is `origin`. Rows that are not
    /// those of a text give some text or other, the same as in the library.
    pub(super) fn read(&mut self, rows: &mut Rows, origin: usize, text: &mut [u8]) {
        self.cut(rows, text.len(), origin);
        self.follow(rows);
        self.join(text);
    }

    /// The first chain begins at the original.
    fn cut(&mut self, rows: &mut Rows, length: usize, origin: usize) {
        let count = (length / CHAIN).clamp(1, MAX_CHAINS);
        let distance = length / count;
        self.chains.clear();
        for (number, chain) in (0..=u8::MAX).zip(0..count) {
            let first = rows.stop((origin + chain * distance) % length, number);
            self.chains.push(Chain { first, first_page: 0, length: 0, next: 0 });
        }
    }

    fn follow(&mut self, rows: &Rows) {
        self.pages.clear();
        self.next_pages.clear();
        let mut lanes = [Lane { chain: 0, page: None }; LANES];
        let mut entries = [Entry::REST; LANES];
        let mut waiting = 0..self.chains.len();
        loop {
            for (lane, entry) in lanes.iter_mut().zip(&mut entries) {
                if *entry == Entry::REST
                    && let Some(chain) = waiting.next()
                {
                    *lane = Lane { chain, page: None };
                    *entry = self.chains[chain].first;
                }
            }
            if entries == [Entry::REST; LANES] {
                return;
            }
            let before = entries;
            let mut pages = [[0; STEPS]; LANES];
            for step in (0..STEPS).rev() {
                for (entry, page) in entries.iter_mut().zip(&mut pages) {
                    page[step] = entry.byte();
                    *entry = rows.next(*entry);
                }
            }
            for (index, lane) in lanes.iter_mut().enumerate() {
                if before[index] != Entry::REST {
                    self.append(lane, &pages[index]);
                    if entries[index].is_stop() {
                        self.finish(lane.chain, before[index], rows);
                        entries[index] = Entry::REST;
                    } else {
                        self.chains[lane.chain].length += STEPS;
                    }
                }
            }
        }
    }

    fn append(&mut self, lane: &mut Lane, page: &Page) {
        let number = self.pages.len() as u32;
        self.pages.push(*page);
        self.next_pages.push(0);
        match lane.page {
            Some(last) => self.next_pages[last as usize] = number,
            None => self.chains[lane.chain].first_page = number,
        }
        lane.page = Some(number);
    }

    /// Goes over the last page once more, from the entry it began with, to see how much of it came before the stop.
    fn finish(&mut self, chain: usize, mut entry: Entry, rows: &Rows) {
        let chain = &mut self.chains[chain];
        while !entry.is_stop() {
            chain.length += 1;
            entry = rows.next(entry);
        }
        chain.next = entry.byte();
    }

    /// From the original back to it. In a text that repeats itself that is one repetition.
    fn join(&self, text: &mut [u8]) {
        let mut length = 0;
        let mut chain = 0;
        loop {
            length += self.chains[chain].length;
            chain = usize::from(self.chains[chain].next);
            if chain == 0 {
                break;
            }
        }
        let mut missing = length;
        while missing > 0 {
            let mut left = self.chains[chain].length;
            let mut page = self.chains[chain].first_page as usize;
            while left > 0 {
                let part = left.min(STEPS);
                text[missing - part..missing].copy_from_slice(&self.pages[page][STEPS - part..]);
                missing -= part;
                left -= part;
                page = self.next_pages[page] as usize;
            }
            chain = usize::from(self.chains[chain].next);
        }
        let (first, mut others) = text.split_at_mut(length);
        while !others.is_empty() {
            let (other, rest) = others.split_at_mut(length.min(others.len()));
            other.copy_from_slice(&first[..other.len()]);
            others = rest;
        }
    }
}
