mod support;
use gonedark_decode::mrt::{Decoder, records};
#[test]
fn dump() {
    let Ok(path) = std::env::var("DUMP") else { return };
    let bytes = support::unpack(std::path::Path::new(&path));
    let mut decoder = Decoder::new();
    for raw in records(&bytes) {
        match raw {
            Ok(raw) => {
                let (k, s, o) = (raw.kind, raw.subtype, raw.offset);
                println!("@{o} {k}/{s} {:?}", support::take_apart(&mut decoder, raw))
            }
            Err(e) => println!("FRAME {e}"),
        }
    }
}
