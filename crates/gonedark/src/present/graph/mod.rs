//! The picture: networks up, down and unstable over time, with the phases above and who could see below.
//!
//! Drawn by hand as SVG: bands, steps and axes are all it takes, and the same picture serves the file, PNG and the page.
//! State is told by words and patterns as well as by colour; what could not be seen is hatched and never drawn as zero.

mod attacks;
mod axes;
mod bar;
mod columns;
mod panel;
mod phases;
#[cfg(feature = "png")]
mod png;
mod rows;
mod scale;
mod style;
mod svg;

pub(super) use attacks::reach;
#[cfg(feature = "png")]
pub use png::png;

use super::evidence::{self, Beside};
use super::sentence::headlines;
use super::times;
use super::{Case, words};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::PhaseState;
use gonedark_route::Time;
use panel::Panel;
use scale::TimeScale;
use std::path::Path;
use svg::{Px, Svg};

/// Entities in one picture: more cannot be read.
pub const MOST_ENTITIES: usize = 6;
/// The width of the picture in a file, in pixels.
const FILE_WIDTH: f64 = 1_200.0;
/// Lines of text above the picture at most.
const LEAD_LINES: usize = 4;

/// In which form a picture is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Scalable Vector Graphics.
    Svg,
    /// Portable Network Graphics, in light colours.
    Png,
}

impl Format {
    /// By the ending of the file's name; the error says what endings there are.
    pub fn of(path: &Path) -> Result<Format, String> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "svg" => Ok(Format::Svg),
            "png" if cfg!(feature = "png") => Ok(Format::Png),
            "png" => Err(format!(
                "{}: this program was built without PNG; write .svg, or build it with --features png",
                path.display()
            )),
            _ => {
                Err(format!("{}: pictures are written as .svg or .png, by the name's ending", path.display()))
            }
        }
    }
}

/// What a picture shows.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) entities: Vec<Entity>,
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) width: f64,
    /// Whether it stands alone: with ground, title, sentences and its own colours.
    pub(super) alone: bool,
    /// Before every identifier, so that several pictures of one page do not meet.
    pub(super) prefix: String,
}

impl Picture {
    /// From when on routes were read: attacks may reach back further than that.
    fn read_from(&self, case: &Case<'_>) -> Time {
        let of_them = case.report.series.iter().filter(|series| self.entities.contains(&series.entity));
        let first = of_them.filter_map(|series| series.points.first()).map(|point| point.0).min();
        first.map_or(case.report.window.0, |first| first.min(case.report.window.0))
    }
}

/// The picture that stands alone: up to [`MOST_ENTITIES`] entities, those asked for and the worst first, over the window
/// and the attacks before it.
pub fn svg(case: &Case<'_>) -> String {
    let entities = case.picture_entities(MOST_ENTITIES);
    let (from, until) = reach(case, &entities);
    let prefix = "g-".to_owned();
    draw(case, &Picture { entities, from, until, width: FILE_WIDTH, alone: true, prefix })
}

/// Draws one picture.
pub(super) fn draw(case: &Case<'_>, picture: &Picture) -> String {
    let mut body = Svg::default();
    let beside = evidence::of(case);
    let mut y = if picture.alone { heading(&mut body, case, picture, &beside) } else { 4.0 };
    let left = 52.0;
    let time = TimeScale {
        from: picture.from,
        until: picture.until,
        left,
        width: (picture.width - left - 20.0).floor(),
    };
    let several = picture.entities.len() > 1;
    for entity in &picture.entities {
        let panel = Panel { case, picture, entity, time, named: several, beside: &beside };
        y = panel.draw(&mut body, y) + 18.0;
    }
    if picture.entities.is_empty() {
        body.label("g-label", "start", (left, y + 20.0), "There is no series to draw.");
        y += 40.0;
    } else {
        let attacks = attacks::are_drawn(&beside, case, picture);
        y = legend(&mut body, picture, &time, attacks, y);
    }
    if picture.alone {
        y = footing(&mut body, case, picture, !beside.is_empty(), y);
    }
    frame(case, picture, &beside, &body.finish(), y.ceil())
}

fn frame(case: &Case<'_>, picture: &Picture, beside: &[Beside<'_>], body: &str, height: f64) -> String {
    let mut svg = Svg::default();
    let (title, desc) = (format!("{}title", picture.prefix), format!("{}desc", picture.prefix));
    let size = format!("0 0 {} {}", Px(picture.width), Px(height));
    let labelled = format!("{title} {desc}");
    svg.open(
        "svg",
        &[
            ("xmlns", &"http://www.w3.org/2000/svg"),
            ("viewBox", &size),
            ("width", &Px(picture.width)),
            ("height", &Px(height)),
            ("role", &"img"),
            ("aria-labelledby", &labelled),
            ("font-family", &"'DejaVu Sans', Verdana, sans-serif"),
        ],
    );
    svg.texts("title", &[("id", &title)], &title_words(case, picture));
    svg.texts("desc", &[("id", &desc)], &description(case, picture, beside));
    if picture.alone {
        let attacks = if beside.is_empty() { "" } else { style::LIGHT_ATTACKS };
        svg.texts("style", &[], &format!("{}{attacks}", style::LIGHT));
    }
    svg.raw(&style::patterns(&picture.prefix));
    if picture.alone {
        svg.rect("g-ground", (0.0, 0.0), (picture.width, height));
    }
    svg.raw(body);
    svg.close("svg");
    svg.finish()
}

/// `North Korea: networks seen from outside, 20 to 25 December 2014 (UTC)`.
pub(super) fn title_words(case: &Case<'_>, picture: &Picture) -> String {
    let names: Vec<String> = picture.entities.iter().map(|entity| case.capital_name(entity)).collect();
    let who = match &names[..] {
        [] => "No entity".to_owned(),
        names if names.len() <= 3 => words::listed(names),
        names => format!("{} and {} others", names[..2].join(", "), names.len() - 2),
    };
    let from = picture.from.max(picture.read_from(case).min(picture.until));
    format!("{who}: networks seen from outside, {}", range_words(from, picture.until))
}

fn range_words(from: Time, until: Time) -> String {
    // The last moment of the range, so that a window that ends at midnight does not name the day after.
    let (first, last) = (times::day(from), times::day((until + -1).max(from)));
    if first == last {
        first.long()
    } else if (first.year, first.month) == (last.year, last.month) {
        format!("{} to {}", first.day, last.long())
    } else if first.year == last.year {
        format!("{} to {}", first.without_year(), last.long())
    } else {
        format!("{} to {}", first.long(), last.long())
    }
}

fn description(case: &Case<'_>, picture: &Picture, beside: &[Beside<'_>]) -> String {
    let mut lines: Vec<String> = case.run.reconstruction.iter().cloned().collect();
    lines.extend(headlines(case, LEAD_LINES).into_iter().map(|line| format!("{line}.")));
    lines.extend(attacks_beside(case, picture, beside));
    lines.join(" ")
}

/// What is said of the attacks beside the worst incident of the only entity.
fn attacks_beside(case: &Case<'_>, picture: &Picture, beside: &[Beside<'_>]) -> Vec<String> {
    let [entity] = &picture.entities[..] else { return Vec::new() };
    let worst = case.ranked().into_iter().find(|incident| incident.entity == *entity);
    worst.map(|worst| evidence::sentences(case, worst, beside)).unwrap_or_default()
}

fn heading(svg: &mut Svg, case: &Case<'_>, picture: &Picture, beside: &[Beside<'_>]) -> f64 {
    let mut y = 36.0;
    let room = picture.width - 48.0;
    for line in lines(&title_words(case, picture), room, 22.0) {
        svg.label("g-title", "start", (24.0, y), &line);
        y += 28.0;
    }
    y -= 2.0;
    if let Some(line) = &case.run.reconstruction {
        svg.label("g-name", "start", (24.0, y), line);
        y += 22.0;
    }
    let most = if picture.entities.len() > 1 { LEAD_LINES } else { 1 };
    let mut sentences: Vec<String> =
        headlines(case, most).into_iter().take(most).map(|sentence| format!("{sentence}.")).collect();
    sentences.extend(attacks_beside(case, picture, beside).into_iter().take(1));
    for sentence in sentences {
        for line in lines(&sentence, room, 14.0) {
            svg.label("g-lead", "start", (24.0, y), &line);
            y += 19.0;
        }
    }
    y + 4.0
}

fn footing(svg: &mut Svg, case: &Case<'_>, picture: &Picture, attacks: bool, mut y: f64) -> f64 {
    let tool = &case.run.tool;
    let collectors = words::counted(case.report.coverage.collectors.len() as u64, "collector", "collectors");
    let mut text = format!("{} {}, from {collectors}. {}", tool.name, tool.version, words::NO_CAUSE);
    if attacks {
        text = format!("{text} {}", evidence::COINCIDENCE);
    }
    y += 4.0;
    for line in lines(&text, picture.width - 48.0, 11.0) {
        svg.label("g-note", "start", (24.0, y), &line);
        y += 15.0;
    }
    y + 4.0
}

/// Text in lines that fit.
fn lines(text: &str, room: f64, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if svg::text_width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn legend(svg: &mut Svg, picture: &Picture, time: &TimeScale, attacks: bool, mut y: f64) -> f64 {
    let pattern = |name: &str| format!("{}{name}", picture.prefix);
    let mut entries = vec![
        (Sign::Filled("g-up"), "up"),
        (Sign::Hatched(pattern(style::class(PhaseState::Unstable))), "up and down by turns"),
        (Sign::Hatched(pattern("down")), "down"),
        (Sign::Hatched(pattern(style::class(PhaseState::Unknown))), "we could not see"),
    ];
    if attacks {
        entries.push((Sign::Filled("g-attack"), "attack: the taller, the larger"));
        entries.push((Sign::Filled("g-attack-edge"), "began or ended within this"));
    }
    let mut x = time.left;
    y += 2.0;
    for (sign, words) in entries {
        let width = svg::text_width(words, 12.0) + 30.0;
        if x > time.left && x + width > picture.width {
            x = time.left;
            y += 20.0;
        }
        match sign {
            Sign::Hatched(pattern) => svg.patterned("g-frame-fill", &pattern, (x, y - 10.0), (16.0, 12.0)),
            Sign::Filled(class) => svg.rect(class, (x, y - 10.0), (16.0, 12.0)),
        }
        svg.rect("g-frame", (x, y - 10.0), (16.0, 12.0));
        svg.label("g-label", "start", (x + 22.0, y), words);
        x += width + 14.0;
    }
    y + 18.0
}

/// How something looks in the legend: by its class, or by the name of its pattern.
enum Sign {
    Filled(&'static str),
    Hatched(String),
}
