use bzip2::Decompress;

/// The most bits that a true block can have: 900,000 symbols of at most 20 bits, 18,002 selectors of at most 6 bits, and
/// tables (bzip2 1.0.8: block sizes, BZ_MAX_CODE_LEN, BZ_MAX_SELECTORS), rounded up.
pub(super) const MAX_BITS: u64 = 2_400_000 * 8;

/// A block header says what the block's data must check to, in 32 bits behind the magic.
pub(super) const HEADER_BITS: u64 = 80;

/// Decompressed bytes that room is made for at once: a block of the largest size without runs.
const ROOM: usize = 901 << 10;

/// The decoder reads ahead by up to this many bits (a 64-bit register).
pub(super) const READ_AHEAD: u64 = 64;

/// Why a block could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockFault {
    /// The input ended first.
    Short,
    /// Not a block, or something that is no block follows it, or its checksum is wrong.
    Corrupt,
    /// Its data is longer than the limit.
    TooLong,
}

/// Decodes the one block whose bits `more` gives, from its magic on, piece by piece; its data goes to `out`,
/// which is empty.
///
/// Gives the number of bytes after which the block was complete; its last bit is among the last [`READ_AHEAD`].
/// The bits behind the block must be those of a magic (as far as they are given), else the block is `Corrupt`, with its
/// data nevertheless complete in `out`: the caller can tell by [`checksum`].
pub(super) fn decode(
    mut more: impl FnMut() -> Option<Vec<u8>>,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<u64, BlockFault> {
    let mut decoder = Decompress::new(false);
    // The size in the stream's header only says how much memory is needed; 9 is enough for every block.
    let header = b"BZh9";
    decoder.decompress(header, &mut []).map_err(|_| BlockFault::Corrupt)?;
    // Without room for data the decoder leaves input untouched once it has the whole block.
    let consumed = loop {
        let piece = more().unwrap_or_default();
        let before = decoder.total_in();
        decoder.decompress(&piece, &mut []).map_err(|_| BlockFault::Corrupt)?;
        let used = decoder.total_in() - before;
        if used < piece.len() as u64 || piece.is_empty() {
            break decoder.total_in() - header.len() as u64;
        }
    };
    loop {
        out.reserve(ROOM);
        let before = out.len();
        decoder.decompress_vec(&[], out).map_err(|_| BlockFault::Corrupt)?;
        if out.len() == before {
            return if out.is_empty() { Err(BlockFault::Short) } else { Ok(consumed) };
        }
        if out.len() > limit {
            return Err(BlockFault::TooLong);
        }
    }
}

/// CRC-32/BZIP2 of `data`, bit by bit: only asked for when something is wrong already.
pub(super) fn checksum(data: &[u8]) -> u32 {
    let rest = data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc >> 31 == 1 { crc << 1 ^ 0x04c1_1db7 } else { crc << 1 }
        })
    });
    !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_the_one_of_the_catalogue() {
        // CRC-32/BZIP2, check value of the CRC RevEng catalogue.
        assert_eq!(checksum(b"123456789"), 0xfc89_1918);
    }
}
