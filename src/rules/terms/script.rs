//! Which characters are words by themselves.

/// What a character of a folded text is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Of a script that is written without blanks between words, or whose words carry endings nobody types (Hangul):
    /// any stretch of it may be asked for.
    Run,
    /// A letter of a script that parts words.
    Letter,
    /// A digit of such a script.
    Digit,
    /// What parts words.
    Gap,
}

/// The class of a character of a folded text.
pub fn class(char: char) -> Class {
    if char == ' ' {
        Class::Gap
    } else if char.is_ascii_digit() {
        Class::Digit
    } else if char.is_ascii() {
        Class::Letter
    } else if is_run(char) {
        Class::Run
    } else if char.is_numeric() {
        Class::Digit
    } else {
        Class::Letter
    }
}

/// Han, kana, Bopomofo, Yi, Hangul, Thai, Lao, Burmese, Khmer and the Tai scripts.
fn is_run(char: char) -> bool {
    matches!(u32::from(char), 0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x1950..=0x19DF
        | 0x1A20..=0x1AAF | 0x2E80..=0xA4CF | 0xA960..=0xA97F | 0xA9E0..=0xA9FF | 0xAA60..=0xAA7F | 0xAA80..=0xAADF
        | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0xFF66..=0xFFDC | 0x16FE0..=0x18DFF | 0x1AFF0..=0x1B2FF
        | 0x20000..=0x3FFFF)
}

/// Scripts that know no blank at all: one beside them is a matter of typesetting (`用 iPhone 拍` is `用iPhone拍`).
pub fn is_dense(char: char) -> bool {
    matches!(u32::from(char), 0x2E80..=0x312F | 0x31A0..=0x9FFF | 0xF900..=0xFAFF | 0x16FE0..=0x18DFF
        | 0x1AFF0..=0x1B2FF | 0x20000..=0x3FFFF)
}
