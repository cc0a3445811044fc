/// Reads bits, the most significant of each byte first. Behind the end of the bytes are zeros without end: whoever
/// reads asks [`overrun`](Self::overrun) now and then.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not in the buffer yet, as far as it is counted in `held`.
    next: usize,
    /// The next bits, from the top.
    buffer: u64,
    /// How many bits of the buffer count. What lies below is right too, or zero.
    held: u32,
}

impl<'a> Bits<'a> {
    /// From the bit `first` on.
    pub(super) fn new(bytes: &'a [u8], first: u64) -> Self {
        let mut bits = Bits { bytes, next: (first / 8) as usize, buffer: 0, held: 0 };
        bits.refill();
        bits.skip((first % 8) as u32);
        bits
    }

    /// From here on 56 bits can be looked at and skipped.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let eight = match self.bytes.get(self.next..).and_then(|rest| rest.first_chunk()) {
            Some(eight) => u64::from_be_bytes(*eight),
            None => self.last_bytes(),
        };
        self.buffer |= eight >> self.held;
        self.next += (63 - self.held as usize) / 8;
        self.held |= 56;
    }

    #[cold]
    fn last_bytes(&self) -> u64 {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        let mut eight = [0; 8];
        eight.iter_mut().zip(rest).for_each(|(to, &from)| *to = from);
        u64::from_be_bytes(eight)
    }

    /// The next 1 to 32 bits.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> usize {
        (self.buffer >> (64 - count)) as usize
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.buffer <<= count;
        self.held = self.held.wrapping_sub(count);
    }

    /// Reads 1 to 32 bits.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        self.refill();
        let value = self.peek(count);
        self.skip(count);
        value as u32
    }

    /// The bit that is read next, counted from the start of the bytes.
    pub(super) fn position(&self) -> u64 {
        self.next as u64 * 8 - u64::from(self.held)
    }

    /// True if more bits were read than there are.
    pub(super) fn overrun(&self) -> bool {
        self.position() > self.bytes.len() as u64 * 8
    }
}
