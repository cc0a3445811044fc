//! The bodies of the fuzz targets over a seed corpus, which is written out for the fuzzer where its folder is.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "it is a library there and a module here")]
mod fuzz;
mod support;

use std::path::Path;
use support::seeds;

#[test]
fn no_seed_nor_any_cut_or_flipped_form_of_it_breaks_a_promise_of_the_decoder() {
    for (target, body) in [
        ("mrt", fuzz::mrt as fn(&[u8])),
        ("bgp_update", fuzz::bgp_update),
        ("bmp", fuzz::bmp),
        ("ris_live", fuzz::ris_live),
        ("delegated", fuzz::delegated),
        ("flow", fuzz::flow),
        ("packet", fuzz::packet),
    ] {
        let seeds = seeds::of(target);
        for (_, bytes) in &seeds {
            body(bytes);
            for at in 0..bytes.len().min(400) {
                body(&bytes[..at]);
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << (at % 8);
                body(&flipped);
                flipped[at] = 0xFF;
                body(&flipped);
            }
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
        if folder.is_dir() {
            let folder = folder.join("seeds").join(target);
            std::fs::create_dir_all(&folder).unwrap();
            for (name, bytes) in seeds {
                std::fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }
}
