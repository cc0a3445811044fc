//! Bars in rows: the first of them with words beside them as far as there is room, the rest close together below.

use super::svg::text_width;

/// Pixels between two bars without words: as many as can just be told from one broad bar.
const APART: f64 = 2.0;
/// Pixels between a bar and its words.
const BESIDE: f64 = 4.0;
/// Pixels between words and what is beside them: so many more that nobody takes them for another bar's.
const BEYOND: f64 = 12.0;

/// A bar that wants a row.
pub(super) struct Wish {
    pub(super) left: f64,
    pub(super) right: f64,
    /// What may stand beside it, the longest first.
    pub(super) words: Vec<String>,
}

/// The row of a bar, and its words: their anchor and place, and what they say.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Given {
    pub(super) row: usize,
    pub(super) words: Option<(&'static str, f64, String)>,
}

/// How many rows there are at most: with words, and below them without.
#[derive(Clone, Copy)]
pub(super) struct Most {
    pub(super) named: usize,
    pub(super) bare: usize,
}

/// Rows for bars, which come in order of importance, between a left and a right edge; `None` for those without room.
/// And how many rows there are.
pub(super) fn rows(wishes: &[Wish], edges: (f64, f64), most: Most) -> (Vec<Option<Given>>, usize) {
    let mut named = Rows::new(most.named);
    let mut given: Vec<Option<Given>> = wishes.iter().map(|wish| named.with_words(wish, edges)).collect();
    let above = named.used();
    let mut bare = Rows::new(most.bare);
    for (wish, given) in wishes.iter().zip(&mut given) {
        if given.is_none() {
            let row = bare.take((wish.left - APART, wish.right + APART), (wish.left, wish.right));
            *given = row.map(|row| Given { row: above + row, words: None });
        }
    }
    (given, above + bare.used())
}

/// What is taken of each row, from left to right.
struct Rows(Vec<Vec<(f64, f64)>>);

impl Rows {
    fn new(count: usize) -> Self {
        Rows(vec![Vec::new(); count])
    }

    /// Takes a stretch in the first row in which `free` is.
    fn take(&mut self, free: (f64, f64), stretch: (f64, f64)) -> Option<usize> {
        let row =
            self.0.iter().position(|taken| taken.iter().all(|one| one.1 <= free.0 || free.1 <= one.0))?;
        self.0[row].push(stretch);
        Some(row)
    }

    fn with_words(&mut self, wish: &Wish, (left, right): (f64, f64)) -> Option<Given> {
        for words in &wish.words {
            let width = BESIDE + text_width(words, 12.0);
            for (anchor, at, stretch) in [
                ("start", wish.right + BESIDE, (wish.left, wish.right + width)),
                ("end", wish.left - BESIDE, (wish.left - width, wish.right)),
            ] {
                if stretch.0 < left - BESIDE || stretch.1 > right + BESIDE {
                    continue;
                }
                if let Some(row) = self.take((stretch.0 - BEYOND, stretch.1 + BEYOND), stretch) {
                    return Some(Given { row, words: Some((anchor, at, words.clone())) });
                }
            }
        }
        None
    }

    fn used(&self) -> usize {
        self.0.iter().take_while(|taken| !taken.is_empty()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(left: f64, words: &[&str]) -> Wish {
        Wish { left, right: left + 10.0, words: words.iter().map(|words| (*words).to_owned()).collect() }
    }

    const MOST: Most = Most { named: 2, bare: 2 };

    #[test]
    fn the_important_get_their_words_and_the_rest_the_rows_below() {
        let long = "a long word";
        let wishes = [wish(100.0, &[long]), wish(105.0, &[long]), wish(110.0, &[long]), wish(111.0, &[long])];
        let (given, count) = rows(&wishes, (0.0, 250.0), MOST);
        let row = |number: usize| given[number].as_ref().map(|given| (given.row, given.words.is_some()));
        assert_eq!([0, 1, 2, 3].map(row), [(0, true), (1, true), (2, false), (3, false)].map(Some));
        assert_eq!(count, 4);
    }

    #[test]
    fn words_are_shortened_or_stand_on_the_left_before_they_are_left_out() {
        let wishes = [wish(200.0, &["far too long a name for it", "name"]), wish(100.0, &["n"])];
        let (given, count) = rows(&wishes, (0.0, 215.0), MOST);
        assert_eq!(given[0].as_ref().and_then(|given| given.words.clone()).map(|words| words.0), Some("end"));
        let (given, _) = rows(&wishes, (150.0, 215.0), MOST);
        assert_eq!(
            given[0].as_ref().and_then(|given| given.words.clone()).map(|words| words.2),
            Some("name".into())
        );
        assert_eq!(count, 2, "what is left of a bar is taken by its words");
    }

    #[test]
    fn what_has_no_row_is_said_to_have_none() {
        let wishes: Vec<Wish> = (0..5).map(|_| wish(100.0, &[])).collect();
        let (given, count) = rows(&wishes, (0.0, 250.0), MOST);
        assert_eq!((given.iter().flatten().count(), count), (2, 2));
    }
}
