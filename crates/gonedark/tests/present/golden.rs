//! Whole outputs, kept as files. `GONEDARK_UPDATE_GOLDEN=1 cargo test -p gonedark --test present` writes them anew; look at
//! what changed before it is committed.

use crate::fixtures::{self, Fixture};
use gonedark::present::{csv, graph, json, series, text};
use std::path::Path;

/// Compares with the file, or writes it where the environment asks for that.
fn golden(name: &str, bytes: &[u8]) {
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
