use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::Receiver;

use super::super::input::Input;
use super::super::reader::{Damage, Format, Part};
use super::super::workers::Workers;
use super::block::{HEADER_BITS, MAX_BITS};
use super::serial::{Serial, combine};
use super::window::{BLOCK, END, MAGIC_BITS, Window};

/// Data of one block that may wait for its turn. A routing table's blocks hold 0.9 MB; a block that is all runs can
/// hold 46 MB, and is decoded when its turn comes. A guess.
const MAX_WAITING: usize = 4 << 20;

/// The decompressed blocks of a bzip2 file, in order.
pub(in super::super) struct Blocks {
    window: Window,
    pieces: VecDeque<Piece>,
    /// Where the next piece to be handed out begins; nothing after the last.
    next: Option<u64>,
    serial: Serial,
    /// From here on one block after the other.
    is_serial: bool,
    /// The memory of chunks that the caller is done with.
    spare: Vec<Vec<u8>>,
}

/// What lies between two magics.
enum Piece {
    Block {
        at: u64,
        end: u64,
        crc: u32,
        data: Receiver<Option<Vec<u8>>>,
    },
    /// The end of a stream, which is not the last if there is a `next` magic.
    End {
        at: u64,
        crc: u32,
        next: Option<u64>,
    },
    /// Nothing that can be handed to a worker: for the serial decoder to judge.
    Odd,
}

impl Blocks {
    pub(in super::super) fn new(input: Input, head: Vec<u8>, ended: bool, workers: &Workers) -> Self {
        // Behind "BZh" and the block size.
        let first = 32;
        let mut blocks = Blocks {
            window: Window::new(input, head, ended),
            pieces: VecDeque::new(),
            next: Some(first),
            serial: Serial { at: Some(first), last: first, combined: 0 },
            is_serial: workers.threads() == 0,
            spare: Vec::new(),
        };
        blocks.hand_out(workers);
        blocks
    }

    pub(in super::super) fn into_input(self) -> Input {
        self.window.into_input()
    }

    /// The next block's data, in exchange for the memory of `chunk`.
    pub(in super::super) fn next(&mut self, chunk: &mut Vec<u8>, delivered: u64, workers: &Workers) -> Part {
        self.spare.push(mem::take(chunk));
        while !self.is_serial {
            self.hand_out(workers);
            match self.pieces.pop_front() {
                None => return Part::Last,
                Some(Piece::Block { at, end, crc, data }) => {
                    let decoded = data.recv().ok().flatten();
                    if self.serial.at == Some(at)
                        && let Some(decoded) = decoded
                    {
                        *chunk = decoded;
                        self.serial.combined = combine(self.serial.combined, crc);
                        self.serial.at = Some(end);
                        self.window.release(end);
                        self.hand_out(workers);
                        return Part::More;
                    }
                    self.is_serial = true;
                }
                Some(Piece::End { at, crc, next })
                    if self.serial.at == Some(at) && crc == self.serial.combined =>
                {
                    self.serial.combined = 0;
                    match next {
                        Some(_) => self.serial.at = next,
                        None => return Part::Last,
                    }
                }
                Some(Piece::End { .. } | Piece::Odd) => self.is_serial = true,
            }
        }
        self.pieces.clear();
        *chunk = self.spare.pop().unwrap_or_default();
        chunk.clear();
        match self.serial.next(&mut self.window, chunk, workers.decoders()) {
            Ok(true) => Part::More,
            Ok(false) => Part::Last,
            Err(fault) => {
                Part::Damaged(Damage { offset_in: self.serial.last / 8, offset_out: delivered, fault })
            }
        }
    }

    /// Two blocks for each worker, so that none waits while the caller is busy with a block.
    fn hand_out(&mut self, workers: &Workers) {
        while !self.is_serial
            && self.pieces.len() < 2 * workers.threads() + 1
            && let Some(at) = self.next
        {
            let piece = self.cut_piece(at, workers);
            self.next = match &piece {
                Piece::Block { end, .. } => Some(*end),
                Piece::End { next, .. } => *next,
                Piece::Odd => None,
            };
            self.pieces.push_back(piece);
        }
    }

    fn cut_piece(&mut self, at: u64, workers: &Workers) -> Piece {
        let magic = self.window.bits(at, MAGIC_BITS as u32);
        let crc = self.window.bits(at + MAGIC_BITS, 32);
        let (Some(magic), Some(crc)) = (magic, crc.map(|crc| crc as u32)) else {
            return Piece::Odd;
        };
        if magic == END {
            let byte = (at + HEADER_BITS).next_multiple_of(8);
            let next = byte + 32;
            return if !self.window.reach(byte) && !self.window.failed() {
                Piece::End { at, crc, next: None }
            } else if Format::of(self.window.bytes(byte, 4)) == Format::Bzip2 && self.window.magic_at(next) {
                Piece::End { at, crc, next: Some(next) }
            } else {
                Piece::Odd
            };
        }
        if magic != BLOCK {
            return Piece::Odd;
        }
        let Some(end) = self.window.find_magic(at + HEADER_BITS, at + MAX_BITS) else {
            return Piece::Odd;
        };
        let bits = self.window.bytes(at, (end.div_ceil(8) - at / 8) as usize).to_vec();
        let mut out = self.spare.pop().unwrap_or_default();
        let decoders = workers.decoders().clone();
        let data = workers.run(move || {
            out.clear();
            let length = decoders.decode(&bits, at % 8, &mut out, MAX_WAITING);
            (length == Ok(end - at)).then_some(out)
        });
        Piece::Block { at, end, crc, data }
    }
}
