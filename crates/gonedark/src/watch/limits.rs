//! What limits what a watch concludes: said in the log when it is new and where there is twice as much of it, and in the
//! status as long as it holds.

use crate::present::words;
use gonedark_infer::report::Note;
use std::collections::BTreeMap;

/// The limits that hold, and how much of each was said.
#[derive(Default)]
pub struct Limits {
    said: BTreeMap<(u8, String), u64>,
}

impl Limits {
    /// Takes what limits the conclusions now; gives it in sentences.
    pub(super) fn hold<'a>(&mut self, notes: impl IntoIterator<Item = &'a Note>) -> Vec<String> {
        let mut sentences = Vec::new();
        let mut held = BTreeMap::new();
        for note in notes {
            let Some((key, much)) = measure(note) else { continue };
            let sentence = words::note(note);
            let before = self.said.remove(&key);
            let is_news = before.is_none_or(|before| much >= before.saturating_mul(2));
            if is_news {
                tracing::warn!("{sentence}");
            }
            held.insert(key, if is_news { much } else { before.unwrap_or(much) });
            sentences.push(sentence);
        }
        self.said = held;
        sentences
    }
}

/// What a note is of, and how much of it there is; nothing for those that belong to one incident or network.
fn measure(note: &Note) -> Option<((u8, String), u64)> {
    let (kind, whose, much) = match note {
        Note::TableNotSeen { collector } => (0, collector.as_str(), 1),
        Note::TableCut { collector } => (1, collector.as_str(), 1),
        Note::ClockSkew { collector, micros } => (2, collector.as_str(), micros.unsigned_abs()),
        Note::LateRecords { collector, count } => (3, collector.as_str(), *count),
        Note::TooManyNetworks { refused, .. } => (4, "", *refused),
        Note::TooManyPeers { refused, .. } => (5, "", *refused),
        Note::NotConfirmed { .. } => (6, "", 1),
        Note::AgedOut { .. } | Note::NextToBlindness => return None,
    };
    Some(((kind, whose.to_owned()), much))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_said_again_only_where_there_is_twice_as_much_of_it() {
        let mut limits = Limits::default();
        let late = |count| Note::LateRecords { collector: "rrc00".to_owned(), count };
        let mut said = Vec::new();
        for count in [1, 1, 2, 3, 4, 7, 9] {
            assert_eq!(limits.hold([&late(count), &Note::NextToBlindness]).len(), 1);
            said.push(limits.said.values().copied().collect::<Vec<_>>());
        }
        assert_eq!(said, [[1], [1], [2], [2], [4], [4], [9]].map(Vec::from));
        assert_eq!(limits.hold([]), Vec::<String>::new());
        assert!(limits.said.is_empty(), "what holds no longer is new when it comes again");
    }
}
