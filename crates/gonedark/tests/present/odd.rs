//! Reports that should not be, yet must not stop a run: no form panics, hangs or grows without bound.

use crate::fixtures::{self, Fixture};
use gonedark::present::{csv, graph, html, json, series, text};
use gonedark_infer::report::*;
use gonedark_route::{Family, Time};

fn every_form(fixture: &Fixture) {
    let case = fixture.case();
    let mut out = Vec::new();
    text::write(&mut out, &case, text::Style { width: 0, colour: true }).unwrap();
    json::write(&mut out, &case).unwrap();
    json::write_ndjson(&mut out, &case).unwrap();
    csv::write(&mut out, &case).unwrap();
    series::write_csv(&mut out, &case).unwrap();
    html::write(&mut out, &case).unwrap();
    out.extend(graph::svg(&case).into_bytes());
    assert!(out.len() < 4_000_000);
}

#[test]
fn times_without_sense_are_drawn_without_panic() {
    let edges = [Time::MIN, Time::from_seconds(0), fixtures::at("2014-12-22T16:15:00Z"), Time::MAX];
    for from in edges {
        for until in edges {
            let mut fixture = fixtures::north_korea();
            fixture.report.window = (from, until);
            every_form(&fixture);
            let mut fixture = fixtures::north_korea();
            fixture.incident().onset = Turn { earliest: from, latest: until, vote: until };
            fixture.incident().recovery = Some(Turn { earliest: until, latest: from, vote: from });
            fixture.incident().phases[2].from = until;
            fixture.incident().phases[2].until = Some(from);
            every_form(&fixture);
        }
    }
}

#[test]
fn incidents_with_nothing_in_them_are_told() {
    for level in [Level::None, Level::Partial, Level::Severe, Level::Dark] {
        for ended in [false, true] {
            let mut fixture = fixtures::north_korea();
            fixture.report.series.clear();
            let incident = fixture.incident();
            (incident.level, incident.ended) = (level, ended);
            incident.families = [None, None];
            incident.recovery = None;
            incident.phases.clear();
            incident.flaps.clear();
            incident.networks.clear();
            incident.witnesses = Witnesses::default();
            every_form(&fixture);
            fixture.incident().families = [Some(FamilyLoss {
                level: Level::Dark,
                networks: BeforeLost { before: u64::MAX, lost: u64::MAX },
                addresses: BeforeLost { before: 0, lost: u64::MAX },
                split: true,
            }); 2];
            every_form(&fixture);
        }
    }
}

#[test]
fn a_series_of_a_million_changes_gives_a_small_picture() {
    let mut fixture = fixtures::north_korea();
    let start = fixture.report.window.0;
    fixture.report.series[0].points = (0..1_000_000_u64)
        .map(|step| {
            let sample = if step % 97 == 0 { Sample::Missing } else { Sample::Value(step * 7_919 % 150_000) };
            (start + step as i64 * 400_000, sample)
        })
        .collect();
    fixture.report.series.truncate(1);
    let svg = graph::svg(&fixture.case());
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    fixture.report.series[0].points.clear();
    fixture.report.series.push(Series {
        entity: fixtures::country("KP"),
        family: Family::V6,
        signal: Signal::NetworksUp,
        points: vec![(start, Sample::Value(u64::MAX)), (start + 1, Sample::Value(0))],
    });
    every_form(&fixture);
}

#[test]
fn a_closed_pipe_is_an_error_and_no_panic() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let fixture = fixtures::north_korea();
    let case = fixture.case();
    let style = text::Style { width: 80, colour: false };
    let kinds = [
        text::write(&mut Closed, &case, style),
        json::write(&mut Closed, &case),
        json::write_ndjson(&mut Closed, &case),
        csv::write(&mut Closed, &case),
        series::write_csv(&mut Closed, &case),
        html::write(&mut Closed, &case),
    ]
    .map(|result| result.unwrap_err().kind());
    assert_eq!(kinds, [std::io::ErrorKind::BrokenPipe; 6], "so that the caller can end quietly");
}
