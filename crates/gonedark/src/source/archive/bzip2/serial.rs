use super::super::reader::{Fault, Format};
use super::block::{BlockFault, Decoders, HEADER_BITS, MAX_BITS};
use super::window::{BLOCK, END, MAGIC_BITS, Window};

/// A block of 900,000 bytes can stand for this many at most: five bytes for a run of 259 (bzip2 1.0.8), and then some.
const MAX_DATA: usize = 48 << 20;

/// One block after the other, trusting nothing that was not reached by decoding.
pub(super) struct Serial {
    /// Where the next magic must be; nothing if it was not found behind the last block.
    pub(super) at: Option<u64>,
    /// Where the last block began, or ended if nothing follows it, for the report.
    pub(super) last: u64,
    /// The combined checksum of the stream's blocks so far.
    pub(super) combined: u32,
}

/// The checksum of a stream, after one more block (bzip2 1.0.8, decompress.c).
pub(super) fn combine(combined: u32, block: u32) -> u32 {
    combined.rotate_left(1) ^ block
}

impl Serial {
    /// Decodes the next block into `out`. False at the end of the file; the offset of a fault is `self.last`, in bits.
    pub(super) fn next(
        &mut self,
        window: &mut Window,
        out: &mut Vec<u8>,
        decoders: &Decoders,
    ) -> Result<bool, Fault> {
        loop {
            let Some(at) = self.at else {
                return Err(self.lost(window));
            };
            self.last = at;
            window.release(at);
            match window.bits(at, MAGIC_BITS as u32) {
                None => return Err(window.cut()),
                Some(BLOCK) => return self.block(at, window, out, decoders).map(|()| true),
                Some(END) => match self.stream_end(at, window)? {
                    Some(next) => self.at = Some(next),
                    None => return Ok(false),
                },
                Some(_) => return Err(Fault::Corrupt("no block follows the header of bzip2".into())),
            }
        }
    }

    fn block(
        &mut self,
        at: u64,
        window: &mut Window,
        out: &mut Vec<u8>,
        decoders: &Decoders,
    ) -> Result<(), Fault> {
        let Some(wanted) = window.bits(at + MAGIC_BITS, 32) else {
            return Err(window.cut());
        };
        let bytes = window.bytes(at, MAX_BITS as usize / 8);
        match decoders.decode(bytes, at % 8, out, MAX_DATA) {
            Ok(length) => {
                self.combined = combine(self.combined, wanted as u32);
                self.last = at + length;
                self.at = window.magic_at(self.last).then_some(self.last);
                Ok(())
            }
            Err(fault) => {
                out.clear();
                Err(match fault {
                    BlockFault::Short if !window.reach(at + MAX_BITS) => window.cut(),
                    _ => Fault::Corrupt("a bzip2 block does not decode to its checksum".into()),
                })
            }
        }
    }

    /// No magic behind the last block: the file ends there, or it is damaged.
    fn lost(&self, window: &mut Window) -> Fault {
        if window.reach(self.last + MAGIC_BITS - 1) {
            Fault::Corrupt("neither a block nor the end of the stream follows a bzip2 block".into())
        } else {
            window.cut()
        }
    }

    /// Where the first magic of the next stream is; nothing at the end of the file.
    fn stream_end(&mut self, at: u64, window: &mut Window) -> Result<Option<u64>, Fault> {
        let Some(wanted) = window.bits(at + MAGIC_BITS, 32) else {
            return Err(window.cut());
        };
        if wanted != u64::from(self.combined) {
            return Err(Fault::Corrupt(
                "the checksum of the whole bzip2 stream is wrong; its blocks are right".into(),
            ));
        }
        self.combined = 0;
        // Zeros are padding.
        self.last = (at + HEADER_BITS).next_multiple_of(8);
        let Some(next) = window.skip_zeros(self.last) else {
            return window.unread().map_or(Ok(None), Err);
        };
        self.last = next;
        let is_header = Format::of(window.bytes(next, 4)) == Format::Bzip2;
        if is_header && window.magic_at(next + 32) {
            Ok(Some(next + 32))
        } else if is_header && !window.reach(next + 32 + MAGIC_BITS - 1) {
            Err(window.cut())
        } else {
            Err(Fault::Trailing)
        }
    }
}
