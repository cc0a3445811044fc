use flate2::{Decompress, FlushDecompress};
use liblzma::stream::{Action, Stream};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::reader::Format;

/// The most memory that an xz member may ask for, in bytes. `xz -9` needs 65 MiB to decompress (xz(1)); a file that
/// asks for more was not written by an archive.
const XZ_MEMORY: u64 = 128 << 20;

/// What one step of decompression did.
pub(super) enum Step {
    /// The member goes on; without progress it wants more input.
    More,
    /// The member is complete and its checksum, where the format has one, is right.
    End,
}

/// One member (gzip), stream (xz) or frame (zstd): files are any number of them one after the other.
///
/// The libraries' raw interface is used and not their readers, because a reader drops what it had decoded in the
/// same call before it met the damage.
pub(super) enum Member {
    Plain,
    Gzip(Box<Decompress>),
    Xz(Box<Stream>),
    Zstd(Box<Decoder<'static>>),
}

impl Member {
    /// A decoder at the start of a member. An error says why the library could not give one.
    pub(super) fn new(format: Format) -> Result<Self, String> {
        match format {
            Format::Plain | Format::Bzip2 => Ok(Member::Plain),
            Format::Gzip => Ok(Member::Gzip(Box::new(Decompress::new_gzip(15)))),
            Format::Xz => match Stream::new_stream_decoder(XZ_MEMORY, 0) {
                Ok(stream) => Ok(Member::Xz(Box::new(stream))),
                Err(error) => Err(error.to_string()),
            },
            Format::Zstd => match Decoder::new() {
                Ok(decoder) => Ok(Member::Zstd(Box::new(decoder))),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Decompresses from `input` into the spare capacity of `out`; gives the bytes of `input` used, and what came of it.
    /// Whatever was decoded before an error is in `out`.
    pub(super) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> (usize, Result<Step, String>) {
        match self {
            Member::Plain => {
                let taken = input.len().min(out.capacity() - out.len());
                out.extend_from_slice(&input[..taken]);
                (taken, Ok(Step::More))
            }
            Member::Gzip(inflate) => {
                let before = inflate.total_in();
                let result = inflate.decompress_vec(input, out, FlushDecompress::None);
                let step = match result {
                    Ok(flate2::Status::StreamEnd) => Ok(Step::End),
                    Ok(_) => Ok(Step::More),
                    Err(error) => Err(error.to_string()),
                };
                ((inflate.total_in() - before) as usize, step)
            }
            Member::Xz(stream) => {
                let before = stream.total_in();
                let result = stream.process_vec(input, out, Action::Run);
                let step = match result {
                    Ok(liblzma::stream::Status::StreamEnd) => Ok(Step::End),
                    Ok(_) => Ok(Step::More),
                    Err(error) => Err(error.to_string()),
                };
                ((stream.total_in() - before) as usize, step)
            }
            Member::Zstd(decoder) => {
                let filled = out.len();
                let mut source = InBuffer::around(input);
                let mut target = OutBuffer::around_pos(out, filled);
                let step = match decoder.run(&mut source, &mut target) {
                    Ok(0) => Ok(Step::End),
                    Ok(_) => Ok(Step::More),
                    Err(error) => Err(error.to_string()),
                };
                (source.pos(), step)
            }
        }
    }
}
