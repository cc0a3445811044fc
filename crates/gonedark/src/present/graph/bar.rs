//! One attack as a bar: from start to stop, pale where they are in doubt, with an arrow where it goes on.

use super::scale::TimeScale;
use super::svg::{Px, Svg};
use crate::present::times;
use crate::present::traffic::{bits, means, packets};
use gonedark_infer::traffic::report::Attack;
use gonedark_route::Time;

/// The height of the smallest and of the largest bar.
const LEAST: f64 = 4.0;
const TALLEST: f64 = 14.0;
/// A bar is at least so wide: an attack of a few minutes is still to be seen.
const NARROWEST: f64 = 3.0;
/// The length of the arrow of an attack that goes on.
const ARROW: f64 = 8.0;
/// Bars grow with the logarithm of the peak, from so many powers of ten below the largest on. Guess: what is smaller
/// than a thousandth of the largest is as good as none beside it.
const DECADES: f64 = 3.0;

/// An attack as pixels: what is between its bounds is certain.
pub(super) struct Bar<'a> {
    pub(super) attack: &'a Attack,
    /// Where it can have begun and where it had.
    begin: (f64, f64),
    /// Where it can have ended and where it had.
    end: (f64, f64),
    height: f64,
}

impl<'a> Bar<'a> {
    pub(super) fn new(attack: &'a Attack, heard_until: Time, time: &TimeScale, largest: u64) -> Self {
        let begin =
            (time.x(attack.start.earliest), time.x(attack.start.latest).min(time.right() - NARROWEST));
        let end = match attack.stop {
            Some(stop) => (time.x(stop.earliest), time.x(stop.latest)),
            // As far as was heard, with room for the arrow.
            None => [time.x(heard_until).min(time.right() - ARROW); 2].into(),
        };
        let least = begin.1 + NARROWEST;
        let share = (attack.impact.peak.bps.max(1) as f64 / largest.max(1) as f64).log10() / DECADES + 1.0;
        let height = LEAST + (TALLEST - LEAST) * share.clamp(0.0, 1.0);
        Bar { attack, begin, end: (end.0.max(least), end.1.max(least)), height }
    }

    /// Where it begins and ends, with what is in doubt.
    pub(super) fn extent(&self) -> (f64, f64) {
        let arrow = if self.attack.is_ongoing() { ARROW } else { 0.0 };
        (self.begin.0.min(self.begin.1), self.end.1 + arrow)
    }

    /// What may stand beside it, the longest first.
    pub(super) fn words(&self) -> Vec<String> {
        let Attack { target, vectors, impact, .. } = self.attack;
        let peak = bits(impact.peak.bps);
        let lasts = if self.attack.is_ongoing() { ", goes on" } else { "" };
        let named = vectors.first().map(|vector| {
            let named = format!("{target}: {}, {peak}", means::short(vector.kind));
            [format!("{named}, {}{lasts}", packets(impact.peak.pps)), format!("{named}{lasts}")]
        });
        let shorter = [format!("{target}, {peak}{lasts}"), peak];
        named.into_iter().flatten().chain(shorter).collect()
    }

    /// Draws it, standing on `bottom`.
    pub(super) fn draw(&self, svg: &mut Svg, bottom: f64) {
        let top = bottom - self.height;
        svg.open("g", &[]);
        svg.texts("title", &[], &told(self.attack));
        svg.rect("g-attack-edge", (self.begin.0, top), (self.begin.1 - self.begin.0, self.height));
        svg.rect("g-attack", (self.begin.1, top), (self.end.0 - self.begin.1, self.height));
        svg.rect("g-attack-edge", (self.end.0, top), (self.end.1 - self.end.0, self.height));
        if self.attack.is_ongoing() {
            let (x, middle) = (self.end.1, bottom - self.height / 2.0);
            let tip = format!(
                "M{} {}L{} {}L{} {}Z",
                Px(x),
                Px(middle - TALLEST / 2.0),
                Px(x + ARROW),
                Px(middle),
                Px(x),
                Px(middle + TALLEST / 2.0)
            );
            svg.empty("path", &[("class", &"g-attack"), ("d", &tip)]);
        }
        svg.close("g");
    }
}

/// What a reader sees who points at a bar.
fn told(attack: &Attack) -> String {
    let until = attack.stop.map_or("goes on".to_owned(), |stop| format!("to {}", times::stamp(stop.latest)));
    let by = attack.vectors.first().map(|vector| format!(", by {}", means::vector(vector.kind)));
    let peak = attack.impact.peak;
    format!(
        "{}: {} {until} UTC, up to {} and {}{}",
        attack.target,
        times::stamp(attack.start.latest),
        packets(peak.pps),
        bits(peak.bps),
        by.unwrap_or_default()
    )
}
