//! A number space cut into ranges, searched as it lies in the bytes.
//!
//! A key is a bucket (its upper part) and a low part of fixed width. Cuts of one bucket lie together and need only
//! their low parts; a search looks up the bucket, then bisects within it. What lies before a bucket's first cut
//! belongs to the last cut before it.

use std::ops::Range;

/// Where the parts of one number space lie in the bytes of a table.
#[derive(Clone, Copy, Default)]
pub(super) struct Section {
    at: usize,
    low_bytes: usize,
    first_bucket: u64,
    buckets: usize,
    cuts: usize,
}

impl Section {
    pub(super) fn new(at: usize, low_bytes: usize, [first_bucket, buckets, cuts]: [u32; 3]) -> Self {
        let first_bucket = u64::from(first_bucket);
        Section { at, low_bytes, first_bucket, buckets: buckets as usize, cuts: cuts as usize }
    }

    fn parts(&self) -> [Range<usize>; 3] {
        let lows = self.at.saturating_add(4 * (self.buckets + 1));
        let countries = lows.saturating_add(self.low_bytes * self.cuts);
        [self.at..lows, lows..countries, countries..countries.saturating_add(self.cuts)]
    }

    pub(super) fn end(&self) -> usize {
        let [_, _, countries] = self.parts();
        countries.end
    }

    #[inline]
    pub(super) fn over<'a>(&self, bytes: &'a [u8]) -> Ranges<'a> {
        let [starts, lows, countries] = self.parts().map(|part| bytes.get(part).unwrap_or_default());
        Ranges { starts, lows, countries, low_bytes: self.low_bytes, first_bucket: self.first_bucket }
    }
}

/// One number space. Every method is total over any bytes; [`Ranges::check`] says whether the answers make sense.
#[derive(Clone, Copy)]
pub(super) struct Ranges<'a> {
    /// Per bucket, and once more at the end: the position of its first cut.
    starts: &'a [u8],
    lows: &'a [u8],
    countries: &'a [u8],
    low_bytes: usize,
    first_bucket: u64,
}

impl<'a> Ranges<'a> {
    /// The position of the last cut at or before `key`.
    #[inline]
    pub(super) fn position(&self, key: u64) -> Option<usize> {
        let bucket = (key >> self.low_bits()).checked_sub(self.first_bucket)? as usize;
        if bucket >= self.buckets() {
            return self.countries.len().checked_sub(1);
        }
        let (from, until) = (self.start(bucket), self.start(bucket + 1));
        let (lows, low) = (self.lows_of(from, until), key & self.low_mask());
        let below = if self.low_bytes == 2 { at_most::<2>(lows, low) } else { at_most::<6>(lows, low) };
        (from + below).checked_sub(1)
    }

    /// The country's number of `first..=last` where no cut lies within; `None` where one does.
    #[inline]
    pub(super) fn undivided(&self, first: u64, last: u64) -> Option<u8> {
        let position = self.position(first);
        let next = position.map_or(0, |position| position + 1);
        // Nearly always both ends are of one bucket, and the next cut says it.
        let bucket = |key: u64| (key >> self.low_bits()).checked_sub(self.first_bucket);
        let undivided = match bucket(last) {
            None => true,
            Some(last_bucket)
                if bucket(first) == Some(last_bucket) && last_bucket < self.buckets() as u64 =>
            {
                next >= self.start(last_bucket as usize + 1) || self.low(next) > last & self.low_mask()
            }
            Some(_) => self.position(last) == position,
        };
        undivided.then(|| position.map_or(0, |position| self.country(position)))
    }

    /// The country's number from the cut at `position` on; 0 for none.
    #[inline]
    pub(super) fn country(&self, position: usize) -> u8 {
        self.countries.get(position).copied().unwrap_or(0)
    }

    /// The ranges of `first..=last`, ascending and without gaps: first key, last key, country's number.
    pub(super) fn cuts(self, first: u64, last: u64) -> impl Iterator<Item = (u64, u64, u8)> + use<'a> {
        let mut next = self.position(first).map_or(0, |position| position + 1);
        let mut bucket =
            ((first >> self.low_bits()).saturating_sub(self.first_bucket) as usize).min(self.buckets());
        let mut from = Some(first);
        std::iter::from_fn(move || {
            let first = from?;
            let country = next.checked_sub(1).map_or(0, |position| self.country(position));
            while bucket < self.buckets() && self.start(bucket + 1) <= next {
                bucket += 1;
            }
            let end = (bucket < self.buckets())
                .then(|| (self.first_bucket + bucket as u64) << self.low_bits() | self.low(next))
                .filter(|end| *end <= last);
            from = end;
            next += 1;
            Some((first, end.map_or(last, |end| end - 1), country))
        })
    }

    /// Whether the buckets' starts ascend from 0 to the number of cuts, the cuts ascend, and the countries exist.
    pub(super) fn check(&self, countries: usize) -> Result<(), &'static str> {
        if (self.first_bucket + self.buckets() as u64) > 1 << 16 {
            return Err("more buckets than numbers");
        }
        let mut from = 0;
        for bucket in 0..self.buckets() {
            let until = self.start(bucket + 1);
            if self.start(bucket) != from || until < from || until > self.countries.len() {
                return Err("bucket starts do not ascend");
            }
            let lows = self.lows_of(from, until);
            if !(if self.low_bytes == 2 { ascend::<2>(lows) } else { ascend::<6>(lows) }) {
                return Err("cuts do not ascend");
            }
            from = until;
        }
        if from != self.countries.len() {
            return Err("cuts outside every bucket");
        }
        if self.countries.iter().max().is_some_and(|largest| usize::from(*largest) > countries) {
            return Err("a country that is not listed");
        }
        Ok(())
    }

    fn buckets(&self) -> usize {
        (self.starts.len() / 4).saturating_sub(1)
    }

    fn low_bits(&self) -> u32 {
        8 * self.low_bytes as u32
    }

    fn low_mask(&self) -> u64 {
        (1 << self.low_bits()) - 1
    }

    #[inline]
    fn start(&self, bucket: usize) -> usize {
        u32_at(self.starts, bucket) as usize
    }

    /// The low parts of the cuts `from..until`.
    #[inline]
    fn lows_of(&self, from: usize, until: usize) -> &'a [u8] {
        self.lows.get(from * self.low_bytes..until * self.low_bytes).unwrap_or_default()
    }

    #[inline]
    fn low(&self, position: usize) -> u64 {
        match *self.lows_of(position, position + 1) {
            [a, b] => number(&[a, b]),
            [a, b, c, d, e, f] => number(&[a, b, c, d, e, f]),
            _ => 0,
        }
    }
}

/// A little-endian number of up to eight bytes.
#[inline]
fn number<const W: usize>(raw: &[u8; W]) -> u64 {
    let mut wide = [0; 8];
    wide[..W].copy_from_slice(raw);
    u64::from_le_bytes(wide)
}

/// How many of the ascending numbers are at most `limit`.
#[inline]
fn at_most<const W: usize>(numbers: &[u8], limit: u64) -> usize {
    numbers.as_chunks::<W>().0.partition_point(|raw| number(raw) <= limit)
}

/// Whether the numbers ascend strictly.
fn ascend<const W: usize>(numbers: &[u8]) -> bool {
    numbers.as_chunks::<W>().0.is_sorted_by(|a, b| number(a) < number(b))
}

/// The little-endian number at four times `index`; 0 past the end.
#[inline]
pub(super) fn u32_at(bytes: &[u8], index: usize) -> u32 {
    let at = index * 4;
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}
