//! Bzip2 on all cores.
//!
//! The format has no table of its blocks, but each begins with the 48-bit number 0x314159265359 at any bit, is
//! independent of the others and carries its own checksum. So the file is cut at these numbers and each piece is decoded
//! by whichever worker is free. The number may also occur inside a block by chance (once in 2^47 bits) or by design:
//! then a piece fails, and from there on the file is decoded one block after the other, which needs no search and
//! says exactly what is wrong where. See [`serial`].

//!
//! A block is decoded in these stages ([`block`]): [`tables`] and [`symbols`] read it, with [`huffman`] codes out of
//! [`bits`] and values moved to the [`fronts`]; [`rows`] and [`chains`] undo the sorting; [`randomised`] undoes what old
//! versions did to a text that was slow to sort, [`runs`] writes out runs, and [`crc`] says whether all of it is right.

mod bits;
mod block;
mod chains;
mod crc;
mod fronts;
mod huffman;
mod parallel;
mod randomised;
mod rows;
mod runs;
mod serial;
mod symbols;
mod tables;
#[cfg(test)]
mod tests;
mod window;

pub(super) use block::Decoders;
pub(super) use parallel::Blocks;
