use super::input::Input;
use super::member::{Member, Step};
use super::reader::{Damage, Fault, Format, Part};

/// Compressed bytes read at once. A guess: large enough that a system call is nothing, small enough for the cache.
const READ: usize = 128 << 10;

/// Bytes that are enough to tell what a member is by its magic.
const MAGIC: usize = 6;

/// Decompresses everything that is one sequence of bytes: plain, gzip, xz, zstd. Bzip2 has blocks and its own reader.
pub(super) struct Sequence {
    input: Input,
    format: Format,
    member: Member,
    buffer: Vec<u8>,
    /// What of `buffer` is used up.
    at: usize,
    /// Offset in the file of `buffer[0]`.
    base: u64,
    /// Nothing is left to read behind `buffer`.
    ended: bool,
}

impl Sequence {
    /// `head` is what was already read of `input`; `ended` says that it is all.
    pub(super) fn new(input: Input, format: Format, head: Vec<u8>, ended: bool) -> Result<Self, String> {
        Ok(Sequence { input, format, member: Member::new(format)?, buffer: head, at: 0, base: 0, ended })
    }

    pub(super) fn into_input(self) -> Input {
        self.input
    }

    /// Decodes into the spare capacity of `chunk` until it is full or the file ends.
    /// `delivered` counts the decompressed bytes before this chunk.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, delivered: u64) -> Part {
        match self.decode(chunk) {
            Ok(true) => Part::More,
            Ok(false) => Part::Last,
            Err(fault) => Part::Damaged(Damage {
                offset_in: self.base + self.at as u64,
                offset_out: delivered + chunk.len() as u64,
                fault,
            }),
        }
    }

    fn decode(&mut self, chunk: &mut Vec<u8>) -> Result<bool, Fault> {
        while chunk.len() < chunk.capacity() {
            let before = chunk.len();
            let (used, step) = self.member.step(&self.buffer[self.at..], chunk);
            self.at += used;
            match step.map_err(Fault::Corrupt)? {
                Step::End => {
                    if !self.next_member()? {
                        return Ok(false);
                    }
                }
                Step::More if used == 0 && chunk.len() == before => {
                    if self.ended {
                        return if self.format == Format::Plain { Ok(false) } else { Err(Fault::Cut) };
                    }
                    self.refill()?;
                }
                Step::More => {}
            }
        }
        Ok(true)
    }

    fn refill(&mut self) -> Result<(), Fault> {
        self.base += self.at as u64;
        self.buffer.drain(..self.at);
        self.at = 0;
        match self.input.append(&mut self.buffer, READ) {
            Ok(more) => self.ended = !more,
            Err(error) => {
                self.ended = true;
                return Err(Fault::Unreadable(error.to_string()));
            }
        }
        Ok(())
    }

    /// True if another member follows, false if the file ends here. Zeros at the end are padding (gzip and xz allow it).
    fn next_member(&mut self) -> Result<bool, Fault> {
        loop {
            if self.buffer.len() - self.at < MAGIC && !self.ended {
                self.refill()?;
            }
            let rest = &self.buffer[self.at..];
            let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
            self.at += zeros;
            if zeros < rest.len() {
                break;
            }
            if self.ended {
                return Ok(false);
            }
        }
        if self.buffer.len() - self.at < MAGIC && !self.ended {
            self.refill()?;
        }
        if Format::of(&self.buffer[self.at..]) != self.format {
            return Err(Fault::Trailing);
        }
        self.member = Member::new(self.format).map_err(Fault::Corrupt)?;
        Ok(true)
    }
}
