use std::sync::{Arc, Mutex};

use super::bits::Bits;
use super::chains::Chains;
use super::rows::Rows;
use super::symbols::Column;
use super::tables::Tables;
use super::window::MAGIC_BITS;
use super::{crc, randomised, runs};

/// The most bytes in a block before its runs are written out (bzip2 1.0.8, level 9). What level a stream claims only
/// says how much memory its blocks need.
pub(super) const MAX_BLOCK: usize = 900_000;

/// The most bits that a true block can have: 900,000 symbols of at most 20 bits, 18,002 selectors of at most 6 bits, and
/// tables (bzip2 1.0.8: block sizes, BZ_MAX_CODE_LEN, BZ_MAX_SELECTORS), rounded up.
pub(super) const MAX_BITS: u64 = 2_400_000 * 8;

/// A block header says what the block's data must check to, in 32 bits behind the magic.
pub(super) const HEADER_BITS: u64 = 80;

/// Why a block could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockFault {
    /// The input ended first.
    Short,
    /// Not a block, or its checksum is wrong.
    Corrupt,
    /// Its data is longer than the limit.
    TooLong,
}

/// Decodes blocks, one at a time, in memory that it keeps: some 6 MB, and 11 for a block without any run.
struct Decoder {
    tables: Tables,
    column: Column,
    rows: Rows,
    chains: Chains,
    text: Vec<u8>,
}

impl Decoder {
    fn new() -> Self {
        Decoder {
            tables: Tables::new(),
            column: Column::new(),
            rows: Rows::new(),
            chains: Chains::new(),
            text: Vec::new(),
        }
    }

    fn decode(
        &mut self,
        bytes: &[u8],
        first: u64,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<u64, BlockFault> {
        let mut bits = Bits::new(bytes, first + MAGIC_BITS);
        let wanted = bits.take(32);
        let is_randomised = bits.take(1) == 1;
        let origin = bits.take(24) as usize;
        let read = self.tables.read(&mut bits).and_then(|()| self.column.read(&mut bits, &self.tables));
        // What is read behind the end is wrong for that reason.
        if bits.overrun() {
            return Err(BlockFault::Short);
        }
        read?;
        if origin >= self.column.length {
            return Err(BlockFault::Corrupt);
        }
        self.text.resize(self.column.length, 0);
        self.rows.fill(&self.column);
        self.chains.read(&mut self.rows, origin, &mut self.text);
        if is_randomised {
            randomised::restore(&mut self.text);
        }
        runs::expand(&self.text, out, limit)?;
        if crc::checksum(out) == wanted { Ok(bits.position() - first) } else { Err(BlockFault::Corrupt) }
    }
}

/// Decoders for as many blocks as are being decoded at the same time, made when they are needed and used again.
#[derive(Clone, Default)]
pub(in super::super) struct Decoders(Arc<Mutex<Vec<Decoder>>>);

impl Decoders {
    /// Decodes the one block whose magic begins at the bit `first` of `bytes`; its data goes to `out`, which is empty,
    /// and means nothing if there is a fault.
    ///
    /// Gives the number of the block's bits, its magic among them. Its checksum is right.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        first: u64,
        out: &mut Vec<u8>,
        limit: usize,
    ) -> Result<u64, BlockFault> {
        let idle = self.0.lock().ok().and_then(|mut idle| idle.pop());
        let mut decoder = idle.unwrap_or_else(Decoder::new);
        let decoded = decoder.decode(bytes, first, out, limit);
        if let Ok(mut idle) = self.0.lock() {
            idle.push(decoder);
        }
        decoded
    }
}
