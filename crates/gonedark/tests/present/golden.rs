//! Whole outputs, kept as files. `GONEDARK_UPDATE_GOLDEN=1 cargo test -p gonedark --test present` writes them anew; look at
//! what changed before it is committed.

use crate::fixtures::{self, Fixture};
use gonedark::present::{csv, graph, html, json, series, text};
use std::path::Path;

/// Compares with the file, or writes it where the environment asks for that.
pub(crate) fn golden(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/present/golden").join(name);
    if std::env::var_os("GONEDARK_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let kept = std::fs::read(&path).unwrap_or_default();
    let line = |bytes: &[u8], number: usize| {
        String::from_utf8_lossy(bytes)
            .lines()
            .nth(number)
            .unwrap_or("(end)")
            .chars()
            .take(300)
            .collect::<String>()
    };
    if kept != bytes {
        let differs = (0..)
            .find(|&number| line(&kept, number) != line(bytes, number) || line(bytes, number) == "(end)");
        let number = differs.unwrap_or(0);
        panic!(
            "{name} line {}:\n  kept: {}\n   now: {}",
            number + 1,
            line(&kept, number),
            line(bytes, number)
        );
    }
}

fn each(form: impl Fn(&str, &Fixture)) {
    form("north-korea", &fixtures::north_korea());
    form("ongoing", &fixtures::ongoing());
    form("v6-only", &fixtures::v6_only());
    form("nothing", &fixtures::nothing());
}

fn terminal(fixture: &Fixture, style: text::Style) -> String {
    let mut out = Vec::new();
    text::write(&mut out, &fixture.case(), style).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_is_as_it_was() {
    let style = text::Style { width: 100, colour: false };
    each(|name, fixture| golden(&format!("{name}.txt"), terminal(fixture, style).as_bytes()));
    golden("crowd.txt", terminal(&fixtures::crowd(), style).as_bytes());
}

#[test]
fn text_keeps_to_the_width_and_colours_nothing_but_on_a_terminal() {
    for width in [60, 80, 100, 120] {
        for fixture in [fixtures::north_korea(), fixtures::ongoing(), fixtures::crowd()] {
            let plain = terminal(&fixture, text::Style { width, colour: false });
            assert!(!plain.contains('\x1b'));
            // A path is never broken, so that it can be copied.
            let long = plain.lines().find(|line| line.chars().count() > width && !line.contains('/'));
            assert_eq!(long, None, "width {width}");
            let coloured = terminal(&fixture, text::Style { width, colour: true });
            assert!(coloured.contains("\x1b[1;31m"));
            let mut bare = coloured;
            for escape in ["\x1b[1;31m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m", "\x1b[1m", "\x1b[0m"]
            {
                bare = bare.replace(escape, "");
            }
            assert_eq!(bare, plain, "colour adds nothing but colour");
        }
    }
}

#[test]
fn json_and_csv_are_as_they_were() {
    each(|name, fixture| {
        let case = fixture.case();
        let mut out = Vec::new();
        json::write(&mut out, &case).unwrap();
        golden(&format!("{name}.json"), &out);
        out.clear();
        json::write_ndjson(&mut out, &case).unwrap();
        golden(&format!("{name}.ndjson"), &out);
        out.clear();
        csv::write(&mut out, &case).unwrap();
        golden(&format!("{name}.csv"), &out);
        out.clear();
        series::write_csv(&mut out, &case).unwrap();
        golden(&format!("{name}.series.csv"), &out);
    });
}

#[test]
fn pictures_are_as_they_were() {
    each(|name, fixture| golden(&format!("{name}.svg"), graph::svg(&fixture.case()).as_bytes()));
}

/// `GONEDARK_SHOW=folder` keeps the pictures, so that they can be looked at.
#[cfg(feature = "png")]
#[test]
fn png_holds_text_on_a_machine_without_fonts() {
    each(|name, fixture| {
        let png = graph::png(&fixture.case()).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png == graph::png(&fixture.case()).unwrap());
        if let Some(folder) = std::env::var_os("GONEDARK_SHOW") {
            std::fs::write(Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        }
    });
}

pub(crate) fn page(fixture: &Fixture) -> String {
    let mut out = Vec::new();
    html::write(&mut out, &fixture.case()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pages_are_as_they_were() {
    each(|name, fixture| golden(&format!("{name}.html"), page(fixture).as_bytes()));
}

#[test]
fn the_page_needs_no_script_and_no_other_host() {
    for fixture in [fixtures::north_korea(), fixtures::nothing(), fixtures::crowd()] {
        let page = page(&fixture);
        for banned in
            ["<script", "javascript:", "@import", "src=", "<iframe", "<link rel=\"stylesheet\"", "onload="]
        {
            assert!(!page.contains(banned), "{banned}");
        }
        // Addresses stand only where a reader may follow them, and in the name of SVG itself.
        let followed =
            page.replace("<a href=\"https://", "").replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!followed.contains("http://") && !followed.contains("https://"));
        assert!(!page.contains("url(") || page.matches("url(").count() == page.matches("url(#").count());
        assert!(page.len() < 600_000, "{} bytes", page.len());
    }
}

#[test]
fn names_from_outside_cannot_break_out_of_the_page() {
    let mut fixture = fixtures::ongoing();
    let evil = "<script>alert(1)</script>\"'";
    fixture.run.inputs[0].path = evil.to_owned();
    fixture.run.inputs[0].collector = evil.to_owned();
    fixture.run.inputs[0].damage =
        vec![gonedark::present::Damage { offset: None, what: evil.to_owned(), count: 2 }];
    fixture.run.reconstruction = Some(evil.to_owned());
    fixture.report.coverage.collectors.push(evil.to_owned());
    assert!(!page(&fixture).contains("<script"));
    assert!(!graph::svg(&fixture.case()).contains("<script"));
}

#[test]
fn every_identifier_of_the_page_is_used_once() {
    for fixture in [fixtures::north_korea(), fixtures::v6_only(), fixtures::crowd()] {
        let page = page(&fixture);
        let mut all: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}

/// `GONEDARK_SHOW=folder` keeps the page of two hundred incidents, too large for a golden file.
#[test]
fn a_page_of_two_hundred_incidents_lists_the_worst_first() {
    let page = page(&fixtures::crowd());
    assert!(page.find("North Korea</th>").unwrap() < page.find("AS64688</th>").unwrap());
    if let Some(folder) = std::env::var_os("GONEDARK_SHOW") {
        std::fs::write(Path::new(&folder).join("crowd.html"), page).unwrap();
    }
}
