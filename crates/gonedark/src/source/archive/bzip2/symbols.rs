use super::bits::Bits;
use super::block::{BlockFault, MAX_BLOCK};
use super::fronts::Fronts;
use super::tables::Tables;

/// Symbols that are read with one code before the next is selected (bzip2 1.0.8, BZ_G_SIZE).
const GROUP: usize = 50;

/// How often a value stands in a row.
#[derive(Clone, Copy)]
pub(super) struct Run(u32);

impl Run {
    fn new(value: u8, length: u32) -> Self {
        Run(u32::from(value) << 24 | length)
    }

    pub(super) fn value(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// Below 2^24: a run that is longer than a block is refused before.
    pub(super) fn length(self) -> u32 {
        self.0 & 0xff_ffff
    }
}

/// The last column of a block's sorted rotations, which is what the symbols of a block stand for. Kept as runs, since in
/// routing tables a run is eight long on average.
pub(super) struct Column {
    pub(super) runs: Vec<Run>,
    /// How often each value stands in the column.
    pub(super) counts: [u32; 256],
    pub(super) length: usize,
}

/// The run that the next symbols may make longer.
struct Open {
    value: u8,
    length: u32,
    /// What the next digit of its length counts once. The digits are 1 and 2, and the lowest comes first.
    place: u32,
}

impl Column {
    pub(super) fn new() -> Self {
        Column { runs: Vec::new(), counts: [0; 256], length: 0 }
    }

    /// Reads all symbols; afterwards `bits` is right behind the last.
    pub(super) fn read(&mut self, bits: &mut Bits, tables: &Tables) -> Result<(), BlockFault> {
        self.runs.clear();
        self.counts = [0; 256];
        self.length = 0;
        let mut fronts = Fronts::new(&tables.used);
        let mut run = Open { value: fronts.first(), length: 0, place: 1 };
        let mut symbols = [0; GROUP];
        for &selector in &tables.selectors {
            let code = &tables.codes[usize::from(selector)];
            let before = *bits;
            // Behind the last symbol something is read that is none, and read back.
            for pair in symbols.as_chunks_mut::<2>().0 {
                bits.refill();
                *pair = [code.read(bits), code.read(bits)];
            }
            let end = self.add(&symbols, tables.end(), &mut fronts, &mut run)?;
            if let Some(end) = end {
                *bits = before;
                for _ in 0..=end {
                    bits.refill();
                    code.read(bits);
                }
            }
            if self.length > MAX_BLOCK {
                return Err(BlockFault::Corrupt);
            }
            if bits.overrun() {
                return Err(BlockFault::Short);
            }
            if end.is_some() {
                return Ok(());
            }
        }
        // No code is selected for the next symbol.
        Err(BlockFault::Corrupt)
    }

    /// Takes symbols in until the end; gives its index.
    #[inline(always)]
    fn add(
        &mut self,
        symbols: &[u16; GROUP],
        end: u16,
        fronts: &mut Fronts,
        run: &mut Open,
    ) -> Result<Option<usize>, BlockFault> {
        for (index, &symbol) in symbols.iter().enumerate() {
            if symbol < 2 {
                run.length += run.place << symbol;
                run.place <<= 1;
                if run.place as usize > 2 * MAX_BLOCK {
                    return Err(BlockFault::Corrupt);
                }
            } else if symbol < end {
                self.close(run);
                // The front itself has no symbol: it is only ever repeated.
                *run = Open { value: fronts.take(usize::from(symbol) - 1), length: 1, place: 1 };
            } else if symbol == end {
                self.close(run);
                return Ok(Some(index));
            } else {
                return Err(BlockFault::Corrupt);
            }
        }
        Ok(None)
    }

    #[inline(always)]
    fn close(&mut self, run: &Open) {
        self.runs.push(Run::new(run.value, run.length));
        self.counts[usize::from(run.value)] += run.length;
        self.length += run.length as usize;
    }
}
