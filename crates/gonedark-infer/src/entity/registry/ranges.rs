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
        let (mut from, mut until) = (self.start(bucket), self.start(bucket + 1));
        let low = key & self.low_mask();
        while from < until {
            let middle = from.midpoint(until);
            if self.low(middle) <= low {
                from = middle + 1;
            } else {
                until = middle;
            }
        }
        from.checked_sub(1)
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
            if (from + 1..until).any(|position| self.low(position - 1) >= self.low(position)) {
                return Err("cuts do not ascend");
            }
            from = until;
        }
        if from != self.countries.len() {
            return Err("cuts outside every bucket");
        }
        if self.countries.iter().any(|country| usize::from(*country) > countries) {
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

    #[inline]
    fn low(&self, position: usize) -> u64 {
        let at = position * self.low_bytes;
        match self.lows.get(at..at + self.low_bytes) {
            Some([a, b]) => u64::from(u16::from_le_bytes([*a, *b])),
            Some([a, b, c, d, e, f]) => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, 0, 0]),
            _ => 0,
        }
    }
}

/// The little-endian number at four times `index`; 0 past the end.
#[inline]
pub(super) fn u32_at(bytes: &[u8], index: usize) -> u32 {
    let at = index * 4;
    bytes.get(at..at + 4).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes)
}
