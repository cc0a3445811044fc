use super::super::input::Input;
use super::super::reader::Fault;

/// Compressed bytes read at once; about two blocks of a routing table.
const READ: usize = 256 << 10;

/// Begins a block: the digits of pi, in BCD (bzip2 1.0.8, decompress.c).
pub(super) const BLOCK: u64 = 0x3141_5926_5359;
/// Begins the end of a stream: the square root of pi.
pub(super) const END: u64 = 0x1772_4538_5090;
/// Both are 48 bits wide.
pub(super) const MAGIC_BITS: u64 = 48;

/// For each value of a byte: could it be the second byte under a magic that starts 0 to 7 bits into the byte before?
/// One in sixteen can, so that the search looks closer at one byte in sixteen.
static SECOND: [bool; 256] = second_bytes();

const fn second_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut shift = 0;
    while shift < 8 {
        table[(BLOCK >> (32 + shift)) as usize & 0xff] = true;
        table[(END >> (32 + shift)) as usize & 0xff] = true;
        shift += 1;
    }
    table
}

/// A window on the compressed file that is addressed by bits from the start of the file.
pub(super) struct Window {
    input: Input,
    bytes: Vec<u8>,
    /// Offset in the file of `bytes[0]`.
    base: u64,
    ended: bool,
    /// Why reading stopped before the end of the file.
    fault: Option<Fault>,
}

impl Window {
    pub(super) fn new(input: Input, head: Vec<u8>, ended: bool) -> Self {
        Window { input, bytes: head, base: 0, ended, fault: None }
    }

    pub(super) fn into_input(self) -> Input {
        self.input
    }

    /// Why the data stops where the file ends: it is cut, unless the system failed.
    pub(super) fn cut(&mut self) -> Fault {
        self.fault.take().unwrap_or(Fault::Cut)
    }

    /// True if the system could not read the file to its end.
    pub(super) fn failed(&self) -> bool {
        self.fault.is_some()
    }

    /// Why the file could not be read to its end, if so.
    pub(super) fn unread(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    /// The first bit, at or behind the byte that begins at `bit`, of a byte that is not zero; nothing if there is none.
    pub(super) fn skip_zeros(&mut self, bit: u64) -> Option<u64> {
        let mut at = bit;
        while self.reach(at) {
            self.release(at);
            match self.bytes.iter().position(|&byte| byte != 0) {
                Some(index) => return Some(at + index as u64 * 8),
                None => at = self.limit(),
            }
        }
        None
    }

    /// The first bit behind what is read so far.
    fn limit(&self) -> u64 {
        (self.base + self.bytes.len() as u64) * 8
    }

    /// Reads until `bit` lies in the window, or the file ends; says whether it does.
    pub(super) fn reach(&mut self, bit: u64) -> bool {
        while bit >= self.limit() && !self.ended {
            match self.input.append(&mut self.bytes, READ) {
                Ok(more) => self.ended = !more,
                Err(error) => {
                    self.ended = true;
                    self.fault = Some(Fault::Unreadable(error.to_string()));
                }
            }
        }
        bit < self.limit()
    }

    /// Forgets what lies before `bit`.
    pub(super) fn release(&mut self, bit: u64) {
        let unused = (bit / 8).saturating_sub(self.base).min(self.bytes.len() as u64);
        self.bytes.drain(..unused as usize);
        self.base += unused;
    }

    /// `count` bits (at most 57) at `bit`, if the file has them.
    pub(super) fn bits(&mut self, bit: u64, count: u32) -> Option<u64> {
        self.reach(bit + u64::from(count) - 1).then(|| {
            let value = self.eight_bytes((bit / 8 - self.base) as usize);
            value << (bit % 8) >> (64 - count)
        })
    }

    /// Big-endian; zeros behind the end.
    fn eight_bytes(&self, at: usize) -> u64 {
        let mut eight = [0; 8];
        let rest = &self.bytes[at.min(self.bytes.len())..];
        let count = rest.len().min(8);
        eight[..count].copy_from_slice(&rest[..count]);
        u64::from_be_bytes(eight)
    }

    /// True if a block or the end of a stream begins at `bit`.
    pub(super) fn magic_at(&mut self, bit: u64) -> bool {
        matches!(self.bits(bit, MAGIC_BITS as u32), Some(BLOCK | END))
    }

    /// The first bit from `from` on, but before `until`, at which a magic begins.
    pub(super) fn find_magic(&mut self, from: u64, until: u64) -> Option<u64> {
        let mut at = from;
        // A magic that begins in the last 7 bytes may not be whole yet; they are looked at again with the next read.
        while at < until && self.reach(at + MAGIC_BITS) {
            let first = (at / 8 - self.base) as usize;
            let last = (self.bytes.len() - 6).min((until.div_ceil(8) - self.base) as usize);
            for index in first..last {
                if SECOND[usize::from(self.bytes[index + 1])]
                    && let Some(shift) = magic_within(self.eight_bytes(index))
                {
                    let found = (self.base + index as u64) * 8 + shift;
                    if (at..until).contains(&found) {
                        return Some(found);
                    }
                }
            }
            at = at.max((self.base + last as u64) * 8);
        }
        None
    }

    /// `count` bytes from the one that holds `bit` on; fewer where the file ends.
    pub(super) fn bytes(&mut self, bit: u64, count: usize) -> &[u8] {
        self.reach(bit + count as u64 * 8);
        let first = (bit / 8).saturating_sub(self.base).min(self.bytes.len() as u64) as usize;
        let rest = &self.bytes[first..];
        &rest[..count.min(rest.len())]
    }
}

/// Where in the first byte of eight a magic begins.
fn magic_within(eight: u64) -> Option<u64> {
    (0..8).find(|shift| matches!(eight << shift >> 16, BLOCK | END))
}
