//! Cutting text short.

use unicode_normalization::char::is_combining_mark;

/// The first `max_chars` characters at most, cut where one sign ends and the next begins: not before an accent, not
/// inside a joined emoji, not inside a flag (F-12).
pub fn cut(text: &str, max_chars: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(max_chars) else {
        return text;
    };
    let (head, _) = text.split_at(end);
    let mut kept = head;
    let mut next = next;
    // A sign of more than 32 characters is none; then the plain cut stands.
    for _ in 0..32 {
        let Some(last) = kept.chars().next_back() else {
            return head;
        };
        if !joined(last, next, kept) {
            return kept;
        }
        kept = kept.get(..kept.len() - last.len_utf8()).unwrap_or_default();
        next = last;
    }
    head
}

fn joined(last: char, next: char, before_next: &str) -> bool {
    const JOINER: char = '\u{200D}';
    let modifies = is_combining_mark(next)
        || matches!(u32::from(next), 0x200D | 0xFE00..=0xFE0F | 0x1F3FB..=0x1F3FF | 0xE0020..=0xE007F | 0xE0100..=0xE01EF);
    let is_flag_half = |c: char| matches!(u32::from(c), 0x1F1E6..=0x1F1FF);
    let inside_flag = is_flag_half(next)
        && before_next
            .chars()
            .rev()
            .take_while(|&c| is_flag_half(c))
            .take(1000)
            .count()
            % 2
            == 1;
    modifies || last == JOINER || inside_flag || (last == '\r' && next == '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_between_signs() {
        let check =
            |text: &str, max, expected: &str| assert_eq!(cut(text, max), expected, "{text}");
        check("人工智能", 2, "人工");
        check("abc", 3, "abc");
        check("abc", 9, "abc");
        check("", 0, "");
        check("xe\u{301}y", 2, "x");
        check("xe\u{301}y", 3, "xe\u{301}");
        check("a👩\u{200D}👧b", 2, "a");
        check("a👩\u{200D}👧b", 3, "a");
        check("a👩\u{200D}👧b", 4, "a👩\u{200D}👧");
        check("🇩🇪🇫🇷", 3, "🇩🇪");
        check("🇩🇪🇫🇷", 2, "🇩🇪");
        check("👍🏽!", 1, "👍");
    }

    #[test]
    fn marks_without_end_cost_nothing() {
        let zalgo = "e".to_owned() + &"\u{301}".repeat(100_000);
        assert_eq!(cut(&zalgo, 5000).chars().count(), 5000);
    }
}
