//! The band of phases above the plot, with a label for each.

use super::panel::Panel;
use super::style;
use super::svg::{Svg, text_width};
use crate::present::times::{self, seconds_between};
use gonedark_infer::report::{Phase, PhaseState};

/// The height of the band.
const BAND: f64 = 22.0;
/// The height of one lane of labels above it.
const LANE: f64 = 16.0;
/// Lanes at most: what does not fit goes without a label, not without its band.
const LANES: usize = 3;

/// A label that stands above the band: where it points, where it begins, its lane and words.
struct Raised {
    point: f64,
    x: f64,
    lane: usize,
    words: String,
}

/// `dark`; what was not seen is not called "unknown" in a picture.
fn name(phase: &Phase) -> &'static str {
    match phase.state {
        PhaseState::Unknown => "not seen",
        state => state.name(),
    }
}

impl Panel<'_, '_> {
    /// Draws the phases of all the entity's incidents; where the band ends.
    pub(super) fn phases(&self, svg: &mut Svg, y: f64) -> f64 {
        let phases: Vec<&Phase> = self
            .incidents()
            .flat_map(|incident| &incident.phases)
            .filter(|phase| self.in_sight(phase))
            .collect();
        let raised = self.raised(&phases);
        let lanes = raised.iter().map(|label| label.lane + 1).max().unwrap_or(0);
        let top = y + lanes as f64 * LANE + if lanes > 0 { 4.0 } else { 0.0 };
        self.ground(svg, top, BAND);
        for phase in &phases {
            self.band(svg, phase, top);
        }
        let base = |label: &Raised| top - 6.0 - label.lane as f64 * LANE;
        for label in &raised {
            svg.line("g-leader", (label.point, base(label) - 8.0), (label.point, top));
        }
        for label in &raised {
            let (anchor, x) = match label.x > label.point {
                true => ("start", label.x),
                false => ("end", label.point - 4.0),
            };
            svg.label("g-raised", anchor, (x, base(label)), &label.words);
        }
        if phases.is_empty() {
            let words = "no incident in this time";
            svg.label("g-note", "start", (self.time.left + 8.0, top + 15.0), words);
        }
        svg.rect("g-frame", (self.time.left, top), (self.time.width, BAND));
        top + BAND
    }

    fn in_sight(&self, phase: &Phase) -> bool {
        phase.from < self.time.until && phase.until.is_none_or(|until| until > self.time.from)
    }

    fn extent(&self, phase: &Phase) -> (f64, f64) {
        let left = self.time.x(phase.from);
        let right = self.time.x(phase.until.unwrap_or(self.time.until));
        // A phase of a few seconds is still to be seen.
        (left, right.max(left + 1.5))
    }

    fn band(&self, svg: &mut Svg, phase: &Phase, top: f64) {
        let (left, right) = self.extent(phase);
        let pattern = format!("{}{}", self.picture.prefix, style::class(phase.state));
        svg.patterned("g-phase", &pattern, (left, top), (right - left, BAND));
        let words = self.words(phase);
        if let Some(words) = [words, name(phase).to_owned()]
            .into_iter()
            .find(|words| text_width(words, 12.0) + 10.0 <= right - left)
        {
            let class = if phase.state == PhaseState::Dark { "g-on-dark" } else { "g-halo" };
            svg.label(class, "middle", ((left + right) / 2.0, top + 15.0), &words);
        }
    }

    fn words(&self, phase: &Phase) -> String {
        let name = name(phase);
        let lasted = seconds_between(phase.from, phase.until.unwrap_or(self.case.report.window.1));
        let falls = match phase.flaps {
            0 => String::new(),
            1 => ", 1 fall".to_owned(),
            many => format!(", {many} falls"),
        };
        let lasts = if phase.until.is_none() { " so far" } else { "" };
        format!("{name} {}{lasts}{falls}", times::duration(lasted))
    }

    /// Labels for the phases whose band has no room for one; steps on the way down or back, which take a few pixels
    /// beside a dark phase, go without.
    fn raised(&self, phases: &[&Phase]) -> Vec<Raised> {
        // From right to left, each label to the right of its line: then no line of a higher lane crosses a lower label.
        let mut free = [f64::MAX; LANES];
        let mut raised = Vec::new();
        for (place, phase) in phases.iter().enumerate().rev() {
            let (left, right) = self.extent(phase);
            if text_width(phase.state.name(), 12.0) + 10.0 <= right - left {
                continue;
            }
            let beside = |other: Option<&&Phase>| {
                other.is_some_and(|other| {
                    let touches = other.until == Some(phase.from) || phase.until == Some(other.from);
                    touches && self.extent(other).1 - self.extent(other).0 > right - left
                })
            };
            let minor = phase.state != PhaseState::Dark
                && right - left < 6.0
                && (place > 0 && beside(phases.get(place - 1)) || beside(phases.get(place + 1)));
            if minor {
                continue;
            }
            let words = self.words(phase);
            let width = text_width(&words, 12.0);
            let point = (left + right) / 2.0;
            let to_the_right = point + 4.0;
            let x = match to_the_right + width <= self.time.right() + 12.0 {
                true => to_the_right,
                false => (point - 4.0 - width).max(self.time.left),
            };
            if let Some(lane) = (0..LANES).find(|&lane| x + width + 8.0 <= free[lane]) {
                free[lane] = x.min(point);
                raised.push(Raised { point, x, lane, words });
            }
        }
        raised
    }
}
