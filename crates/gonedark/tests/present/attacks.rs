//! Attacks beside outages, in the picture and on the page: dated facts on one axis, and never a cause.

use crate::fixtures::{self, Fixture, Told, at, country};
use crate::golden::{golden, page};
use gonedark::present::evidence::COINCIDENCE;
use gonedark::present::traffic::{ExporterLine, InputLine};
use gonedark::present::{evidence, graph, text};
use gonedark_infer::report::Interval;
use gonedark_infer::traffic::kind::Misuse;
use gonedark_infer::traffic::report::*;
use gonedark_route::Time;

/// An attack on an address of North Korea with UDP to port 80; a begin or end of two moments is known no better.
fn attack(target: &str, start: [&str; 2], stop: Option<[&str; 2]>, mbps: u64) -> Attack {
    let interval = |[earliest, latest]: [&str; 2]| Interval { earliest: at(earliest), latest: at(latest) };
    let target = match target.parse() {
        Ok(address) => Target::Host(address),
        Err(_) => Target::Block(target.parse().expect("a prefix")),
    };
    let peak = Rate { pps: mbps * 280, bps: mbps * 1_000_000 };
    Attack {
        id: format!("attack-{target}-{}", start[1]),
        alert_type: AlertType::Host,
        target,
        entities: vec![country("KP")],
        family: None,
        direction: Direction::Inbound,
        start: interval(start),
        detected: at(start[1]) + 1_000_000,
        stop: stop.map(interval),
        is_fast: false,
        impact: Impact { peak, mean: peak, packets: 1_000_000, bytes: 450_000_000 },
        severity: Severity {
            percent: 900,
            threshold: 200_000_000,
            unit: Unit::Bits,
            misuse: Misuse::UdpFlood,
        },
        misuses: vec![Misuse::UdpFlood],
        vectors: vec![vector(VectorKind::UdpTo { port: 80 }, 1000)],
        sources: Estimate { value: 1_503, error_permille: 20 },
        targets: Estimate { value: 1, error_permille: 0 },
        top_targets: Vec::new(),
        top_ports: vec![(80, 1_000_000)],
        coverage: Coverage { exporters: vec![0], records: 900, lost: 0, sampling: (1_000, 1_000) },
        part_of: None,
    }
}

fn vector(kind: VectorKind, permille: u32) -> Vector {
    Vector { kind, packets: u64::from(permille) * 1_000, bytes: u64::from(permille) * 450_000, permille }
}

/// One from `first` to `last`, known to the second.
fn known(target: &str, first: &str, last: &str, mbps: u64) -> Attack {
    attack(target, [first; 2], Some([last; 2]), mbps)
}

/// The course of December 2014, with attacks that lie to it in every way: before the window, before the outage, across
/// its begin with begin and end in doubt, within, and going on; and one on somebody else.
fn attacked() -> Fixture {
    let mut fixture = fixtures::north_korea();
    let mut carpet = attack(
        "175.45.176.0/24",
        ["2014-12-21T06:00:00Z", "2014-12-21T13:00:00Z"],
        Some(["2014-12-22T20:00:00Z", "2014-12-23T02:00:00Z"]),
        1_800,
    );
    carpet.alert_type = AlertType::CarpetBombing;
    carpet.vectors = vec![
        vector(VectorKind::Amplification { port: 123 }, 812),
        vector(VectorKind::Amplification { port: 1900 }, 188),
    ];
    let mut elsewhere = known("192.0.2.7", "2014-12-22T10:00:00Z", "2014-12-22T10:05:00Z", 300);
    elsewhere.entities = vec![country("NL")];
    elsewhere.vectors.clear();
    let mut part = known("175.45.176.9", "2014-12-21T14:00:00Z", "2014-12-22T15:00:00Z", 900);
    part.part_of = Some(carpet.id.clone());
    let attacks = vec![
        known("175.45.176.8", "2014-12-19T10:00:00Z", "2014-12-19T10:40:00Z", 21),
        known("175.45.176.67", "2014-12-20T12:30:30Z", "2014-12-20T13:08:30Z", 5_970),
        carpet,
        part,
        elsewhere,
        known("175.45.176.10", "2014-12-22T18:00:00Z", "2014-12-22T19:00:00Z", 900),
        attack("175.45.176.77", ["2014-12-23T15:50:00Z"; 2], None, 1_270),
    ];
    let deaf = |exporter, from, until, reason, lost| Deaf {
        exporter,
        from: at(from),
        until: at(until),
        reason,
        lost,
    };
    let status = |exporter| ExporterStatus {
        exporter,
        records: 1_000,
        lost: 0,
        behind: 0,
        too_old_packets: 0,
        too_old_bytes: 0,
        heard: at("2014-12-24T12:00:00Z"),
    };
    let report = TrafficReport {
        window: Some((at("2014-12-19T00:00:00Z"), at("2014-12-24T12:00:00Z"))),
        attacks,
        deaf: vec![
            deaf(0, "2014-12-21T00:00:00Z", "2014-12-21T04:00:00Z", DeafReason::Silent, 0),
            deaf(0, "2014-12-22T03:00:00Z", "2014-12-22T03:00:10Z", DeafReason::Lost, 1_204),
            deaf(1, "2014-12-21T01:00:00Z", "2014-12-21T06:00:00Z", DeafReason::Silent, 0),
        ],
        exporters: vec![status(0), status(1)],
        records: 794_321,
        ..TrafficReport::default()
    };
    let line = |address: &str, formats: Vec<&'static str>, missed| ExporterLine {
        address: address.to_owned(),
        formats,
        records: 397_160,
        sampling: 1_000,
        sampling_from: "options",
        missed,
        ..ExporterLine::default()
    };
    let exporters = vec![line("192.0.2.1", vec!["NetFlow v9"], 1_204), line("192.0.2.2", vec!["IPFIX"], 0)];
    let input = InputLine {
        path: "flows/upstream.pcap".into(),
        packets: 31_204,
        used: 31_204,
        ..InputLine::default()
    };
    fixture.traffic = Some(Told { report, exporters, inputs: vec![input] });
    fixture
}

fn attacks_of(fixture: &mut Fixture) -> &mut Vec<Attack> {
    &mut fixture.traffic.as_mut().expect("told").report.attacks
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// `GONEDARK_SHOW=folder` keeps the picture and the page, so that they can be looked at.
#[test]
fn picture_and_page_with_attacks_are_as_they_were() {
    let fixture = attacked();
    golden("attacked.svg", graph::svg(&fixture.case()).as_bytes());
    golden("attacked.html", page(&fixture).as_bytes());
    if let Some(folder) = std::env::var_os("GONEDARK_SHOW") {
        let folder = std::path::PathBuf::from(folder);
        std::fs::write(folder.join("attacked.html"), page(&fixture)).expect("written");
        #[cfg(feature = "png")]
        for (name, fixture) in [("attacked", fixture), ("crowded", crowded()), ("several", several())] {
            let png = graph::png(&fixture.case()).expect("a picture");
            std::fs::write(folder.join(format!("{name}.png")), png).expect("written");
        }
    }
}

#[test]
fn without_flows_nothing_is_drawn_or_said_of_attacks() {
    let fixture = fixtures::north_korea();
    for form in [graph::svg(&fixture.case()), page(&fixture)] {
        assert!(!form.contains("attack") && !form.contains(COINCIDENCE));
    }
}

#[test]
fn only_attacks_that_bear_on_the_entity_are_drawn_and_parts_are_left_to_the_whole() {
    let mut fixture = attacked();
    let svg = graph::svg(&fixture.case());
    assert!(svg.contains("5 denials of service beside the outages of North Korea<"), "{svg}");
    assert_eq!(count(&svg, "<g>"), 5);
    assert!(!svg.contains("192.0.2.7") && !svg.contains("175.45.176.9:"));
    attacks_of(&mut fixture).retain(|attack| attack.entities == [country("NL")]);
    let svg = graph::svg(&fixture.case());
    assert!(!svg.contains("denial") && !svg.contains("g-attack"), "{svg}");
    assert!(page(&fixture).contains("Attacks that bear on no incident"));
}

#[test]
fn the_axis_reaches_back_to_the_first_attack_but_leaves_a_sixth_to_the_window() {
    let mut fixture = attacked();
    // The first is of the day before the window, which has five.
    let svg = graph::svg(&fixture.case());
    assert!(
        svg.contains("seen from outside, 20 to 24 December 2014") && svg.contains(">5 denials of service")
    );
    let (from, until) = (at("2014-12-22T16:00:00Z"), at("2014-12-22T22:00:00Z"));
    fixture.report.window = (from, until);
    for series in &mut fixture.report.series {
        series.points.retain(|point| point.0 >= from);
    }
    let svg = graph::svg(&fixture.case());
    // Thirty hours back at most: those of the 19th and the 20th are told in words only.
    assert!(
        svg.contains(">2 of 5 denials of service") || svg.contains(">3 of 5 denials of service"),
        "{svg}"
    );
    assert!(svg.contains(">21 Dec<") || svg.contains(">22 Dec<"));
    assert!(!svg.contains(">20 Dec<"));
}

#[test]
fn the_picture_shows_begins_and_ends_in_doubt_and_what_goes_on() {
    let svg = graph::svg(&attacked().case());
    // Two of the one attack, and one in the legend.
    assert_eq!(count(&svg, "class=\"g-attack-edge\""), 3);
    assert_eq!(count(&svg, "<path class=\"g-attack\""), 1, "an arrow");
    assert!(svg.contains("175.45.176.77: UDP to port 80, 1.27 Gbit/s"), "{svg}");
    assert!(svg.contains(", goes on<"));
    // Where both exporters were silent, and after all that was told.
    let strips = svg.lines().filter(|line| line.contains("g-unseen") && line.contains("height=\"7\""));
    assert_eq!(strips.count(), 2, "{svg}");
}

/// A hundred attacks at once, each smaller than the one before it.
fn crowded() -> Fixture {
    let mut fixture = attacked();
    *attacks_of(&mut fixture) = (0..100)
        .map(|number| {
            let target = format!("175.45.176.{number}");
            known(&target, "2014-12-21T10:00:00Z", "2014-12-21T18:00:00Z", 1_000 - 9 * number)
        })
        .collect();
    fixture
}

#[test]
fn of_more_attacks_than_there_are_rows_the_largest_are_drawn_and_the_rest_counted() {
    let fixture = crowded();
    let svg = graph::svg(&fixture.case());
    assert_eq!(count(&svg, "<g>"), 8);
    assert!(
        svg.contains("100 denials of service beside the outages of North Korea, 92 of the smaller not drawn")
    );
    assert!(svg.contains("175.45.176.0: ") && !svg.contains("175.45.176.50"));
    assert!(page(&fixture).contains("And 40 smaller ones."));
}

/// Several entities, each with its own.
fn several() -> Fixture {
    let mut fixture = attacked();
    let other = country("NL");
    let mut incident = fixture.report.incidents[0].clone();
    incident.entity = other;
    incident.id = "country-NL-20141221T140210Z".to_owned();
    fixture.report.incidents.push(incident);
    let mut series = fixture.report.series.clone();
    for one in &mut series {
        one.entity = other;
    }
    fixture.report.series.extend(series);
    fixture
}

#[test]
fn each_entity_of_a_picture_has_its_own_attacks() {
    let svg = graph::svg(&several().case());
    assert!(svg.contains("5 denials of service beside the outages of North Korea<"));
    assert!(svg.contains("1 denial of service beside the outages of the Netherlands<"));
}

#[test]
fn text_page_and_picture_say_the_same_of_attacks_and_none_that_they_caused_it() {
    let fixture = attacked();
    let case = fixture.case();
    let said = evidence::sentences(&case, &fixture.report.incidents[0], &evidence::of(&case));
    assert_eq!(said.len(), 3);
    let (page, svg) = (page(&fixture), graph::svg(&case));
    let mut terminal = Vec::new();
    text::write(&mut terminal, &case, text::Style { width: 120, colour: false }).expect("text");
    let terminal = String::from_utf8(terminal).expect("text");
    let flat = terminal.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in &said {
        assert!(page.contains(&format!("<p>{sentence}</p>")), "{sentence}");
        assert!(flat.contains(sentence), "{sentence}");
        assert!(svg.contains(sentence), "{sentence}");
    }
    for form in [&page, &svg, &terminal] {
        let without = form.replace("does not say that it caused it", "").to_lowercase();
        for banned in ["caused", "because of", "due to", "knocked", "brought down"] {
            assert!(!without.contains(banned), "{banned}");
        }
    }
}

#[test]
fn the_page_tells_each_attack_how_it_lies_and_who_told_of_it() {
    let page = page(&attacked());
    for said in [
        "over before the first loss<span class=\"below\">by 24 h 53 min to 2 d 3 h</span>",
        "going on while the losses began",
        "within the incident",
        "NTP amplification (UDP source port 123), 81 %<br>SSDP amplification (UDP source port 1900), 19 %",
        "began between 21 Dec 06:00 and 21 Dec 13:00; ended between 22 Dec 20:00 and 23 Dec 02:00",
        "23 Dec 15:50, goes on",
        "about 1,503",
        "means that were not told apart",
        "1,204 missed",
        "lost on the way",
        "flows/upstream.pcap",
    ] {
        assert!(page.contains(said), "{said}");
    }
    // The one on somebody else stands with the traffic, the others with their incident.
    let (incidents, traffic) = page.split_once("id=\"traffic\"").expect("a section");
    assert!(traffic.contains("192.0.2.7<") && !incidents.contains("192.0.2.7<"));
    assert!(incidents.contains("175.45.176.67<") && !traffic.contains("175.45.176.67<"));
    // Every table scrolls inside its box.
    assert_eq!(count(&page, "<table"), count(&page, "class=\"scroll\""));
}

#[test]
fn names_of_exporters_and_files_cannot_break_out_of_the_page() {
    let mut fixture = attacked();
    let told = fixture.traffic.as_mut().expect("told");
    let evil = "<script>alert(1)</script>\"'";
    told.exporters[0].address = evil.into();
    told.inputs[0].path = evil.into();
    told.inputs[0].damage = Some(evil.into());
    assert!(!page(&fixture).contains("<script"));
}

#[test]
fn times_of_attacks_without_sense_are_drawn_without_panic() {
    let edges = [Time::MIN, at("2014-12-22T16:15:00Z"), Time::MAX];
    for first in edges {
        for last in edges {
            let mut fixture = attacked();
            for attack in attacks_of(&mut fixture) {
                attack.start = Interval { earliest: first, latest: last };
                attack.stop = attack.stop.map(|_| Interval { earliest: last, latest: first });
                attack.impact = Impact::default();
            }
            let told = fixture.traffic.as_mut().expect("told");
            told.report.window = Some((first, last));
            told.report.deaf[0].until = last;
            let everything = [graph::svg(&fixture.case()), page(&fixture)].concat();
            assert!(!everything.contains("NaN") && everything.len() < 600_000);
        }
    }
    let mut fixture = attacked();
    fixture.traffic = Some(Told::default());
    assert!(page(&fixture).contains("No flow was told of"));
}
