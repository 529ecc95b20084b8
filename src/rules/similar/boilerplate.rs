//! Lines that are a site's and not an article's: credits, notices, invitations. They stand at an article's ends.

use std::sync::LazyLock;

use crate::rules::fold::fold;

/// A line is its feed's and not an article's from so many of the feed's entries on.
pub const REPEATS: usize = 5;

/// Folded characters of a line that may be learned. What is longer is a paragraph, and may come again in a repost.
pub const SHORTEST: usize = 4;
/// As [`SHORTEST`].
pub const LONGEST: usize = 150;

/// Folded characters of a line that is known by its words. Latin letters say less each.
const CREDIT: usize = 40;
const LATIN_CREDIT: usize = 100;

/// What such lines say. Folded before it is looked for, so in any script.
const WORDS: &[&str] = &[
    "记者",
    "通讯员",
    "编辑",
    "责编",
    "来源",
    "作者",
    "校对",
    "审核",
    "供稿",
    "撰文",
    "摄影",
    "图片",
    "原标题",
    "原文链接",
    "本文来自",
    "转载",
    "版权",
    "未经授权",
    "免责声明",
    "扫码",
    "二维码",
    "公众号",
    "关注我们",
    "点击",
    "下载",
    "客户端",
    "推荐阅读",
    "相关阅读",
    "延伸阅读",
    "更多精彩",
    "更多内容",
    "查看全文",
    "阅读全文",
    "阅读原文",
    "发布时间",
    "发布于",
    "All rights reserved",
    "Copyright",
    "Reporting by",
    "Editing by",
    "Additional reporting",
    "Read more",
    "Read the full",
    "Subscribe to",
    "Sign up for",
    "Follow us",
    "Source:",
    "This article first appeared",
    "This article was originally",
    "Related stories",
    "The post appeared first on",
    "Click here",
    "Download our app",
    "Photo by",
];

static FOLDED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let fold = |words: &&str| fold(words).as_str().to_owned();
    WORDS.iter().map(fold).collect()
});

/// Whether a folded line at an article's end is a credit or a notice by its words, or a line of dates and numbers.
pub(super) fn is_credit(folded: &str) -> bool {
    let chars = folded.chars().count();
    let limit = if folded.len() == chars {
        LATIN_CREDIT
    } else {
        CREDIT
    };
    if chars > limit {
        return false;
    }
    let digits = folded.bytes().filter(u8::is_ascii_digit).count();
    digits * 5 >= chars * 2 || FOLDED.iter().any(|words| folded.contains(words.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_known_in_any_script_and_sentences_are_left() {
        let check = |line: &str, expected| {
            assert_eq!(is_credit(fold(line).as_str()), expected, "{line}");
        };
        check("責任編輯：某某", true);
        check("（记者 某某 北港报道）", true);
        check("2026-11-30 08:12", true);
        check("© Copyright 2026 Made-up News. All rights reserved.", true);
        check("Reporting by Some Body; Editing by Any Body", true);
        check("渡轮今天停航。", false);
        check("The ferry stops today.", false);
        // A paragraph that has such a word in it.
        check(&"渡轮博物馆的记者今天看到一百二十件旧物。".repeat(3), false);
    }
}
