//! Series as columns one pixel wide: within a column a count has a least and a greatest value, and may be unseen.

use super::scale::TimeScale;
use super::svg::Px;
use gonedark_infer::entity::Entity;
use gonedark_infer::report::{Report, Sample, Signal};
use gonedark_route::{Family, Time};
use std::fmt::Write;

/// What a signal was within one column.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Column {
    /// Least and greatest value; `None` where none was seen.
    pub(super) range: Option<(u64, u64)>,
    /// Whether too few could see somewhere in it.
    pub(super) unseen: bool,
}

impl Column {
    fn add(&mut self, sample: Sample) {
        match sample {
            Sample::Missing => self.unseen = true,
            Sample::Value(value) => {
                let (least, most) = self.range.unwrap_or((value, value));
                self.range = Some((least.min(value), most.max(value)));
            }
        }
    }
}

/// The signal in columns from left to right; `None` where the report has no such series.
pub(super) fn columns(
    report: &Report,
    entity: &Entity,
    family: Family,
    signal: Signal,
    scale: &TimeScale,
) -> Option<Vec<Column>> {
    let series = report
        .series
        .iter()
        .find(|series| series.entity == *entity && series.family == family && series.signal == signal)?;
    let count = scale.width.round().max(1.0) as usize;
    let mut columns = vec![Column::default(); count];
    let ends = series.points.iter().skip(1).map(|point| point.0).chain([report.window.1]);
    for ((from, sample), until) in series.points.iter().zip(ends) {
        if until <= scale.from || *from >= scale.until {
            continue;
        }
        let (first, last) = (place(scale, *from), place(scale, until));
        // A value that ends just where a column begins is not of that column.
        let last = if until > scale.time(scale.left + last as f64) { last } else { last.saturating_sub(1) };
        for column in columns.iter_mut().take(last + 1).skip(first) {
            column.add(*sample);
        }
    }
    Some(columns)
}

fn place(scale: &TimeScale, time: Time) -> usize {
    let most = scale.width.round().max(1.0) - 1.0;
    (scale.x(time) - scale.left).floor().clamp(0.0, most) as usize
}

/// Stretches of columns for which `what` holds, as pixels from the left edge.
pub(super) fn stretches(columns: &[Column], what: impl Fn(&Column) -> bool) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        let (left, right) = (place as f64, place as f64 + 1.0);
        match all.last_mut() {
            Some(last) if what(column) && last.1 == left => last.1 = right,
            _ if what(column) => all.push((left, right)),
            _ => {}
        }
    }
    all
}

/// The outline between two heights (top, bottom) for each column, as SVG path data. One outline for each stretch with
/// values, so that no seams show between columns; columns without a value leave a gap.
pub(super) fn area(
    columns: &[Column],
    left: f64,
    heights: impl Fn(usize, (u64, u64)) -> Option<(f64, f64)>,
) -> String {
    let edges: Vec<Option<(f64, f64)>> = columns
        .iter()
        .enumerate()
        .map(|(place, column)| column.range.and_then(|range| heights(place, range)))
        .collect();
    let mut path = String::new();
    let mut start = 0;
    for stretch in edges.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let known: Vec<(f64, f64)> = stretch.iter().flatten().copied().collect();
        outline(&mut path, left + start as f64, &known);
        start += stretch.len();
    }
    path
}

/// Along the tops to the right, along the bottoms back.
fn outline(path: &mut String, left: f64, edges: &[(f64, f64)]) {
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return };
    let _ = write!(path, "M{} {}", Px(left), Px(first.0));
    for (place, pair) in edges.windows(2).enumerate() {
        if pair[0].0 != pair[1].0 {
            let _ = write!(path, "H{}V{}", Px(left + place as f64 + 1.0), Px(pair[1].0));
        }
    }
    let _ = write!(path, "H{}V{}", Px(left + edges.len() as f64), Px(last.1));
    for (place, pair) in edges.windows(2).enumerate().rev() {
        if pair[0].1 != pair[1].1 {
            let _ = write!(path, "H{}V{}", Px(left + place as f64 + 1.0), Px(pair[0].1));
        }
    }
    let _ = write!(path, "H{}Z", Px(left));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_fall_is_seen_however_narrow_its_column() {
        let mut column = Column::default();
        column.add(Sample::Value(4));
        column.add(Sample::Value(0));
        column.add(Sample::Value(4));
        assert_eq!(column, Column { range: Some((0, 4)), unseen: false });
        column.add(Sample::Missing);
        assert!(column.unseen, "blindness is shown beside what was seen");
    }

    #[test]
    fn stretches_join_neighbours() {
        let unseen = Column { range: None, unseen: true };
        let seen = Column { range: Some((1, 1)), unseen: false };
        let all = [seen, unseen, unseen, seen, unseen];
        assert_eq!(stretches(&all, |column| column.unseen), [(1.0, 3.0), (4.0, 5.0)]);
    }
}
