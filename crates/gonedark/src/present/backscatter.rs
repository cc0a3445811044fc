//! What a telescope saw of attacks elsewhere, as text and JSON.

use super::traffic::{InputLine, packets};
use super::words::counted;
use super::{Gazetteer, times};
use gonedark_infer::entity::Entity;
use gonedark_infer::parameters::SECOND;
use gonedark_infer::traffic::backscatter::{BackscatterAttack, BackscatterParameters};
use serde::Serialize;
use std::io::{self, Write};

/// The version of the schema (docs/traffic-schema.md).
const SCHEMA: u32 = 1;

/// What no telescope sees, whatever its size.
const BLIND: &str = "No telescope sees reflection and amplification, attacks from real addresses, what is spread so thin over many \
                     victims that each answers too little, or what is shorter than the least duration; nobody is said to have \
                     sent what a victim answered.";

/// An attack, and whose address it went to.
pub struct Victim<'a> {
    /// What was seen.
    pub attack: &'a BackscatterAttack,
    /// The country that the address is delegated to.
    pub entity: Option<Entity>,
}

/// All that the forms are made from.
pub struct TelescopeCase<'a> {
    /// By protocol and victim.
    pub victims: Vec<Victim<'a>>,
    /// What was read.
    pub inputs: &'a [InputLine],
    /// Addresses of the telescope.
    pub addresses: u64,
    /// One in so many of a victim's answers arrives.
    pub scale: u64,
    /// The least that is seen, in packets a second that a victim answers.
    pub least_pps: u64,
    /// Packets, those of them that are no backscatter, those without room.
    pub counts: (u64, u64, u64),
    /// The rules in force.
    pub parameters: &'a BackscatterParameters,
    /// What countries are called.
    pub gazetteer: &'a dyn Gazetteer,
}

/// For people.
///
/// # Errors
/// Those of the writer.
pub fn text(out: &mut dyn Write, case: &TelescopeCase<'_>) -> io::Result<()> {
    let (all, others, refused) = case.counts;
    let answers = counted(all - others, "answer", "answers");
    let victims = match case.victims.len() as u64 {
        0 => "No address was".to_owned(),
        1 => "1 address was".to_owned(),
        many => format!("{} addresses were", times::grouped(many)),
    };
    let packets_in_all = counted(all, "packet", "packets");
    writeln!(
        out,
        "{victims} under a denial of service from forged sources, by {answers} among {packets_in_all}."
    )?;
    for Victim { attack, entity } in &case.victims {
        let place = entity.as_ref().and_then(|entity| case.gazetteer.name(entity));
        let place = place.map(|place| format!(" in {place}")).unwrap_or_default();
        writeln!(out, "\n{}{place}: {}", attack.victim, attack.flooded.name().to_uppercase())?;
        let end = if attack.is_over { "" } else { ", and still when the capture ended" };
        writeln!(out, "  {} to {}{end}", times::long_stamp(attack.first), times::long_stamp(attack.last))?;
        writeln!(
            out,
            "  {}, at most {} a minute; about {} at the victim, if all of IPv4 was forged alike",
            counted(attack.packets, "packet", "packets"),
            times::grouped(attack.most_per_minute),
            packets(attack.pps_at_victim),
        )?;
        writeln!(
            out,
            "  from {} of forged addresses{}",
            counted(attack.attacker_networks, "/16", "/16s"),
            ports(&attack.victim_ports)
        )?;
    }
    writeln!(
        out,
        "\nThe telescope has {}: one in {} of a victim's answers arrives, and a victim that answers fewer than {} is not seen.",
        counted(case.addresses, "address", "addresses"),
        times::grouped(case.scale),
        packets(case.least_pps),
    )?;
    let rules = case.parameters;
    writeln!(
        out,
        "An attack has at least {} packets in at least {} s, and {} of them within {} s (RSDoS, as CAIDA's corsaro has it).",
        rules.least_packets,
        rules.least_duration / SECOND,
        rules.least_in_window,
        rules.window / SECOND
    )?;
    if refused > 0 {
        writeln!(out, "{} had no room.", counted(refused, "packet", "packets"))?;
    }
    for input in case.inputs.iter().filter(|input| input.unread > 0 || input.damage.is_some()) {
        let why = input.damage.as_deref().unwrap_or("no IP packet, or not to the telescope");
        writeln!(out, "{}: {} passed over; {why}", input.path, counted(input.unread, "packet", "packets"))?;
    }
    writeln!(out, "{BLIND}")
}

fn ports(ports: &[u16]) -> String {
    match ports {
        [] => String::new(),
        [one] => format!("; port {one} answers"),
        [first, .., last] => format!("; {} ports from {first} to {last} answer", ports.len()),
    }
}

/// One object.
///
/// # Errors
/// Those of the writer.
pub fn json(out: &mut dyn Write, case: &TelescopeCase<'_>) -> io::Result<()> {
    let (packets, others, without_room) = case.counts;
    let document = Document {
        schema: SCHEMA,
        inputs: case.inputs,
        telescope: Telescope { addresses: case.addresses, scale: case.scale, least_pps: case.least_pps },
        packets,
        packets_of_no_victim: others,
        packets_without_room: without_room,
        attacks: case.victims.iter().map(|victim| AttackJson::of(victim, case.gazetteer)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// One attack a line.
///
/// # Errors
/// Those of the writer.
pub fn ndjson(out: &mut dyn Write, case: &TelescopeCase<'_>) -> io::Result<()> {
    case.victims.iter().try_for_each(|victim| line(out, victim, case.gazetteer))
}

/// One attack, on a line.
///
/// # Errors
/// Those of the writer.
pub fn line(out: &mut dyn Write, victim: &Victim<'_>, gazetteer: &dyn Gazetteer) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &AttackJson::of(victim, gazetteer))?;
    writeln!(out)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    inputs: &'a [InputLine],
    telescope: Telescope,
    packets: u64,
    packets_of_no_victim: u64,
    packets_without_room: u64,
    attacks: Vec<AttackJson<'a>>,
}

#[derive(Serialize)]
struct Telescope {
    addresses: u64,
    scale: u64,
    least_pps: u64,
}

#[derive(Serialize)]
struct AttackJson<'a> {
    victim: std::net::IpAddr,
    country: Option<String>,
    name: Option<String>,
    flooded: &'static str,
    first: String,
    last: String,
    ongoing: bool,
    packets: u64,
    bytes: u64,
    most_per_minute: u64,
    pps_at_victim: u64,
    attacker_networks: u64,
    victim_ports: &'a [u16],
    attacker_ports: &'a [u16],
    mismatches: u64,
}

impl<'a> AttackJson<'a> {
    fn of(victim: &Victim<'a>, gazetteer: &dyn Gazetteer) -> Self {
        let Victim { attack, entity } = victim;
        AttackJson {
            victim: attack.victim,
            country: entity.map(|entity| entity.code()),
            name: entity.as_ref().and_then(|entity| gazetteer.name(entity)),
            flooded: attack.flooded.name(),
            first: attack.first.to_string(),
            last: attack.last.to_string(),
            ongoing: !attack.is_over,
            packets: attack.packets,
            bytes: attack.bytes,
            most_per_minute: attack.most_per_minute,
            pps_at_victim: attack.pps_at_victim,
            attacker_networks: attack.attacker_networks,
            victim_ports: &attack.victim_ports,
            attacker_ports: &attack.attacker_ports,
            mismatches: attack.mismatches,
        }
    }
}
