//! When an attack is over.

use super::meter::Traffic;
use super::open::Open;
use super::place::Place;
use crate::parameters::SECOND;
use crate::report::Interval;
use gonedark_route::Time;

impl Traffic {
    /// Ends attacks that have been quiet for long enough, as far as somebody listened.
    pub(super) fn end_what_is_quiet(&mut self) {
        let quiet = self.parameters.quiet / SECOND;
        let now = self.now;
        let over: Vec<Place> = self
            .open
            .values()
            .filter(|open| now - 1 - open.last_above >= quiet && self.was_heard_since(open))
            .map(|open| open.place)
            .collect();
        for place in over {
            let Some(open) = self.open.remove(&place) else { continue };
            let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
            let attack = open.tell(account, Some(self.stop_of(&open)), &self.parameters);
            self.changed.remove(&place);
            self.ended.insert(place, open.last_above);
            if self.finished.len() >= self.parameters.max_finished.max(1) {
                self.finished.remove(0);
                self.told = self.told.saturating_sub(1);
                self.forgotten += 1;
            }
            self.finished.push(attack);
        }
    }

    /// Whether any exporter that saw the attack was heard after its last second above.
    fn was_heard_since(&self, open: &Open) -> bool {
        let after = Time::from_seconds(open.last_above + 1);
        let Some(account) = self.accounts.get(open.account as usize).and_then(Option::as_ref) else {
            return true;
        };
        let known = account.exporters.iter().filter_map(|number| self.exporters.get(usize::from(*number)));
        known.flatten().any(|exporter| exporter.last_heard() >= after)
    }

    /// When it ended: in the last second above, or while nobody listened after it. A second of which only a part was listened
    /// to does not show that nothing was above in it.
    fn stop_of(&self, open: &Open) -> Interval {
        let earliest = Time::from_seconds(open.last_above);
        let mut latest = Time::from_seconds(open.last_above + 1);
        let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
        for number in account.map(|account| &account.exporters).into_iter().flatten() {
            let known = self.exporters.get(usize::from(*number)).and_then(Option::as_ref);
            let next = Time::from_seconds(open.last_above + 2) + -1;
            let silence = known.and_then(|known| known.silence(earliest, next));
            latest = silence.map_or(latest, |silence| silence.until.max(latest));
        }
        Interval { earliest, latest }
    }
}
