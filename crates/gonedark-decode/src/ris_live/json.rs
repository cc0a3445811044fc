//! A scanner of JSON text (RFC 8259) that borrows all that it reads: a row of fields in any order is all there is to
//! take out of a message, and their values are digits, addresses and short names.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};

/// How deep values may be nested. RIS Live nests five deep; a guess that keeps the stack small.
const DEPTH_MAX: u32 = 32;

/// The unread rest of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    cursor: Cursor<'a>,
    depth: u32,
}

/// A value as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// What stands between the quotation marks; escapes are sound and not resolved.
    String(Cursor<'a>),
    Number(Cursor<'a>),
    /// From its bracket to the one that closes it.
    Array(Cursor<'a>),
    /// An object, `true`, `false` or `null`.
    Other,
}

impl<'a> Value<'a> {
    /// What a string or a number says.
    #[inline]
    pub(crate) fn text(self) -> Option<Cursor<'a>> {
        match self {
            Value::String(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Json<'a> {
    #[inline]
    pub(crate) fn new(text: Cursor<'a>) -> Self {
        Json { cursor: text, depth: 0 }
    }

    /// The error of what stands here; 0 stands for the end of the text.
    #[cold]
    pub(crate) fn unexpected(&self) -> DecodeError {
        let found = self.cursor.rest().first().copied().unwrap_or(0);
        self.cursor.value(Field::Json, u32::from(found))
    }

    /// Where the next character stands.
    pub(crate) fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// Whether an object stands here.
    #[inline]
    pub(crate) fn is_at_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    /// The next character that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.cursor.rest().first() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.step(1),
                other => return Some(*other),
            }
        }
        None
    }

    #[inline]
    fn step(&mut self, count: usize) {
        let _ = self.cursor.take(count, Field::Json);
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), DecodeError> {
        match self.peek() {
            Some(found) if found == wanted => {
                self.step(1);
                Ok(())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Calls `each` with every key and value of the object that stands here. Keys with escapes are given as they are.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        self.expect(b'{')?;
        self.items(b'}', |json| {
            json.peek();
            let key = json.string()?;
            json.expect(b':')?;
            each(json, key.rest())
        })
    }

    /// Calls `each` at every value of the array that stands here.
    #[inline]
    pub(crate) fn array(
        &mut self,
        each: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        self.expect(b'[')?;
        self.items(b']', each)
    }

    #[inline]
    fn items(
        &mut self,
        close: u8,
        mut each: impl FnMut(&mut Self) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH_MAX {
            return Err(self.cursor.value(Field::JsonDepth, self.depth));
        }
        if self.peek() != Some(close) {
            loop {
                each(self)?;
                match self.peek() {
                    Some(b',') => self.step(1),
                    Some(other) if other == close => break,
                    _ => return Err(self.unexpected()),
                }
            }
        }
        self.step(1);
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    /// The value that stands here, checked to its end.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'{') => self.object(|json, _| json.value().map(|_| ())).map(|()| Value::Other),
            Some(b'[') => {
                let from = self.cursor;
                self.array(|json| json.value().map(|_| ()))?;
                self.since(from).map(Value::Array)
            }
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.unexpected()),
        }
    }

    #[inline]
    fn since(&self, mut from: Cursor<'a>) -> Result<Cursor<'a>, DecodeError> {
        let length = from.rest().len().saturating_sub(self.cursor.rest().len());
        from.sub(length, Field::Json)
    }

    fn word(&mut self, word: &[u8]) -> Result<Value<'a>, DecodeError> {
        match self.cursor.rest().starts_with(word) {
            true => {
                self.step(word.len());
                Ok(Value::Other)
            }
            false => Err(self.unexpected()),
        }
    }

    #[inline]
    fn string(&mut self) -> Result<Cursor<'a>, DecodeError> {
        if self.cursor.rest().first() != Some(&b'"') {
            return Err(self.unexpected());
        }
        self.step(1);
        let from = self.cursor;
        loop {
            let rest = self.cursor.rest();
            self.step(plain_length(rest));
            match self.cursor.rest() {
                [b'"', ..] => {
                    let text = self.since(from);
                    self.step(1);
                    return text;
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.step(2),
                [b'\\', b'u', a, b, c, d, ..]
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    self.step(6);
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    fn number(&mut self) -> Result<Cursor<'a>, DecodeError> {
        let from = self.cursor;
        if self.cursor.rest().first() == Some(&b'-') {
            self.step(1);
        }
        match self.cursor.rest().first() {
            Some(b'0') => self.step(1),
            _ => self.digits()?,
        }
        if self.cursor.rest().first() == Some(&b'.') {
            self.step(1);
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.cursor.rest().first() {
            self.step(1);
            if let Some(b'+' | b'-') = self.cursor.rest().first() {
                self.step(1);
            }
            self.digits()?;
        }
        self.since(from)
    }

    fn digits(&mut self) -> Result<(), DecodeError> {
        let count = self.cursor.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.unexpected());
        }
        self.step(count);
        Ok(())
    }
}

/// How many bytes stand before the first quotation mark, backslash or control character.
///
/// Eight at a time, as most of a line is one string of hexadecimal digits: in `x - 0x01..`, with the bits of `x` itself
/// taken out, the high bit of the lowest byte that is zero is set, and none below it.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const QUOTE: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASH: u64 = u64::from_ne_bytes([b'\\'; 8]);
    const SPACE: u64 = u64::from_ne_bytes([b' '; 8]);
    let mut before = 0_usize;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let found = (zero(word ^ QUOTE) | zero(word ^ BACKSLASH) | word.wrapping_sub(SPACE) & !word) & HIGH;
        if found != 0 {
            return before.saturating_add(found.trailing_zeros() as usize >> 3);
        }
        before = before.saturating_add(8);
    }
    let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
    before.saturating_add(plain.unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_first_mark_wherever_it_stands() {
        for length in 0..40 {
            for mark in [b'"', b'\\', 0, 0x1F, b'\n'] {
                for plain in [b'A', b' ', b'#', b'!', b'[', b']', 0x7F, 0x80, 0xFF] {
                    let mut bytes = vec![plain; length];
                    assert_eq!(plain_length(&bytes), length);
                    bytes.extend([mark, b'"', 0, plain, mark]);
                    assert_eq!(plain_length(&bytes), length, "{mark} behind {plain}");
                }
            }
        }
    }
}
