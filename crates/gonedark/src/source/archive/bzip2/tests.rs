//! The block decoder held against the library's.

use std::io::{Read, Write};

use proptest::prelude::*;

use super::block::{BlockFault, Decoders, MAX_BLOCK};
use super::crc;
use super::serial::combine;
use super::window::{BLOCK, END, MAGIC_BITS};

/// The first block's magic is behind "BZh" and the level.
const FIRST: u64 = 32;

/// More than any block here holds.
const LIMIT: usize = 48 << 20;

fn packed(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(data).expect("memory");
    encoder.finish().expect("memory")
}

#[allow(clippy::disallowed_types, reason = "exactly one stream is asked about")]
fn by_library(file: &[u8]) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    bzip2::bufread::BzDecoder::new(file).read_to_end(&mut data).ok().map(|_| data)
}

fn bits(file: &[u8], first: u64, count: u64) -> u64 {
    (first..first + count).fold(0, |value, bit| {
        let byte = file.get((bit / 8) as usize).copied().unwrap_or_default();
        value << 1 | u64::from(byte >> (7 - bit % 8) & 1)
    })
}

/// The data of a stream; nothing if something is wrong with it.
fn by_us(file: &[u8], decoders: &Decoders) -> Option<Vec<u8>> {
    let (mut data, mut block, mut at, mut combined) = (Vec::new(), Vec::new(), FIRST, 0);
    while bits(file, at, MAGIC_BITS) == BLOCK {
        block.clear();
        let length = decoders.decode(file, at, &mut block, LIMIT).ok()?;
        data.extend_from_slice(&block);
        combined = combine(combined, bits(file, at + MAGIC_BITS, 32) as u32);
        at += length;
    }
    let is_end = bits(file, at, MAGIC_BITS) == END;
    (is_end && bits(file, at + MAGIC_BITS, 32) == u64::from(combined)).then_some(data)
}

/// A different number at each call, the same in each run.
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 8
    }
}

fn assert_same(data: &[u8], level: u32, decoders: &Decoders) {
    let file = packed(data, level);
    assert!(
        by_us(&file, decoders).as_deref() == Some(data),
        "{} bytes at level {level}, beginning {:?}",
        data.len(),
        &data[..data.len().min(20)]
    );
}

#[test]
fn small_and_regular_data_comes_back() {
    let decoders = Decoders::default();
    let all: Vec<u8> = (0..=255).collect();
    assert_same(b"", 9, &decoders);
    for byte in 0..=255 {
        assert_same(&[byte], 9, &decoders);
    }
    assert_same(&all, 1, &decoders);
    assert_same(&all.repeat(5_000), 9, &decoders);
    // Rotations that are equal: the rows are several cycles.
    for period in 1..40 {
        assert_same(&all[..period].repeat(300), 9, &decoders);
    }
}

#[test]
fn runs_of_every_length_come_back() {
    let decoders = Decoders::default();
    for length in (1..=530).chain([900_000, 3_000_000]) {
        let run = vec![7; length];
        assert_same(&run, 9, &decoders);
        assert_same(&[b"ab", &run[..], b"ba", &run[..]].concat(), 9, &decoders);
    }
}

#[test]
fn several_blocks_of_every_level_come_back() {
    let decoders = Decoders::default();
    for level in 1..=9 {
        let mut next = random(u64::from(level));
        let length = 250_000 * level as usize;
        let noise: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        assert_same(&noise, level, &decoders);
        let words: Vec<u8> = (0..length / 12)
            .flat_map(|_| format!("{} \0\0\0\0\0{} ", next() % 700, next() % 9).into_bytes())
            .collect();
        assert_same(&words, level, &decoders);
        // Skewed, so that codes of all lengths occur, and the longest are long.
        let skewed: Vec<u8> = (0..length).map(|_| (next() | 1 << 40).trailing_zeros() as u8).collect();
        assert_same(&skewed, level, &decoders);
    }
}

#[test]
fn a_changed_bit_is_judged_as_by_the_library() {
    let decoders = Decoders::default();
    let mut next = random(3);
    let data: Vec<u8> = (0..400).flat_map(|_| format!("{} \0\0\0\0\0\0", next() % 40).into_bytes()).collect();
    let file = packed(&data, 1);
    for bit in FIRST as usize..file.len() * 8 {
        let mut changed = file.clone();
        changed[bit / 8] ^= 0x80 >> (bit % 8);
        assert!(by_us(&changed, &decoders) == by_library(&changed), "bit {bit}");
    }
}

/// The library's data of a file whose checksum is wrong, and the file with the right one.
fn with_right_checksum(mut file: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let mut data = Vec::with_capacity(4 << 20);
    // It gives the data before it looks at the checksum.
    let _ = bzip2::Decompress::new(false).decompress_vec(&file, &mut data);
    file[10..14].copy_from_slice(&crc::checksum(&data).to_be_bytes());
    (file, data)
}

/// Where the flag of blocks that were slow to sort is, in the first block.
const RANDOMISED: (usize, u8) = (14, 0x80);

#[test]
fn a_randomised_block_is_read_as_by_the_library() {
    let mut next = random(5);
    for length in [1, 500, 617, 618, 619, 100_000, 890_000] {
        let data: Vec<u8> = (0..length).map(|_| next() as u8 | 2).collect();
        let mut file = packed(&data, 9);
        file[RANDOMISED.0] ^= RANDOMISED.1;
        let (file, wanted) = with_right_checksum(file);
        let mut out = Vec::new();
        assert!(Decoders::default().decode(&file, FIRST, &mut out, LIMIT).is_ok(), "{length} bytes");
        assert!(out == wanted, "{length} bytes");
        assert!(length < 618 || out != data, "{length} bytes");
    }
}

#[test]
fn a_block_that_is_cut_is_short_and_a_limit_is_kept() {
    let decoders = Decoders::default();
    let mut next = random(9);
    let data: Vec<u8> = (0..3_000).map(|_| (next() % 60) as u8).collect();
    let file = packed(&data, 9);
    let mut out = Vec::new();
    let whole = decoders.decode(&file, FIRST, &mut out, LIMIT).expect("a good block");
    for length in 0..file.len() {
        out.clear();
        let decoded = decoders.decode(&file[..length], FIRST, &mut out, LIMIT);
        let is_whole = length as u64 * 8 >= FIRST + whole;
        assert_eq!(decoded, if is_whole { Ok(whole) } else { Err(BlockFault::Short) }, "{length} bytes");
    }
    out.clear();
    assert_eq!(decoders.decode(&file, FIRST, &mut out, 2_999), Err(BlockFault::TooLong));
}

/// Writes bits, the most significant first.
#[derive(Default)]
struct Writer(Vec<bool>);

impl Writer {
    fn push(&mut self, value: u64, count: u32) {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn bytes(&self) -> Vec<u8> {
        let byte =
            |bits: &[bool]| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(bits.get(bit) == Some(&true)));
        self.0.chunks(8).map(byte).collect()
    }
}

/// A block of any symbols and lengths of codes, most of them nonsense.
fn block_of(used: u16, lengths: &[u8], selectors: &[u8], symbols: &[u8], origin: u32) -> Writer {
    let mut file = Writer::default();
    file.push(u64::from(u32::from_be_bytes(*b"BZh9")), 32);
    file.push(BLOCK, 48);
    file.push(0, 32 + 1);
    file.push(u64::from(origin), 24);
    file.push(0x8000, 16);
    file.push(u64::from(used), 16);
    file.push(2, 3);
    file.push(selectors.len() as u64, 15);
    selectors.iter().for_each(|&rank| file.push(if rank == 0 { 0 } else { 2 }, u32::from(rank) + 1));
    for _ in 0..2 {
        let mut last = lengths[0];
        file.push(u64::from(last), 5);
        for place in 0..used.count_ones() as usize + 2 {
            let length = lengths[place % lengths.len()];
            while last != length {
                file.push(if last < length { 2 } else { 3 }, 2);
                last = if last < length { last + 1 } else { last - 1 };
            }
            file.push(0, 1);
        }
    }
    symbols.iter().for_each(|&eight| file.push(u64::from(eight), 8));
    file
}

/// The same data as the library's, if it gives any.
fn assert_as_library(file: Vec<u8>, decoders: &Decoders) {
    let (file, wanted) = with_right_checksum(file);
    let mut out = Vec::new();
    let decoded = decoders.decode(&file, FIRST, &mut out, LIMIT);
    if decoded.is_ok() {
        assert!(out == wanted);
    } else {
        // Of a run without its number the library gives something before it refuses the block.
        let last = wanted.last_chunk::<4>();
        assert!(
            wanted.is_empty() || last.is_some_and(|four| four.iter().all(|byte| *byte == four[0])),
            "{decoded:?}, but {} bytes by the library {wanted:?}",
            wanted.len()
        );
    }
}

#[test]
fn a_run_without_its_number_is_refused_as_by_the_library() {
    // Two values in use, codes of one to three bits for the two digits, a value and the end; a run of four, or five.
    for (digits, is_good) in [(0b100_u64, false), (0b010, true)] {
        let mut file = block_of(0xc000, &[1, 2, 3, 3], &[0], &[], 0);
        file.push(digits << 3 | 7, 6);
        let (_, data) = with_right_checksum(file.bytes());
        file.push(END, 48);
        file.push(u64::from(crc::checksum(&data)), 32);
        let (file, _) = with_right_checksum(file.bytes());
        let wanted = is_good.then_some(vec![0; 4]);
        assert_eq!(by_library(&file), wanted);
        assert_eq!(by_us(&file, &Decoders::default()), wanted);
    }
}

#[test]
fn a_block_longer_than_the_largest_is_refused_as_by_the_library() {
    // As above; with so many digits of either kind.
    for digits in [18, 19, 20, 21, 22, 30] {
        for (digit, length) in [(0, 1), (2, 2)] {
            let mut file = block_of(0xc000, &[1, 2, 3, 3], &[0], &[], 0);
            (0..digits).for_each(|_| file.push(digit, length));
            file.push(7, 3);
            assert_as_library(file.bytes(), &Decoders::default());
        }
    }
    const { assert!((1 << 19) - 1 < MAX_BLOCK && MAX_BLOCK < (1 << 20) - 1) };
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_the_library_packs_comes_back(
        words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..20),
        order in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..300), 0..400),
        level in 1_u32..=9,
    ) {
        let mut data = Vec::new();
        for (word, run) in order {
            let word = word.get(&words);
            data.extend_from_slice(word);
            data.resize(data.len() + run % (1 + run / 100 * 100), word.first().copied().unwrap_or_default());
        }
        let file = packed(&data, level);
        prop_assert!(by_us(&file, &Decoders::default()) == Some(data));
    }

    #[test]
    fn arbitrary_codes_and_symbols_are_read_as_by_the_library(
        used in 1_u16..,
        lengths in prop::collection::vec(prop_oneof![9 => 1_u8..6, 1 => 1_u8..=20], 1..20),
        selectors in prop::collection::vec(0_u8..2, 1..60),
        symbols in prop::collection::vec(any::<u8>(), 0..600),
        origin in 0_u32..40,
    ) {
        let file = block_of(used, &lengths, &selectors, &symbols, origin);
        assert_as_library(file.bytes(), &Decoders::default());
    }

    #[test]
    fn arbitrary_bytes_behind_a_magic_are_judged_as_by_the_library(
        noise in prop::collection::vec(any::<u8>(), 0..600),
        few in prop::collection::vec(any::<u8>(), 2),
    ) {
        // Few values in use, else nearly all noise fails at once.
        let file = [&b"BZh9\x31\x41\x59\x26\x53\x59\0\0\0\0\0\0\0"[..], &few, &noise].concat();
        let decoders = Decoders::default();
        prop_assert_eq!(by_us(&file, &decoders), by_library(&file));
    }
}
