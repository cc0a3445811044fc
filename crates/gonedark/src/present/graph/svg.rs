//! A writer of SVG: elements, attributes, escaping. Numbers have one decimal, so that the same picture is the same bytes.

use std::fmt::{Display, Write};

/// SVG text under construction.
#[derive(Default)]
pub(super) struct Svg {
    text: String,
}

/// One attribute.
pub(super) type Attribute<'a> = (&'a str, &'a dyn Display);

/// A length in pixels with one decimal at most.
pub(super) struct Px(pub(super) f64);

impl Display for Px {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0 * 10.0).round() as i64;
        match tenths % 10 {
            0 => write!(f, "{}", tenths / 10),
            _ => {
                write!(f, "{}{}.{}", if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10)
            }
        }
    }
}

impl Svg {
    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.tag(name, attributes);
        self.text.push_str("/>\n");
    }

    /// The begin of an element; [`Svg::close`] ends it.
    pub(super) fn open(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.tag(name, attributes);
        self.text.push_str(">\n");
    }

    /// The end of an element.
    pub(super) fn close(&mut self, name: &str) {
        let _ = writeln!(self.text, "</{name}>");
    }

    /// An element with text in it.
    pub(super) fn texts(&mut self, name: &str, attributes: &[Attribute<'_>], content: &str) {
        self.tag(name, attributes);
        let _ = writeln!(self.text, ">{}</{name}>", escaped(content));
    }

    /// A rectangle of a class; nothing where it has no size.
    pub(super) fn rect(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        if width > 0.0 && height > 0.0 {
            let place: [Attribute<'_>; 4] =
                [("x", &Px(x)), ("y", &Px(y)), ("width", &Px(width)), ("height", &Px(height))];
            let mut all: Vec<Attribute<'_>> = vec![("class", &class)];
            all.extend(place);
            self.empty("rect", &all);
        }
    }

    /// A rectangle filled with a pattern.
    pub(super) fn patterned(
        &mut self,
        class: &str,
        pattern: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
    ) {
        let fill = format!("url(#{pattern})");
        let all: [Attribute<'_>; 6] = [
            ("class", &class),
            ("fill", &fill),
            ("x", &Px(x)),
            ("y", &Px(y)),
            ("width", &Px(width)),
            ("height", &Px(height)),
        ];
        self.empty("rect", &all);
    }

    /// A straight line of a class.
    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let all: [Attribute<'_>; 5] =
            [("class", &class), ("x1", &Px(x1)), ("y1", &Px(y1)), ("x2", &Px(x2)), ("y2", &Px(y2))];
        self.empty("line", &all);
    }

    /// A label: class, anchor (`start`, `middle`, `end`), the point of its base line, its words.
    pub(super) fn label(&mut self, class: &str, anchor: &str, (x, y): (f64, f64), words: &str) {
        let all: [Attribute<'_>; 4] =
            [("class", &class), ("text-anchor", &anchor), ("x", &Px(x)), ("y", &Px(y))];
        self.texts("text", &all, words);
    }

    /// Text that is SVG already.
    pub(super) fn raw(&mut self, svg: &str) {
        self.text.push_str(svg);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    fn tag(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        let _ = write!(self.text, "<{name}");
        for (key, value) in attributes {
            let _ = write!(self.text, " {key}=\"{}\"", escaped(&value.to_string()));
        }
    }
}

/// The five characters that XML reserves; control characters, which XML has no way to hold, become spaces.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

/// The width that text takes at most: 0.62 em for each letter, measured on DejaVu Sans (digits are 0.636 em, the
/// small letters of English text 0.58 em on average).
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * 0.62 * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_break_out_of_the_picture() {
        assert_eq!(escaped("<script>\"&'\u{1b}"), "&lt;script&gt;&quot;&amp;&#39; ");
    }

    #[test]
    fn lengths_are_short_and_stable() {
        assert_eq!(Px(12.0).to_string(), "12");
        assert_eq!(Px(12.34).to_string(), "12.3");
        assert_eq!(Px(-0.25).to_string(), "-0.3");
        assert_eq!(Px(-3.96).to_string(), "-4");
    }
}
