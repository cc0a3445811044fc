use super::bits::Bits;

/// The longest code (bzip2 1.0.8, BZ_MAX_CODE_LEN as the decoder checks it).
pub(super) const MAX_LENGTH: u32 = 20;

/// The most symbols: 256 values less the front one, two digits of runs, the end (bzip2 1.0.8, BZ_MAX_ALPHA_SIZE).
pub(super) const MAX_SYMBOLS: usize = 258;

/// Codes up to this many bits are found with one look; the tables of all six codes then fit into 12 KiB of the nearest
/// cache. A guess.
const DIRECT: u32 = 10;

/// In place of a symbol: no code begins with these bits. Larger than every symbol.
pub(super) const NO_SYMBOL: u16 = 0x3ff;

/// One Huffman code, made for decoding.
pub(super) struct Code {
    /// By the next bits: the symbol, and below it in five bits the length of its code; zero if that is longer.
    direct: [u16; 1 << DIRECT],
    /// For each length the first 20 bits that are past all codes of up to this length.
    past: [u32; MAX_LENGTH as usize + 1],
    /// For each length what to add to the code for the symbol's place in `symbols`.
    offset: [u32; MAX_LENGTH as usize + 1],
    symbols: [u16; MAX_SYMBOLS],
}

impl Code {
    pub(super) fn new() -> Self {
        Code {
            direct: [0; 1 << DIRECT],
            past: [0; MAX_LENGTH as usize + 1],
            offset: [0; MAX_LENGTH as usize + 1],
            symbols: [0; MAX_SYMBOLS],
        }
    }

    /// From the length of each symbol's code, 1 to 20 bits. Lengths that ask for more codes than there are leave the last
    /// symbols without; where they ask for fewer, some bits are no code.
    pub(super) fn assign(&mut self, lengths: &[u8]) {
        let mut counts = [0_u32; MAX_LENGTH as usize + 1];
        lengths.iter().for_each(|&length| counts[usize::from(length)] += 1);
        let (mut code, mut place) = (0_u32, 0_u32);
        let mut places = [0; MAX_LENGTH as usize + 1];
        for length in 1..=MAX_LENGTH {
            let at = length as usize;
            code <<= 1;
            places[at] = place as usize;
            self.offset[at] = place.wrapping_sub(code);
            code = (code + counts[at]).min(1 << length);
            place += counts[at];
            self.past[at] = code << (MAX_LENGTH - length);
        }
        for (symbol, &length) in lengths.iter().enumerate() {
            let place = &mut places[usize::from(length)];
            self.symbols[*place] = symbol as u16;
            *place += 1;
        }
        let mut filled = 0;
        let mut place = 0;
        for length in 1..=DIRECT {
            let each = 1 << (DIRECT - length);
            for _ in 0..counts[length as usize] {
                if let Some(slots) = self.direct.get_mut(filled..filled + each) {
                    slots.fill(self.symbols[place] << 5 | length as u16);
                    filled += each;
                }
                place += 1;
            }
        }
        self.direct[filled..].fill(0);
    }

    /// Reads a symbol; the buffer must hold [`MAX_LENGTH`] bits.
    #[inline(always)]
    pub(super) fn read(&self, bits: &mut Bits) -> u16 {
        let entry = self.direct[bits.peek(DIRECT)];
        if entry == 0 {
            return self.read_long(bits);
        }
        bits.skip(u32::from(entry & 31));
        entry >> 5
    }

    #[inline(never)]
    fn read_long(&self, bits: &mut Bits) -> u16 {
        let next = bits.peek(MAX_LENGTH) as u32;
        for length in DIRECT + 1..=MAX_LENGTH {
            if next < self.past[length as usize] {
                bits.skip(length);
                let place = (next >> (MAX_LENGTH - length)).wrapping_add(self.offset[length as usize]);
                return self.symbols.get(place as usize).copied().unwrap_or(NO_SYMBOL);
            }
        }
        bits.skip(MAX_LENGTH);
        NO_SYMBOL
    }
}
