//! One entity's part of the picture: phases, a plot for each family, who could see, the axes.

use super::columns::{Column, area, columns, stretches};
use super::scale::{CountScale, TimeScale};
use super::svg::{Svg, text_width};
use super::{Picture, style};
use crate::present::course::Course;
use crate::present::evidence::Beside;
use crate::present::times::{Grain, duration, grouped, seconds_between};
use crate::present::{Case, words};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::{Incident, Interval, PhaseState, Signal, Turn};
use gonedark_route::Family;

/// One entity's part.
pub(super) struct Panel<'a, 'p> {
    pub(super) case: &'p Case<'a>,
    pub(super) picture: &'p Picture,
    pub(super) entity: &'p Entity,
    pub(super) time: TimeScale,
    /// Whether the entity's name stands above it.
    pub(super) named: bool,
    /// The attacks beside all incidents.
    pub(super) beside: &'p [Beside<'a>],
}

impl<'a> Panel<'a, '_> {
    /// Draws it from `y` on; where it ends.
    pub(super) fn draw(&self, svg: &mut Svg, mut y: f64) -> f64 {
        if self.named {
            svg.label("g-name", "start", (self.time.left, y + 14.0), &self.case.capital_name(self.entity));
            y += 22.0;
        }
        y = self.phases(svg, y);
        let worst = self.worst();
        y = self.turn_labels(svg, worst, y);
        let plots: Vec<Plot> = Family::ALL.into_iter().filter_map(|family| Plot::of(self, family)).collect();
        let height = self.plot_height(plots.len());
        let last = plots.last().map_or(Family::V4, |plot| plot.family);
        for plot in &plots {
            let counts = CountScale::new(plot.lowest, plot.most, y, height);
            self.plot(svg, plot, &counts);
            let touched = |incident: &&Incident| {
                incident.families[plot.family as usize].is_some_and(|loss| loss.networks.lost > 0)
            };
            if let Some(worst) = worst.filter(touched) {
                self.turns(svg, worst, counts.top - 6.0, counts.bottom());
            }
            svg.rect("g-frame", (self.time.left, y), (self.time.width, height));
            y += height + if plot.family == last { 8.0 } else { 16.0 };
        }
        y = self.attacks(svg, y);
        y = self.sight(svg, y);
        self.axes(svg, y)
    }

    /// What is behind routes, in the part of the picture for which they were read.
    pub(super) fn ground(&self, svg: &mut Svg, top: f64, height: f64) {
        let (left, right) = (self.read_from(), self.time.x(self.case.report.window.1));
        svg.rect("g-plot", (left, top), (right - left, height));
    }

    /// Where the part begins for which routes were read.
    fn read_from(&self) -> f64 {
        self.time.x(self.picture.read_from(self.case))
    }

    fn plot_height(&self, plots: usize) -> f64 {
        match (self.picture.entities.len(), plots) {
            (1, 1) => 180.0,
            (1, _) => 130.0,
            (2 | 3, 1) => 110.0,
            _ => 72.0,
        }
    }

    /// The entity's incidents, by begin.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &'a Incident> {
        let report = self.case.report;
        report.incidents.iter().filter(|incident| incident.entity == *self.entity)
    }

    /// The incident whose onset and recovery are marked: the worst that lasted.
    fn worst(&self) -> Option<&'a Incident> {
        let ranked = self.case.ranked();
        ranked
            .into_iter()
            .filter(|incident| incident.entity == *self.entity && !incident.is_unstable_only())
            .find(|incident| self.time.holds(incident.onset.earliest))
    }

    /// The words for onset and recovery, in a line above the plots.
    fn turn_labels(&self, svg: &mut Svg, worst: Option<&Incident>, y: f64) -> f64 {
        let Some(incident) = worst else { return y + 6.0 };
        let base = y + 14.0;
        let width = |words: &str| text_width(words, 12.0) + 3.0;
        let onset = format!("lost {}", clocks(incident.onset));
        let x = self.time.x(incident.onset.earliest);
        let left_of = |words: &str| x - width(words) > 4.0;
        let right_of = |words: &str| x + width(words) <= self.picture.width;
        let mut alone = vec![onset.clone()];
        if let Some(turn) = incident.recovery.filter(|turn| self.time.holds(turn.latest)) {
            let lasted = duration(seconds_between(incident.onset.vote, turn.vote));
            let back = format!("back {}", clocks(turn));
            let full = format!("{back} ({} for {lasted})", incident.level.name());
            let back_x = self.time.x(turn.latest);
            let free = if left_of(&onset) { x } else { x + width(&onset) + 12.0 };
            let fits = |words: &&String| back_x >= free && back_x + width(words) <= self.picture.width;
            match [&full, &back].into_iter().find(fits) {
                Some(words) => svg.label("g-mark", "start", (back_x + 3.0, base), words),
                // Where there is no room for the return on its right, both are said at the onset.
                None => alone = vec![format!("{onset}, {full}"), format!("{onset}, {back}"), onset],
            }
        }
        let fitting = alone.iter().find(|words| left_of(words) || right_of(words)).or(alone.last());
        if let Some(words) = fitting {
            let (anchor, at) = if left_of(words) { ("end", x - 3.0) } else { ("start", x + 3.0) };
            svg.label("g-mark", anchor, (at, base), words);
        }
        y + 20.0
    }

    /// The intervals of onset and recovery, from top to bottom.
    fn turns(&self, svg: &mut Svg, incident: &Incident, top: f64, bottom: f64) {
        for turn in [Some(incident.onset), incident.recovery].into_iter().flatten() {
            if !self.time.holds(turn.earliest) && !self.time.holds(turn.latest) {
                continue;
            }
            let (left, right) = (self.time.x(turn.earliest), self.time.x(turn.latest));
            svg.rect("g-turn", (left, top), (right - left, bottom - top));
            let x = self.time.x(turn.vote);
            svg.line("g-turn-line", (x, top), (x, bottom));
        }
    }

    fn plot(&self, svg: &mut Svg, plot: &Plot, counts: &CountScale) {
        let left = self.time.left;
        self.ground(svg, counts.top, counts.height);
        let up = area(&plot.up, left, |_, (least, _)| {
            let top = counts.y(least as f64);
            (top < counts.bottom()).then_some((top, counts.bottom()))
        });
        let unstable = area(&plot.up, left, |_, (least, most)| {
            (least < most).then(|| (counts.y(most as f64), counts.y(least as f64)))
        });
        let down = area(&plot.up, left, |place, (_, most)| {
            let (top, bottom) =
                (counts.y(most.saturating_add(plot.down_at(place)) as f64), counts.y(most as f64));
            (top < bottom).then_some((top, bottom))
        });
        svg.empty("path", &[("class", &"g-up"), ("d", &up)]);
        for (name, path) in [(style::class(PhaseState::Unstable), unstable), ("down", down)] {
            let fill = format!("url(#{}{name})", self.picture.prefix);
            svg.empty("path", &[("fill", &fill), ("d", &path)]);
        }
        self.grid(svg, counts);
        self.unseen(svg, &plot.up, counts);
        self.count_axis(svg, counts);
        let zero = if counts.least > 0.0 { ", the axis does not begin at zero" } else { "" };
        let name = format!("{} networks{zero}", words::family(plot.family));
        svg.label("g-halo", "start", (self.name_at(&name), counts.bottom() - 8.0), &name);
        self.unread(svg, counts);
    }

    /// Where the name of a plot stands: before or behind the edge at which routes begin, and not across it.
    fn name_at(&self, name: &str) -> f64 {
        let edge = self.read_from();
        let fits_before = self.time.left + text_width(name, 12.0) + 16.0 <= edge;
        8.0 + if fits_before { self.time.left } else { edge }
    }

    /// Words for the part before the routes, where there is room.
    fn unread(&self, svg: &mut Svg, counts: &CountScale) {
        const WORDS: &str = "before the routes that were read";
        let room = self.read_from() - self.time.left;
        if text_width(WORDS, 12.0) + 8.0 <= room {
            let middle = (self.time.left + room / 2.0, counts.top + counts.height / 2.0 + 4.0);
            svg.label("g-halo", "middle", middle, WORDS);
        }
    }

    /// What could not be seen: hatched from top to bottom, and said in words where there is room.
    fn unseen(&self, svg: &mut Svg, columns: &[Column], counts: &CountScale) {
        const WORDS: &str = "we could not see";
        let pattern = format!("{}{}", self.picture.prefix, style::class(PhaseState::Unknown));
        for (from, until) in stretches(columns, |column| column.unseen) {
            let (left, width) = (self.time.left + from, until - from);
            svg.patterned("g-unseen", &pattern, (left, counts.top), (width, counts.height));
            let (x, y) = (left + width / 2.0, counts.top + counts.height / 2.0);
            let long = text_width(WORDS, 12.0) + 8.0;
            if long <= width {
                svg.label("g-halo", "middle", (x, y + 4.0), WORDS);
            } else if width >= 16.0 && long <= counts.height {
                let turned = format!("translate({} {}) rotate(-90)", super::Px(x + 4.0), super::Px(y));
                svg.texts(
                    "text",
                    &[("class", &"g-halo"), ("text-anchor", &"middle"), ("transform", &turned)],
                    WORDS,
                );
            }
        }
    }

    /// How many could see, under the plots: a dip here is our blindness, not an outage.
    fn sight(&self, svg: &mut Svg, y: f64) -> f64 {
        const HEIGHT: f64 = 24.0;
        let of = |family| columns(self.case.report, self.entity, family, Signal::VotersSighted, &self.time);
        let Some(sighted) = Family::ALL.into_iter().find_map(of) else { return y };
        let most = sighted.iter().filter_map(|column| column.range).map(|range| range.1).max().unwrap_or(0);
        let counts = CountScale { least: 0.0, most: (most as f64).max(1.0), top: y, height: HEIGHT };
        self.ground(svg, y, HEIGHT);
        let path =
            area(&sighted, self.time.left, |_, (least, _)| Some((counts.y(least as f64), counts.bottom())));
        svg.empty("path", &[("class", &"g-sight"), ("d", &path)]);
        self.unseen(svg, &sighted, &counts);
        svg.rect("g-frame", (self.time.left, y), (self.time.width, HEIGHT));
        svg.label("g-label", "end", (self.time.left - 7.0, y + 11.0), &grouped(most));
        let name = "full-feed networks that could see";
        svg.label("g-halo", "start", (self.name_at(name), y + 16.0), name);
        y + HEIGHT + 8.0
    }
}

/// `16:07-16:15`, `01:46`.
fn clocks(turn: Turn) -> String {
    let when = Interval { earliest: turn.earliest, latest: turn.latest };
    let grain = Grain::of(when);
    match grain.same(when) {
        true => grain.clock(when.earliest),
        false => format!("{}\u{2013}{}", grain.clock(when.earliest), grain.clock(when.latest)),
    }
}

/// The series of one family, ready to be drawn.
struct Plot {
    family: Family,
    up: Vec<Column>,
    lost: Option<Vec<Column>>,
    lowest: u64,
    most: u64,
}

impl Plot {
    /// `None` where the entity never had a network of the family.
    fn of(panel: &Panel<'_, '_>, family: Family) -> Option<Plot> {
        let report = panel.case.report;
        let up = columns(report, panel.entity, family, Signal::NetworksUp, &panel.time)?;
        let lost = columns(report, panel.entity, family, Signal::NetworksLost, &panel.time);
        let ranges = || up.iter().filter_map(|column| column.range);
        let most_up = ranges().map(|range| range.1).max().unwrap_or(0);
        let mut plot = Plot {
            family,
            lowest: ranges().map(|range| range.0).min().unwrap_or(0),
            most: most_up,
            up,
            lost,
        };
        plot.most = (0..plot.up.len())
            .filter_map(|place| Some(plot.up[place].range?.1.saturating_add(plot.down_at(place))))
            .max()
            .unwrap_or(0)
            .max(most_up);
        (plot.most > 0).then_some(plot)
    }

    /// Networks that were down throughout a column. Without a series of losses: what is missing to the most ever up.
    fn down_at(&self, place: usize) -> u64 {
        match &self.lost {
            Some(lost) => lost.get(place).and_then(|column| column.range).map_or(0, |range| range.0),
            None => {
                let up = self.up.get(place).and_then(|column| column.range).map_or(0, |range| range.1);
                self.most.saturating_sub(up)
            }
        }
    }
}
