//! `bgpdump -m FILE | bgpdump_text COLLECTOR`: the lines of bgpdump as a source, straight into the inference.

use gonedark_infer::observation::{Named, PeerId, PeerKey, Update};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::{Inference, Watch};
use gonedark_route::{Asn, AsnSize, PathView, Time};
use std::io::{self, BufRead, Write};

/// The state of a session that is up (RFC 4271 section 8.2.2).
const ESTABLISHED: &str = "6";

fn main() -> anyhow::Result<()> {
    let countries = gonedark::country::load(&[], None, Time::MAX)?;
    let watch = Watch::default();
    let mut inference = Inference::new(Parameters::default(), Box::new(countries.table), watch, 1);
    let name = std::env::args().nth(1).unwrap_or_else(|| "bgpdump".into());
    let collector = inference.collector(&name);
    let (mut last, mut passed_over) = (Time::MIN, 0);
    for line in io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('|').collect();
        let told = (|| {
            let [_, at, what, address, asn, rest @ ..] = fields.as_slice() else { return None };
            let at = Time::from_seconds(at.split('.').next()?.parse().ok()?);
            let key = PeerKey { collector, asn: Asn(asn.parse().ok()?), address: address.parse().ok()? };
            let peer = inference.peer(key)?;
            tell(&mut inference, at, peer, (what, rest))?;
            Some(at)
        })();
        match told {
            Some(at) => last = last.max(at),
            None => passed_over += 1,
        }
    }
    let report = inference.report(last);
    let mut out = io::stdout().lock();
    for incident in &report.incidents {
        writeln!(out, "{} {} from {}", incident.id, incident.level.name(), incident.onset.vote)?;
    }
    writeln!(out, "{} incidents; {passed_over} lines of no use", report.incidents.len())?;
    Ok(())
}

/// One line: `A|...|prefix|path|...`, `W|...|prefix`, `STATE|...|old|new`.
fn tell(inference: &mut Inference, at: Time, peer: PeerId, (what, rest): (&str, &[&str])) -> Option<()> {
    let named = |text: &str, inference: &mut Inference| {
        Some([Named { network: inference.network(text.parse().ok()?)?, path_id: 0 }])
    };
    match (what, rest) {
        ("A", [prefix, path, ..]) => {
            let wire = as_path(path)?;
            let tail = Some(PathView::new(&wire, AsnSize::Four).tail());
            let announced = named(prefix, inference)?;
            inference.update(&Update { at, peer, tail, announced: &announced, withdrawn: &[] });
        }
        ("W", [prefix, ..]) => {
            let withdrawn = named(prefix, inference)?;
            inference.update(&Update { at, peer, tail: None, announced: &[], withdrawn: &withdrawn });
        }
        ("STATE", [old, new, ..]) if *old == ESTABLISHED || *new == ESTABLISHED => {
            inference.peer_state(at, peer, *new == ESTABLISHED);
        }
        ("STATE", _) => {}
        _ => return None,
    }
    Some(())
}

/// `3333 4837 131279` as the value of an AS_PATH attribute: one AS_SEQUENCE (RFC 4271 section 4.3).
fn as_path(text: &str) -> Option<Vec<u8>> {
    let asns: Vec<u32> = text.split(' ').map(|asn| asn.parse().ok()).collect::<Option<_>>()?;
    let mut wire = vec![2, u8::try_from(asns.len()).ok()?];
    wire.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    Some(wire)
}
