//! What the exporters of a scenario tell of its floods: flows, cut and sampled as a router does it.

use super::check::{Checked, sourced};
use super::error::Place;
use super::netflow_writer::Capture;
use super::plan::{Attack, Exporter, Scenario};
use super::prng::SplitMix64;
use super::text::{AttackText, Document, ExporterText, ProtocolText};
use anyhow::{Context, Result};
use gonedark_route::{Flow, Time};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// A second in microseconds.
const SECOND: i64 = 1_000_000;
/// Ordinary traffic is told of for so long before the first flood and after the last.
const AROUND: i64 = 3_600 * SECOND;
/// A web client's share of what a server gets: it asks, and acknowledges. Guess.
const USUAL_BYTES: u64 = 120;
/// Clients of a server at a time. Guess.
const CLIENTS: u32 = 40;
/// The most records that a scenario may make: some 6 GB. Guess.
const MOST_RECORDS: i64 = 100_000_000;

/// What was written of traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Telemetry {
    /// A capture for each exporter.
    pub files: Vec<PathBuf>,
    /// Records in them.
    pub records: u64,
}

/// Takes exporters and floods from the text into the plan.
pub(crate) fn check(scenario: &mut Scenario, document: &Document, place: Place<'_>) -> Checked<()> {
    for text in &document.exporters {
        let exporter = exporter(text.get_ref(), place.at(text.span()))?;
        if scenario.exporters.iter().any(|other| other.name == exporter.name) {
            let what = format!("two exporters are named {}", exporter.name);
            return Err(place.at(text.span()).error(what, "rename one"));
        }
        scenario.exporters.push(exporter);
    }
    for text in &document.attacks {
        let attack = attack(text.get_ref(), place.at(text.span()))?;
        let records = |exporter: &Exporter| {
            i64::from(attack.sources) * ((attack.until - attack.at) / exporter.active_timeout + 1)
        };
        if scenario.exporters.iter().map(records).sum::<i64>() > MOST_RECORDS {
            let what = "more than 100 million records would tell of it";
            return Err(place.at(text.span()).error(what, "take fewer sources, or a longer active_timeout"));
        }
        scenario.attacks.push(attack);
    }
    if scenario.attacks.is_empty() != scenario.exporters.is_empty() {
        let what = "an [[attack]] needs an [[exporter]] that tells of it, and the other way round";
        return Err(place.error(what, "add what is missing"));
    }
    scenario.attacks.sort_by_key(|attack| attack.at);
    Ok(())
}

fn exporter(text: &ExporterText, place: Place<'_>) -> Checked<Exporter> {
    sourced(&text.source, place)?;
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if text.name.is_empty() || !text.name.chars().all(safe) {
        return Err(place.error("the exporter's name is no file name", "use letters, digits, - and _"));
    }
    if text.sampling == 0 || !(SECOND..=3_600 * SECOND).contains(&text.active_timeout.0) {
        let what = "`sampling` is 0, or `active_timeout` is not between 1s and 1h";
        return Err(place.error(what, "routers have 1 to 10000, and 60s to 30m"));
    }
    Ok(Exporter {
        name: text.name.clone(),
        address: address(&text.address, place)?,
        sampling: text.sampling,
        active_timeout: text.active_timeout.0,
        usual_pps: text.usual_pps,
    })
}

fn attack(text: &AttackText, place: Place<'_>) -> Checked<Attack> {
    sourced(&text.source, place)?;
    if text.lasts.0 < SECOND || text.targets.is_empty() || text.sources == 0 {
        return Err(place.error("a flood needs targets, sources and at least a second", "give each"));
    }
    if !(20..=65_535).contains(&text.packet_bytes) || text.peak_pps == 0 || text.peak_pps > 10_000_000_000 {
        return Err(place.error(
            "`packet_bytes` is not between 20 and 65535, or `peak_pps` not up to 10^10",
            "choose one within",
        ));
    }
    if text.protocol == ProtocolText::Icmp && (text.source_port.is_some() || text.target_port.is_some()) {
        return Err(place.error("ICMP has no ports", "take them out"));
    }
    Ok(Attack {
        at: text.at.0,
        until: text.at.0 + text.lasts.0,
        targets: text.targets.iter().map(|target| address(target, place)).collect::<Checked<_>>()?,
        protocol: text.protocol,
        ports: (text.source_port, text.target_port),
        packet_bytes: text.packet_bytes,
        peak_pps: text.peak_pps,
        sources: text.sources,
    })
}

fn address(text: &str, place: Place<'_>) -> Checked<Ipv4Addr> {
    text.parse().map_err(|_| place.error(format!("`{text}` is no IPv4 address"), "write it as 175.45.176.8"))
}

/// Writes what each exporter sends, as a capture of it at the collector, into `folder`.
///
/// # Errors
/// A folder or a file that cannot be written.
pub fn write_telemetry(scenario: &Scenario, folder: &Path) -> Result<Telemetry> {
    let mut telemetry = Telemetry::default();
    if scenario.exporters.is_empty() {
        return Ok(telemetry);
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (number, exporter) in scenario.exporters.iter().enumerate() {
        let path = folder.join(format!("{}.pcap", exporter.name));
        let written = |error| anyhow::Error::from(error).context(format!("cannot write {}", path.display()));
        let mut capture = Capture::create(&path, exporter).map_err(written)?;
        for (at, flows) in Exported::new(scenario, number) {
            capture.tell(at, &flows).map_err(written)?;
            telemetry.records += flows.len() as u64;
        }
        capture.finish().map_err(written)?;
        telemetry.files.push(path);
    }
    Ok(telemetry)
}

/// The flows of an exporter, by the moment at which it tells of them.
struct Exported<'a> {
    scenario: &'a Scenario,
    number: usize,
    /// Everybody who is attacked at some time.
    targets: BTreeSet<Ipv4Addr>,
    from: Time,
    until: Time,
    /// Packets that were not sampled yet, in parts of one that is.
    left: u64,
}

impl<'a> Exported<'a> {
    fn new(scenario: &'a Scenario, number: usize) -> Self {
        let first = scenario.attacks.iter().map(|attack| attack.at).min().unwrap_or_default();
        let last = scenario.attacks.iter().map(|attack| attack.until).max().unwrap_or_default();
        let targets = scenario.attacks.iter().flat_map(|attack| &attack.targets).copied().collect();
        Exported { scenario, number, targets, from: first + -AROUND, until: last + AROUND, left: 0 }
    }

    fn exporter(&self) -> &'a Exporter {
        &self.scenario.exporters[self.number]
    }

    /// Of so many packets those that are sampled; what is left over counts for the next.
    fn sampled(&mut self, packets: u64) -> u64 {
        let sampling = u64::from(self.exporter().sampling);
        self.left += packets;
        let sampled = self.left / sampling;
        self.left %= sampling;
        sampled
    }

    fn usual(&mut self, (from, until): (Time, Time), flows: &mut Vec<Flow>) {
        let exporter = self.exporter();
        let seconds = (until - from) as u64 / SECOND as u64;
        let each = u64::from(exporter.usual_pps) * seconds / u64::from(CLIENTS);
        for target in self.targets.clone() {
            let words = [2, self.number as u64, u64::from(u32::from(target)), from.micros() as u64];
            let mut lot = SplitMix64::stream(self.scenario.seed, &words);
            for _ in 0..if each == 0 { 0 } else { CLIENTS } {
                let packets = self.sampled(each);
                if packets > 0 {
                    flows.push(Flow {
                        source: IpAddr::V4(public(&mut lot)),
                        source_port: ephemeral(&mut lot),
                        target: IpAddr::V4(target),
                        target_port: 80,
                        protocol: 6,
                        // SYN, ACK, PSH, FIN: whole conversations.
                        tcp_flags: 0x1b,
                        is_fragment: false,
                        packets,
                        bytes: packets * USUAL_BYTES,
                        sampling: exporter.sampling,
                        begin: from,
                        end: until,
                    });
                }
            }
        }
    }

    fn flood(&mut self, attack: &Attack, place: u64, (from, until): (Time, Time), flows: &mut Vec<Flow>) {
        let (from, until) = (from.max(attack.at), until.min(attack.until));
        if until - from <= 0 {
            return;
        }
        let packets = attack.packets_until(until) - attack.packets_until(from);
        let each = packets / u64::from(attack.sources);
        // The same sources all the while.
        let mut lot = SplitMix64::stream(self.scenario.seed, &[1, place]);
        for source in 0..attack.sources {
            let (address, ports) = (public(&mut lot), attack.ports(&mut lot));
            let target = attack.targets[source as usize % attack.targets.len()];
            let packets = self.sampled(each);
            if packets > 0 {
                flows.push(attack.flow(
                    (address, target),
                    ports,
                    packets,
                    (from, until),
                    self.exporter().sampling,
                ));
            }
        }
    }
}

impl Iterator for Exported<'_> {
    type Item = (Time, Vec<Flow>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.from >= self.until {
            return None;
        }
        let slice = (self.from, self.from + self.exporter().active_timeout);
        let mut flows = Vec::new();
        self.usual(slice, &mut flows);
        let scenario = self.scenario;
        for (place, attack) in scenario.attacks.iter().enumerate() {
            self.flood(attack, place as u64, slice, &mut flows);
        }
        self.from = slice.1;
        Some((slice.1, flows))
    }
}

impl Attack {
    /// Packets sent before a moment: the rate grows for a tenth of the time, stands, and falls for a tenth.
    fn packets_until(&self, at: Time) -> u64 {
        let whole = (self.until - self.at) as f64;
        let ramp = whole / 10.0;
        let done = ((at - self.at) as f64).clamp(0.0, whole);
        // Microseconds at the full rate that come to as much.
        let grown = |time: f64| time.min(ramp).powi(2) / (2.0 * ramp);
        let fallen = (done - (whole - ramp)).max(0.0);
        let full = grown(done) + (done - ramp).clamp(0.0, whole - 2.0 * ramp) + fallen - grown(fallen);
        (full / SECOND as f64 * self.peak_pps as f64) as u64
    }

    fn ports(&self, lot: &mut SplitMix64) -> (u16, u16) {
        let (source, target) = (ephemeral(lot), ephemeral(lot));
        match self.protocol {
            // An echo request, as NetFlow writes it.
            ProtocolText::Icmp => (0, 8 << 8),
            _ => (self.ports.0.unwrap_or(source), self.ports.1.unwrap_or(target)),
        }
    }

    fn flow(
        &self,
        (source, target): (Ipv4Addr, Ipv4Addr),
        (source_port, target_port): (u16, u16),
        packets: u64,
        (begin, end): (Time, Time),
        sampling: u32,
    ) -> Flow {
        let (protocol, tcp_flags) = match self.protocol {
            ProtocolText::Syn => (6, 0x02),
            ProtocolText::Udp => (17, 0),
            ProtocolText::Icmp => (1, 0),
        };
        Flow {
            source: IpAddr::V4(source),
            target: IpAddr::V4(target),
            source_port,
            target_port,
            protocol,
            tcp_flags,
            is_fragment: false,
            packets,
            bytes: packets * u64::from(self.packet_bytes),
            sampling,
            begin,
            end,
        }
    }
}

/// An address that can be one of the Internet.
fn public(lot: &mut SplitMix64) -> Ipv4Addr {
    loop {
        let address = Ipv4Addr::from(lot.next() as u32);
        let [first, ..] = address.octets();
        if (1..224).contains(&first) && first != 127 && !address.is_private() {
            return address;
        }
    }
}

fn ephemeral(lot: &mut SplitMix64) -> u16 {
    // IANA's dynamic ports (RFC 6335).
    49_152 + lot.below(16_384) as u16
}
