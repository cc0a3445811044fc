//! What the reader of compressed archives claims, on files made here.

use std::io::{Read, Write};
use std::path::Path;

use gonedark::source::archive::{ArchiveReader, Damage, Digest, Fault, Format, Workers};
use proptest::prelude::*;
use sha2::Digest as _;

const FORMATS: [Format; 5] = [Format::Plain, Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd];

/// Data that compresses about as well as routing data: words of a small dictionary between random bytes.
fn data(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut out = Vec::with_capacity(length + 16);
    while out.len() < length {
        let word = next();
        match word % 3 {
            0 => out.extend_from_slice(&word.to_be_bytes()),
            _ => out.extend_from_slice(format!("path {} ", word % 500).as_bytes()),
        }
    }
    out.truncate(length);
    out
}

fn compress(format: Format, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match format {
        Format::Plain => out.extend_from_slice(data),
        Format::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(6));
            encoder.write_all(data).expect("memory");
            encoder.finish().expect("memory");
        }
        // 100 kB blocks, so that small files have several.
        Format::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(&mut out, bzip2::Compression::new(1));
            encoder.write_all(data).expect("memory");
            encoder.finish().expect("memory");
        }
        Format::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(&mut out, 1);
            encoder.write_all(data).expect("memory");
            encoder.finish().expect("memory");
        }
        Format::Zstd => zstd::stream::copy_encode(data, &mut out, 3).expect("memory"),
    }
    out
}

struct Outcome {
    data: Vec<u8>,
    damage: Option<Damage>,
    digest: Digest,
}

fn read_path(path: &Path, workers: &Workers) -> Outcome {
    let mut reader = ArchiveReader::open(path, workers).expect("the file is there");
    let (mut data, mut chunk, mut damage) = (Vec::new(), Vec::new(), None);
    loop {
        match reader.next_chunk(&mut chunk) {
            Ok(true) => {
                assert!(!chunk.is_empty(), "a chunk holds something");
                data.extend_from_slice(&chunk);
            }
            Ok(false) => break,
            Err(found) => {
                assert_eq!(found.offset_out, data.len() as u64, "everything before the damage was delivered");
                assert!(damage.replace(found).is_none(), "one damage");
            }
        }
    }
    Outcome { data, damage, digest: reader.finish().expect("the file can be read to its end") }
}

fn read(file: &[u8], workers: &Workers) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("updates.20141222.1615.gz");
    std::fs::write(&path, file).expect("room on the disk");
    let outcome = read_path(&path, workers);
    assert_eq!(
        outcome.digest.sha256[..],
        sha2::Sha256::digest(file)[..],
        "the sha256 is that of the whole file"
    );
    assert_eq!(outcome.digest.length, file.len() as u64);
    assert!(!outcome.digest.grew);
    outcome
}

fn assert_whole(file: &[u8], wanted: &[u8], workers: &Workers, what: &str) {
    let outcome = read(file, workers);
    assert_eq!(outcome.damage, None, "{what}");
    assert!(outcome.data == wanted, "{what}: {} bytes for {}", outcome.data.len(), wanted.len());
}

#[test]
fn every_format_is_told_by_its_bytes_and_gives_its_data() {
    for threads in [0, 1, 3] {
        let workers = Workers::new(threads);
        for length in [0, 1, 5, 99_999, 1_500_000] {
            let wanted = data(length, 7);
            for format in FORMATS {
                assert_whole(
                    &compress(format, &wanted),
                    &wanted,
                    &workers,
                    &format!("{format:?} {length} {threads}"),
                );
            }
        }
    }
}

#[test]
fn members_one_after_the_other_are_one_file() {
    let workers = Workers::new(2);
    let parts = [data(300_000, 1), data(0, 2), data(7, 3), data(250_000, 4)];
    let wanted = parts.concat();
    for format in FORMATS {
        let file: Vec<u8> = parts.iter().flat_map(|part| compress(format, part)).collect();
        assert_whole(&file, &wanted, &workers, &format!("{format:?}"));
        assert_whole(&file, &wanted, &Workers::new(0), &format!("{format:?}"));
    }
}

#[test]
fn a_cut_at_any_byte_gives_what_was_before_it() {
    let parts = [data(900, 1), data(3, 2), data(1_200, 3)];
    let wanted = parts.concat();
    for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd] {
        let members: Vec<Vec<u8>> = parts.iter().map(|part| compress(format, part)).collect();
        let ends = members.iter().scan(0, |end, member| {
            *end += member.len();
            Some(*end)
        });
        let whole_at: Vec<usize> = ends.collect();
        let file = members.concat();
        for workers in [Workers::new(0), Workers::new(2)] {
            for cut in 0..file.len() {
                let outcome = read(&file[..cut], &workers);
                assert!(wanted.starts_with(&outcome.data), "{format:?} cut at {cut}");
                let is_whole = cut == 0 || whole_at.contains(&cut);
                let fault = outcome.damage.map(|damage| damage.fault);
                assert_eq!(fault, (!is_whole).then_some(Fault::Cut), "{format:?} cut at {cut}");
                // What came before the member that is cut is all there.
                let complete: usize = whole_at
                    .iter()
                    .zip(&parts)
                    .filter(|(end, _)| **end <= cut)
                    .map(|(_, part)| part.len())
                    .sum();
                assert!(outcome.data.len() >= complete, "{format:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn a_cut_loses_no_byte_that_the_decoder_could_give() {
    let wanted = data(1_000_000, 5);
    for format in [Format::Gzip, Format::Zstd] {
        let file = compress(format, &wanted);
        let outcome = read(&file[..file.len() * 9 / 10], &Workers::new(2));
        // 9/10 of the file is about 9/10 of the data, less one block of zstd (128 KiB).
        assert!(outcome.data.len() > 700_000, "{format:?}: {}", outcome.data.len());
    }
}

#[test]
fn a_cut_bzip2_file_gives_every_whole_block() {
    let wanted = data(1_000_000, 5);
    let file = compress(Format::Bzip2, &wanted);
    for threads in [0, 2] {
        let outcome = read(&file[..file.len() - 1], &Workers::new(threads));
        assert_eq!(outcome.damage.map(|damage| damage.fault), Some(Fault::Cut));
        assert!(outcome.data == wanted, "only the end of the stream is cut, not a block");
        let outcome = read(&file[..file.len() / 2], &Workers::new(threads));
        assert_eq!(outcome.damage.map(|damage| damage.fault), Some(Fault::Cut));
        assert!(wanted.starts_with(&outcome.data));
        assert!(outcome.data.len() > 390_000, "{}", outcome.data.len());
    }
}

#[test]
fn bytes_behind_the_last_member_are_named_and_nothing_is_lost() {
    let wanted = data(200_000, 9);
    for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd] {
        for threads in [0, 2] {
            let mut file = compress(format, &wanted);
            let end = file.len() as u64;
            file.extend_from_slice(b"<html>moved</html>");
            let outcome = read(&file, &Workers::new(threads));
            assert!(outcome.data == wanted, "{format:?}");
            let damage = outcome.damage.expect("garbage is named");
            assert_eq!((damage.fault, damage.offset_in), (Fault::Trailing, end), "{format:?}");
        }
    }
}

#[test]
fn zeros_behind_the_last_member_are_padding() {
    let wanted = data(200_000, 9);
    for format in [Format::Gzip, Format::Bzip2, Format::Xz, Format::Zstd] {
        for threads in [0, 2] {
            let mut file = compress(format, &wanted);
            file.resize(file.len() + 600_000, 0);
            assert_whole(&file, &wanted, &Workers::new(threads), &format!("{format:?}"));
            file.extend_from_slice(&compress(format, b"more"));
            assert_whole(
                &file,
                &[&wanted[..], b"more"].concat(),
                &Workers::new(threads),
                &format!("{format:?}"),
            );
        }
    }
}

#[test]
fn a_changed_bit_in_bzip2_never_gives_a_wrong_byte() {
    let wanted = data(400_000, 11);
    let file = compress(Format::Bzip2, &wanted);
    for threads in [0, 2] {
        let workers = Workers::new(threads);
        for at in (0..file.len()).step_by(file.len() / 60) {
            let mut changed = file.clone();
            changed[at] ^= 1 << (at % 8);
            let outcome = read(&changed, &workers);
            if at >= 4 {
                assert!(wanted.starts_with(&outcome.data), "bit changed in byte {at}");
                assert!(outcome.damage.is_some() || outcome.data == wanted, "bit changed in byte {at}");
            }
        }
    }
}

#[test]
fn what_follows_a_good_bzip2_block_is_named_where_it_is() {
    let wanted = data(1_000, 11);
    let file = compress(Format::Bzip2, &wanted);
    // The end of a stream is 48 bits of magic and 32 of a checksum, and fewer than eight that fill the last byte.
    let end = file.len() as u64 - 11;
    let mut changed = file.clone();
    changed[file.len() - 8] ^= 1;
    for threads in [0, 2] {
        let outcome = read(&changed, &Workers::new(threads));
        assert!(outcome.data == wanted);
        let damage = outcome.damage.expect("the magic is wrong");
        assert!(matches!(damage.fault, Fault::Corrupt(_)), "{damage}");
        assert!((end..=end + 1).contains(&damage.offset_in), "{damage}, in {} bytes", file.len());
    }
}

#[test]
fn a_changed_byte_is_damage_and_never_a_panic() {
    let wanted = data(60_000, 11);
    for format in [Format::Gzip, Format::Xz, Format::Zstd] {
        let file = compress(format, &wanted);
        for at in (0..file.len()).step_by(file.len() / 100) {
            let mut changed = file.clone();
            changed[at] = !changed[at];
            read(&changed, &Workers::new(1));
        }
    }
}

#[test]
fn runs_of_one_byte_are_streamed() {
    let wanted = vec![0; 100_000_000];
    for format in [Format::Gzip, Format::Bzip2] {
        let file = compress(format, &wanted);
        for threads in [0, 2] {
            assert_whole(&file, &wanted, &Workers::new(threads), &format!("{format:?}"));
        }
    }
}

#[test]
fn a_file_that_is_not_read_to_its_end_has_its_digest_too() {
    let file = compress(Format::Bzip2, &data(1_000_000, 5));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rib.20141222.1600.bz2");
    std::fs::write(&path, &file).expect("room on the disk");
    let digest =
        ArchiveReader::open(&path, &Workers::new(2)).expect("the file is there").finish().expect("readable");
    assert_eq!(digest.sha256[..], sha2::Sha256::digest(&file)[..]);
}

#[test]
fn a_folder_and_a_missing_file_are_errors_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(ArchiveReader::open(folder.path(), &Workers::new(1)).is_err());
    assert!(ArchiveReader::open(&folder.path().join("missing"), &Workers::new(1)).is_err());
}

#[test]
fn an_xz_file_that_wants_too_much_memory_is_refused() {
    let mut options = liblzma::stream::LzmaOptions::new_preset(0).expect("a preset");
    options.dict_size(512 << 20);
    let mut filters = liblzma::stream::Filters::new();
    filters.lzma2(&options);
    let mut stream = liblzma::stream::Stream::new_stream_encoder(&filters, liblzma::stream::Check::Crc64)
        .expect("an encoder");
    let mut file = Vec::with_capacity(1 << 10);
    stream.process_vec(b"small", &mut file, liblzma::stream::Action::Finish).expect("memory");
    let outcome = read(&file, &Workers::new(1));
    assert!(matches!(outcome.damage, Some(Damage { fault: Fault::Corrupt(_), .. })), "{:?}", outcome.damage);
}

/// Bits, most significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn push(&mut self, value: u64, count: usize) {
        for bit in (0..count).rev() {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            let last = self.bytes.len() - 1;
            self.bytes[last] |= ((value >> bit & 1) as u8) << (7 - self.count % 8);
            self.count += 1;
        }
    }
}

const BLOCK: u64 = 0x3141_5926_5359;
const END: u64 = 0x1772_4538_5090;

/// Writes a block whose Huffman codes are all 8 bits long, so that `symbols` stand in it as they are. 0xff ends a block.
fn push_block(bits: &mut Bits, crc: u32, symbols: &[u8]) {
    assert!(!symbols.contains(&0xff));
    bits.push(BLOCK, 48);
    bits.push(u64::from(crc), 32);
    bits.push(0, 1 + 24);
    // 254 byte values are in use, which makes 256 symbols with the two of runs less one, and the end.
    bits.push(0xffff, 16);
    bits.push(0x3fff, 16);
    (1..16).for_each(|_| bits.push(0xffff, 16));
    bits.push(2, 3);
    let selectors = (symbols.len() + 1).div_ceil(50);
    bits.push(selectors as u64, 15);
    (0..selectors).for_each(|_| bits.push(0, 1));
    for _ in 0..2 {
        bits.push(8, 5);
        (0..256).for_each(|_| bits.push(0, 1));
    }
    symbols.iter().for_each(|&symbol| bits.push(u64::from(symbol), 8));
    bits.push(0xff, 8);
}

fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| (crc << 1) ^ (0x04c1_1db7 * (crc >> 31)))
    })
}

/// A good file, as the library says, whose blocks hold `symbols`; and its data.
fn file_of_blocks(blocks: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
    let mut file = Bits::default();
    file.push(u64::from(u32::from_be_bytes(*b"BZh9")), 32);
    let (mut combined, mut wanted) = (0_u32, Vec::new());
    for symbols in blocks {
        // The library decodes a block with a wrong checksum before it says so.
        let mut alone = Bits::default();
        alone.push(u64::from(u32::from_be_bytes(*b"BZh9")), 32);
        push_block(&mut alone, 0, symbols);
        alone.push(END, 48);
        let mut block = Vec::with_capacity(2_000_000);
        let mut decoder = bzip2::Decompress::new(false);
        decoder.decompress_vec(&alone.bytes, &mut block).expect_err("the checksum is wrong");
        assert!(!block.is_empty());
        let crc = crc(&block);
        push_block(&mut file, crc, symbols);
        combined = combined.rotate_left(1) ^ crc;
        wanted.extend_from_slice(&block);
    }
    file.push(END, 48);
    file.push(u64::from(combined), 32);
    let mut decoded = Vec::new();
    bzip2::read::MultiBzDecoder::new(&file.bytes[..]).read_to_end(&mut decoded).expect("the file is good");
    assert!(decoded == wanted);
    (file.bytes, wanted)
}

/// Symbols without long runs, with `mark` among them so that it stands at every one of the eight bits in turn.
fn symbols_with(mark: u64, length: usize, seed: u64) -> Vec<u8> {
    let mut symbols: Vec<u8> = data(length, seed).into_iter().map(|byte| (byte % 250) + 2).collect();
    for (turn, at) in (50..length - 20).step_by(101).enumerate() {
        let shift = turn % 8;
        let mut bits = Bits::default();
        bits.push(0x55, shift);
        bits.push(mark, 48);
        bits.push(0x55, 8 - shift);
        if !bits.bytes.contains(&0xff) {
            symbols[at..at + bits.bytes.len()].copy_from_slice(&bits.bytes);
        }
    }
    symbols
}

#[test]
fn a_mark_of_a_block_inside_a_block_changes_nothing() {
    for mark in [BLOCK, END] {
        let plain = data(3_000, 3).into_iter().map(|byte| (byte % 250) + 2).collect::<Vec<u8>>();
        let (file, wanted) = file_of_blocks(&[
            plain.clone(),
            symbols_with(mark, 3_000, 1),
            plain,
            symbols_with(mark, 2_000, 2),
        ]);
        for threads in [0, 1, 2, 5] {
            let workers = Workers::new(threads);
            assert_whole(&file, &wanted, &workers, &format!("{mark:x} {threads}"));
            // And in the middle of other streams.
            let more = compress(Format::Bzip2, b"more");
            let both = [&more[..], &file, &more].concat();
            assert_whole(
                &both,
                &[b"more", &wanted[..], b"more"].concat(),
                &workers,
                &format!("{mark:x} {threads}"),
            );
        }
    }
}

#[test]
fn a_wrong_checksum_of_the_stream_is_named_and_nothing_is_lost() {
    let wanted = data(250_000, 9);
    for threads in [0, 2] {
        let mut file = compress(Format::Bzip2, &wanted);
        let at = file.len() - 3;
        file[at] ^= 0x40;
        let outcome = read(&file, &Workers::new(threads));
        assert!(outcome.data == wanted);
        assert!(matches!(outcome.damage, Some(Damage { fault: Fault::Corrupt(_), .. })));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_cut_off_the_rest_is_a_prefix_of_the_truth(
        format in prop::sample::select(FORMATS.to_vec()),
        lengths in prop::collection::vec(0_usize..260_000, 1..4),
        seed in any::<u64>(),
        cut in 0.0..1.0_f64,
        threads in 0_usize..4,
    ) {
        let parts: Vec<Vec<u8>> = lengths.iter().map(|&length| data(length, seed)).collect();
        let file: Vec<u8> = parts.iter().flat_map(|part| compress(format, part)).collect();
        let cut = (file.len() as f64 * cut) as usize;
        let outcome = read(&file[..cut], &Workers::new(threads));
        prop_assert!(parts.concat().starts_with(&outcome.data));
        if format == Format::Bzip2 {
            // Threads are never seen in the output.
            let alone = read(&file[..cut], &Workers::new(0));
            prop_assert_eq!(alone.data, outcome.data);
            prop_assert_eq!(alone.damage, outcome.damage);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        mark in prop::sample::select(vec![&b"\x1f\x8b\x08\x00"[..], b"BZh9\x31\x41\x59\x26\x53\x59", b"BZh9",
            b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b""]),
        noise in prop::collection::vec(any::<u8>(), 0..2_000),
        threads in 0_usize..3,
    ) {
        read(&[mark, &noise].concat(), &Workers::new(threads));
    }
}
