//! The attacks that bear on an entity, in rows of their own on the axis of its outages: bars from start to stop, the
//! larger the taller, and the largest with their names. That one stands left of an outage says no more than that.

use super::bar::Bar;
use super::panel::Panel;
use super::rows::{Given, Most, Wish, rows};
use super::scale::{CountScale, TimeScale};
use super::svg::{Svg, text_width};
use super::{Picture, style};
use crate::present::course::Course;
use crate::present::evidence::{self, Beside};
use crate::present::words::counted;
use crate::present::{Case, times};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::PhaseState;
use gonedark_infer::traffic::report::{Attack, DeafReason};
use gonedark_route::Time;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The height of a row.
const ROW: f64 = 18.0;
/// The height of the strip that is hatched where nobody told of traffic.
const STRIP: f64 = 7.0;
/// A picture reaches back at most so many times its window. An attack is told up to five days before an outage: so a
/// window of a day shows all of them and keeps a sixth of the width.
const BACK: i64 = 5;

/// From when to when a picture of these entities goes: the window, and before it the attacks that bear on them.
pub(in crate::present) fn reach(case: &Case<'_>, entities: &[Entity]) -> (Time, Time) {
    let (from, until) = case.report.window;
    let all = evidence::of(case);
    let of_them = all.iter().filter(|beside| entities.contains(&beside.incident.entity));
    let Some(first) = of_them.map(|beside| beside.attack.start.earliest).min().filter(|first| *first < from)
    else {
        return (from, until);
    };
    // So that the first does not stick to the edge.
    let margin = (until - first) / 50;
    let back = (until - from).saturating_mul(BACK);
    ((first + -margin).max(from + back.saturating_neg()), until)
}

/// Whether attacks are drawn in a picture, which its legend has to explain then.
pub(super) fn are_drawn(all: &[Beside<'_>], case: &Case<'_>, picture: &Picture) -> bool {
    all.iter()
        .filter(|beside| picture.entities.contains(&beside.incident.entity))
        .any(|beside| is_within(beside.attack, case, picture.from, picture.until))
}

fn is_within(attack: &Attack, case: &Case<'_>, from: Time, until: Time) -> bool {
    attack.span(evidence::heard_until(case)).latest >= from && attack.start.earliest <= until
}

impl Panel<'_, '_> {
    /// Draws them from `y` on; where they end. Nothing where none bears on the entity.
    pub(super) fn attacks(&self, svg: &mut Svg, y: f64) -> f64 {
        let all = self.own_attacks();
        if all.is_empty() {
            return y;
        }
        let heard_until = evidence::heard_until(self.case);
        let largest = all.iter().map(|attack| attack.impact.peak.bps).max().unwrap_or(0);
        let within = |attack: &&&Attack| is_within(attack, self.case, self.time.from, self.time.until);
        let mut bars: Vec<Bar<'_>> = all
            .iter()
            .filter(within)
            .map(|attack| Bar::new(attack, heard_until, &self.time, largest))
            .collect();
        bars.sort_by_key(|bar| {
            (Reverse(bar.attack.impact.peak.bps), bar.attack.start.earliest, bar.attack.target)
        });
        let wish = |bar: &Bar<'_>| {
            let (left, right) = bar.extent();
            Wish { left, right, words: bar.words() }
        };
        let wishes: Vec<Wish> = bars.iter().map(wish).collect();
        let (given, count) = rows(&wishes, (self.time.left, self.time.right()), self.most_rows());
        let undrawn = given.iter().filter(|given| given.is_none()).count();
        self.heading(svg, y + 10.0, &self.heading_words(all.len(), bars.len(), undrawn));
        if bars.is_empty() {
            return y + 20.0;
        }
        let unheard = unheard(self.case, &self.time);
        let strip = if unheard.is_empty() { 0.0 } else { STRIP };
        let (top, height) = (y + 16.0, count as f64 * ROW + 4.0 + strip);
        self.shades(svg, top, height);
        self.strip(svg, &unheard, top + height - strip);
        for (bar, given) in bars.iter().zip(&given) {
            if let Some(Given { row, .. }) = given {
                bar.draw(svg, top + (*row + 1) as f64 * ROW);
            }
        }
        for Given { row, words } in given.iter().flatten() {
            if let Some((anchor, x, words)) = words {
                svg.label("g-raised", anchor, (*x, top + (*row + 1) as f64 * ROW - 2.0), words);
            }
        }
        svg.rect("g-frame", (self.time.left, top), (self.time.width, height));
        top + height + 8.0
    }

    /// Each attack beside any of the entity's incidents, once.
    fn own_attacks(&self) -> Vec<&Attack> {
        let mut seen = BTreeSet::new();
        let own = self.beside.iter().filter(|beside| beside.incident.entity == *self.entity);
        own.map(|beside| beside.attack).filter(|attack| seen.insert(&attack.id)).collect()
    }

    fn most_rows(&self) -> Most {
        match self.picture.entities.len() {
            1 => Most { named: 4, bare: 4 },
            _ => Most { named: 2, bare: 2 },
        }
    }

    /// The heading, and on its right when anybody told of traffic at all, where that is not all the time.
    fn heading(&self, svg: &mut Svg, y: f64, words: &str) {
        svg.label("g-label", "start", (self.time.left, y), words);
        let Some((from, until)) = self.case.traffic.and_then(|traffic| traffic.report.window) else { return };
        let heard = format!("flows were told of {} UTC", times::span(minute(from), minute(until)));
        let needed = text_width(words, 12.0) + 16.0 + text_width(&heard, 11.0);
        if (self.time.from < from || self.time.until > until) && needed <= self.time.width {
            svg.label("g-note", "end", (self.time.right(), y), &heard);
        }
    }

    /// The longer of two headings that fits.
    fn heading_words(&self, all: usize, within: usize, undrawn: usize) -> String {
        let every = counted(all as u64, "denial of service", "denials of service");
        let attacks = match within {
            0 => format!("none of {every}"),
            some if some < all => format!("{some} of {every}"),
            _ => every,
        };
        let rest = match (undrawn, within) {
            (0, 0) => " in this time".to_owned(),
            (0, _) => String::new(),
            (some, _) => format!(", {some} of the smaller not drawn"),
        };
        let on = format!(" beside the outages of {}", self.case.name(self.entity));
        let long = format!("{attacks}{on}{rest}");
        if text_width(&long, 12.0) <= self.time.width { long } else { format!("{attacks}{rest}") }
    }

    /// What is behind the bars: the ticks, and the outages as shades, which names can stand on.
    fn shades(&self, svg: &mut Svg, top: f64, height: f64) {
        svg.rect("g-plot", (self.time.left, top), (self.time.width, height));
        for incident in self.incidents().filter(|incident| !incident.is_unstable_only()) {
            let until = incident.recovery.map_or(self.case.report.window.1, |turn| turn.latest);
            let (left, right) = (self.time.x(incident.onset.earliest), self.time.x(until));
            svg.rect("g-outage", (left, top), (right - left, height));
        }
        self.grid(svg, &CountScale { least: 0.0, most: 1.0, top, height });
    }

    /// Hatched where nobody told of traffic.
    fn strip(&self, svg: &mut Svg, unheard: &[(Time, Time)], top: f64) {
        let pattern = format!("{}{}", self.picture.prefix, style::class(PhaseState::Unknown));
        for (from, until) in unheard {
            let (left, right) = (self.time.x(*from), self.time.x(*until));
            svg.patterned("g-unseen", &pattern, (left, top), (right - left, STRIP));
        }
    }
}

/// The minute in which a moment lies.
fn minute(time: Time) -> Time {
    Time::from_seconds(time.seconds().div_euclid(times::MINUTE) * times::MINUTE)
}

/// When nobody told of traffic, within the picture: before and after all of it, and where everybody was silent.
fn unheard(case: &Case<'_>, time: &TimeScale) -> Vec<(Time, Time)> {
    let Some(traffic) = case.traffic else { return Vec::new() };
    let (first, last) = traffic.report.window.unwrap_or((time.until, time.until));
    let exporters = traffic.report.exporters.len().max(1) as isize;
    // Silences of one exporter do not overlap: where as many go on as there are exporters, all are silent.
    let silent = traffic.report.deaf.iter().filter(|deaf| deaf.reason != DeafReason::Lost);
    let mut turns: Vec<(Time, isize)> = silent.flat_map(|deaf| [(deaf.from, 1), (deaf.until, -1)]).collect();
    turns.sort_unstable();
    let (mut count, mut since) = (0, None);
    let mut all = vec![(time.from, first), (last, time.until)];
    for (at, step) in turns {
        count += step;
        match since {
            None if count >= exporters => since = Some(at),
            Some(from) if count < exporters => {
                all.push((from, at));
                since = None;
            }
            _ => {}
        }
    }
    all.retain(|(from, until)| from < until && *from < time.until && *until > time.from);
    all
}
