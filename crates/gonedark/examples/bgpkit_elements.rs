//! `bgpkit_elements FILE...`: bgpkit-parser over the same files, element by element, counted.
//!
//! It is given the same decompressors as `bare_decompress`, so that only the reading of records is compared.

use bgpkit_parser::BgpkitParser;
use std::io::{self, BufReader, Read, Write};

fn main() -> io::Result<()> {
    let mut elements = 0_u64;
    for path in std::env::args().skip(1) {
        let file = BufReader::with_capacity(128 << 10, std::fs::File::open(&path)?);
        let reader: Box<dyn Read + Send> = match path.rsplit('.').next() {
            Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Some("bz2") => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
            _ => Box::new(file),
        };
        // As its own opening of a file does, it reads through a buffer.
        elements +=
            BgpkitParser::from_reader(BufReader::with_capacity(256 << 10, reader)).into_iter().count() as u64;
    }
    writeln!(io::stdout(), "{elements} elements")
}
