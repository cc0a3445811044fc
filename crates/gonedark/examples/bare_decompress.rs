//! `bare_decompress FILE...`: what the libraries alone need, in one thread; the measure that a replay is held against.
//!
//! The crates of `source::archive`, and for bz2 the library that its own decoder replaces; each file is read to its end into one buffer, and nothing done with it.

use std::io::{self, BufReader, Read, Write};

fn main() -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0_u64;
    for path in std::env::args().skip(1) {
        let file = BufReader::with_capacity(128 << 10, std::fs::File::open(&path)?);
        let mut reader: Box<dyn Read> = match path.rsplit('.').next() {
            Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Some("bz2") => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
            _ => Box::new(file),
        };
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                read => total += read as u64,
            }
        }
    }
    writeln!(io::stdout(), "{total} bytes")
}
