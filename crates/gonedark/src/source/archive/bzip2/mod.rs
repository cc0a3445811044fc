//! Bzip2 on all cores.
//!
//! The format has no table of its blocks, but each begins with the 48-bit number 0x314159265359 at any bit, is
//! independent of the others and carries its own checksum. So the file is cut at these numbers and each piece is decoded
//! by whichever worker is free. The number may also occur inside a block by chance (once in 2^47 bits) or by design:
//! then a piece fails, and from there on the file is decoded one block after the other, which needs no search and
//! says exactly what is wrong where. See [`serial`].

mod block;
mod parallel;
mod serial;
mod window;

pub(super) use parallel::Blocks;
