//! The two axes of time: UTC, and the clock of the entity's capital.

use super::panel::Panel;
use super::scale::{CountScale, Tick, ticks};
use super::svg::Svg;
use crate::present::times;

/// Pixels between two ticks at least: a label of five letters and room beside it.
const APART: f64 = 64.0;

impl Panel<'_, '_> {
    /// The lines behind the plot, at the ticks of UTC.
    pub(super) fn grid(&self, svg: &mut Svg, counts: &CountScale) {
        for tick in ticks(&self.time, APART, |_| 0) {
            let x = self.time.x(tick.time).round();
            svg.line("g-grid", (x, counts.top), (x, counts.bottom()));
        }
    }

    /// Both axes from `y` on; where they end.
    pub(super) fn axes(&self, svg: &mut Svg, y: f64) -> f64 {
        let mut y = self.axis(svg, y, "UTC", &ticks(&self.time, APART, |_| 0));
        let gazetteer = self.case.gazetteer;
        if let Some(local) = gazetteer.local(self.entity, self.picture.from) {
            let offset = |time| gazetteer.local(self.entity, time).map_or(0, |local| local.offset_s);
            y = self.axis(svg, y + 4.0, &local.place, &ticks(&self.time, APART, offset));
        }
        y
    }

    fn axis(&self, svg: &mut Svg, y: f64, name: &str, ticks: &[Tick]) -> f64 {
        let (left, right) = (self.time.left, self.time.right());
        svg.line("g-axis", (left, y), (right, y));
        let mut free = left;
        for tick in ticks {
            let x = self.time.x(tick.time);
            svg.line("g-axis", (x.round(), y), (x.round(), y + if tick.day { 6.0 } else { 4.0 }));
            let half = super::svg::text_width(&tick.label, 12.0) / 2.0;
            let middle = x.clamp(left + half - 6.0, (right - half + 14.0).max(left));
            if middle - half >= free - 8.0 {
                svg.label(
                    if tick.day { "g-day" } else { "g-label" },
                    "middle",
                    (middle, y + 17.0),
                    &tick.label,
                );
                free = middle + half + 10.0;
            }
        }
        // Where no midnight is in sight, the day stands with the name.
        let named = match ticks.iter().any(|tick| tick.day || !tick.label.contains(':')) {
            true => name.to_owned(),
            false => {
                let offset = match name {
                    "UTC" => 0,
                    _ => self
                        .case
                        .gazetteer
                        .local(self.entity, self.picture.from)
                        .map_or(0, |local| local.offset_s),
                };
                let day = times::day(times::shifted(self.picture.from, offset));
                format!("{name}, {}", day.long())
            }
        };
        svg.label("g-note", "start", (left, y + 30.0), &named);
        y + 34.0
    }

    /// The axis of counts.
    pub(super) fn count_axis(&self, svg: &mut Svg, counts: &CountScale) {
        for count in counts.ticks() {
            let y = counts.y(count as f64);
            svg.line("g-axis", (self.time.left - 4.0, y), (self.time.left, y));
            svg.label("g-label", "end", (self.time.left - 7.0, y + 4.0), &times::grouped(count));
        }
    }
}
