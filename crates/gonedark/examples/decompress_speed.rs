//! `decompress_speed FILE [REPETITIONS]`: wall time of the archive reader against the bare library, alternating in one run.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use gonedark::source::archive::{ArchiveReader, Format, Workers};

fn bare(path: &Path, format: Format) -> io::Result<u64> {
    let file = io::BufReader::with_capacity(128 << 10, std::fs::File::open(path)?);
    let mut reader: Box<dyn Read> = match format {
        Format::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Format::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        Format::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(file)),
        Format::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        Format::Plain => Box::new(file),
    };
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(total),
            n => total += n as u64,
        }
    }
}

fn ours(path: &Path, workers: &Workers) -> io::Result<u64> {
    let mut reader = ArchiveReader::open(path, workers)?;
    let (mut chunk, mut total) = (Vec::new(), 0);
    while reader.next_chunk(&mut chunk).map_err(io::Error::other)? {
        total += chunk.len() as u64;
    }
    reader.finish()?;
    Ok(total)
}

#[allow(clippy::disallowed_methods, reason = "it measures speed")]
fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        return Err(io::Error::other("usage: decompress_speed FILE [REPETITIONS]"));
    };
    let path = Path::new(&path);
    let repetitions = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(21);
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(16).read_to_end(&mut head)?;
    let format = Format::of(&head);
    let pools = [Workers::new(0), Workers::new(1), Workers::new(2)];
    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..repetitions {
        let start = Instant::now();
        let wanted = bare(path, format)?;
        times[0].push(start.elapsed());
        // What two cores can give at best: two files, each on a core of its own, and half of that time.
        let start = Instant::now();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| bare(path, format));
            bare(path, format)?;
            other.join().map_err(|_| io::Error::other("the library panicked"))?
        })?;
        times[4].push(start.elapsed() / 2);
        for (pool, times) in pools.iter().zip(&mut times[1..]) {
            let start = Instant::now();
            assert_eq!(ours(path, pool)?, wanted);
            times.push(start.elapsed());
        }
    }
    let mut bare_median = Duration::ZERO;
    for (name, mut times) in
        ["bare", "0 workers", "1 worker", "2 workers", "half of two"].into_iter().zip(times)
    {
        times.sort();
        let median = times[times.len() / 2];
        if name == "bare" {
            bare_median = median;
        }
        let ratio = median.as_secs_f64() / bare_median.as_secs_f64();
        writeln!(out, "{name:11} median {median:>10.2?}  fastest {:>10.2?}  ratio {ratio:.3}", times[0])?;
    }
    Ok(())
}
