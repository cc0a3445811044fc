use super::bits::Bits;
use super::block::BlockFault;
use super::huffman::{Code, MAX_LENGTH, MAX_SYMBOLS};

/// A block may change between this many codes (bzip2 1.0.8, BZ_N_GROUPS).
const MAX_CODES: usize = 6;

/// What a block says about how its symbols are written.
pub(super) struct Tables {
    /// The values in use, ascending.
    pub(super) used: Vec<u8>,
    /// For each group of symbols the number of its code.
    pub(super) selectors: Vec<u8>,
    pub(super) codes: Box<[Code; MAX_CODES]>,
}

impl Tables {
    pub(super) fn new() -> Self {
        Tables {
            used: Vec::new(),
            selectors: Vec::new(),
            codes: Box::new(std::array::from_fn(|_| Code::new())),
        }
    }

    /// Reads what comes behind the place of the original: values in use, selectors, codes and symbols.
    pub(super) fn read(&mut self, bits: &mut Bits) -> Result<(), BlockFault> {
        self.read_used(bits)?;
        let codes = bits.take(3) as usize;
        if !(2..=MAX_CODES).contains(&codes) {
            return Err(BlockFault::Corrupt);
        }
        self.read_selectors(bits, codes)?;
        let mut lengths = [0; MAX_SYMBOLS];
        let lengths = &mut lengths[..self.used.len() + 2];
        for code in &mut self.codes[..codes] {
            read_lengths(bits, lengths)?;
            code.assign(lengths);
        }
        Ok(())
    }

    /// The symbol that ends a block; below it are two digits of runs, and all values in use but the front.
    pub(super) fn end(&self) -> u16 {
        self.used.len() as u16 + 1
    }

    /// Two levels of sixteen bits say which values are in use.
    fn read_used(&mut self, bits: &mut Bits) -> Result<(), BlockFault> {
        self.used.clear();
        let rows = bits.take(16);
        for row in 0..16_u8 {
            if rows << row & 0x8000 != 0 {
                let columns = bits.take(16);
                let is_used = |column: &u8| columns << column & 0x8000 != 0;
                self.used.extend((0..16).filter(is_used).map(|column| row << 4 | column));
            }
        }
        if self.used.is_empty() { Err(BlockFault::Corrupt) } else { Ok(()) }
    }

    /// Which code each group of symbols is read with; in the file moved to the front, in unary.
    fn read_selectors(&mut self, bits: &mut Bits, codes: usize) -> Result<(), BlockFault> {
        let count = bits.take(15);
        if count == 0 {
            return Err(BlockFault::Corrupt);
        }
        self.selectors.clear();
        let mut recent = [0, 1, 2, 3, 4, 5];
        for _ in 0..count {
            bits.refill();
            let rank = (!(bits.peek(32) as u32)).leading_zeros() as usize;
            if rank >= codes {
                return Err(BlockFault::Corrupt);
            }
            bits.skip(rank as u32 + 1);
            recent[..=rank].rotate_right(1);
            self.selectors.push(recent[0]);
        }
        Ok(())
    }
}

/// For each symbol the length of its code, told as the difference to the one before.
fn read_lengths(bits: &mut Bits, lengths: &mut [u8]) -> Result<(), BlockFault> {
    let mut length = bits.take(5);
    for to in lengths {
        loop {
            if !(1..=MAX_LENGTH).contains(&length) {
                return Err(BlockFault::Corrupt);
            }
            bits.refill();
            match bits.peek(2) {
                0 | 1 => break bits.skip(1),
                2 => length += 1,
                _ => length -= 1,
            }
            bits.skip(2);
        }
        *to = length as u8;
    }
    Ok(())
}
