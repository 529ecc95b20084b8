//! What agencies and sites put before the first words: 【…】, （…讯）, 新华社北京1月2日电, CITY (Agency) -.

/// Characters within which such a thing ends.
const WITHIN: usize = 40;

/// The text without what stands before its first words.
pub(super) fn without(text: &str) -> &str {
    let mut rest = text.trim_start();
    // An agency within a site's brackets is as much as there is.
    for _ in 0..3 {
        let Some(after) = bracketed(rest)
            .or_else(|| telegram(rest))
            .or_else(|| latin(rest))
        else {
            break;
        };
        rest = after
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '：' | '-' | '—'));
    }
    rest
}

/// Behind 【anything】, and behind （an agency）.
fn bracketed(text: &str) -> Option<&str> {
    let open = text.chars().next()?;
    let close = match open {
        '【' => '】',
        '（' | '(' => ')',
        '[' | '［' => ']',
        _ => return None,
    };
    let is_end = |c: char| c == close || (close == ')' && c == '）') || (close == ']' && c == '］');
    let (at, end) = text.char_indices().take(WITHIN).find(|(_, c)| is_end(*c))?;
    let inside = text.get(open.len_utf8()..at)?;
    let after = text.get(at + end.len_utf8()..)?;
    let ends = ['网', '網', '讯', '訊', '电', '電', '社', '报', '報', '者'];
    let has = [
        "网",
        "網",
        "讯",
        "訊",
        "电",
        "電",
        "记者",
        "記者",
        "通讯员",
        "通訊員",
    ];
    let named = inside.ends_with(ends) || has.iter().any(|name| inside.contains(name));
    (matches!(open, '【') || named).then_some(after)
}

/// Behind the words of an agency: up to 日电 or 日讯 in one sentence, and behind 本报讯 and the like.
fn telegram(text: &str) -> Option<&str> {
    for begin in ["本报讯", "本報訊", "本网讯", "本網訊", "本台讯", "本台訊"] {
        if let Some(after) = text.strip_prefix(begin) {
            return Some(after);
        }
    }
    let head = head(text);
    let at = ["日电", "日電", "日讯", "日訊"]
        .iter()
        .filter_map(|end| head.find(end).map(|at| at + end.len()))
        .min()?;
    let (before, after) = text.split_at_checked(at)?;
    (!before.contains(['。', '，', ',', '、', '；'])).then_some(after)
}

/// Behind `CITY, Nov 3 (Agency) - `.
fn latin(text: &str) -> Option<&str> {
    if !text.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let head = head(text);
    let end = [") - ", ") -- ", ") — ", ") – "]
        .iter()
        .filter_map(|end| head.find(end).map(|at| at + end.len()))
        .min()?;
    text.get(end..)
}

fn head(text: &str) -> &str {
    let end = text
        .char_indices()
        .nth(WITHIN)
        .map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_agencies_put_before_the_first_words_goes() {
        let check = |text: &str, left: &str| assert_eq!(without(text), left, "{text}");
        check("【编造报讯】渡轮今天停航", "渡轮今天停航");
        check("（编造网讯）渡轮今天停航", "渡轮今天停航");
        check("(编造社 记者) 渡轮", "渡轮");
        check("【快讯】（编造社电）渡轮", "渡轮");
        check("编造社北港11月3日电（记者 某某）渡轮", "渡轮");
        check("本报讯 渡轮", "渡轮");
        check(
            "NORTH HARBOUR, Nov 3 (Made-up) - The ferry stops",
            "The ferry stops",
        );
        // Words that only look like it.
        check("（一）渡轮今天停航", "（一）渡轮今天停航");
        check("今天，编造港3日电力恢复", "今天，编造港3日电力恢复");
        check("The ferry stops", "The ferry stops");
        check("【没有结尾", "【没有结尾");
        check("", "");
    }
}
