//! Lines that stand in articles and are none of their words: who edited it, where it is from, share and scan, pagers.

use crate::rules::extract::prose::Size;

/// What such a line begins with, before a colon or a blank.
const LABELS: &[&str] = &[
    "责任编辑",
    "責任編輯",
    "责编",
    "責編",
    "编辑",
    "編輯",
    "本文编辑",
    "网络编辑",
    "值班编辑",
    "值班主任",
    "编审",
    "主编",
    "校对",
    "校對",
    "审核",
    "審核",
    "审校",
    "监制",
    "監製",
    "统筹",
    "原标题",
    "原標題",
    "原题",
    "来源",
    "來源",
    "文章来源",
    "文章來源",
    "新闻来源",
    "信息来源",
    "本文来源",
    "稿源",
    "稿件来源",
    "作者",
    "撰文",
    "记者",
    "記者",
    "本报记者",
    "实习生",
    "通讯员",
    "发布时间",
    "發佈時間",
    "发表时间",
    "时间",
    "日期",
    "浏览",
    "阅读",
    "点击",
    "人气",
    "关键词",
    "关键字",
    "關鍵詞",
    "标签",
    "標籤",
    "分享",
    "分享到",
    "分享至",
    "字号",
    "字號",
    "字体",
    "字體",
    "版权声明",
    "版權聲明",
    "免责声明",
    "免責聲明",
    "特别声明",
    "郑重声明",
    "声明",
    "上一篇",
    "下一篇",
    "editor",
    "edited by",
    "source",
    "author",
    "written by",
    "reporting by",
    "editing by",
    "tags",
    "filed under",
    "share",
    "posted in",
    "topics",
];

/// What makes a short line one of these, wherever it stands in it.
const WITHIN: &[&str] = &[
    "扫码",
    "扫一扫",
    "掃碼",
    "掃描二維碼",
    "扫描二维码",
    "二维码",
    "二維碼",
    "长按识别",
    "長按識別",
    "点击关注",
    "點擊關注",
    "关注公众号",
    "关注我们",
    "關注我們",
    "微信公众号",
    "点击下载",
    "點擊下載",
    "点击查看",
    "點擊查看",
    "点击进入",
    "點擊進入",
    "点击图片",
    "下载客户端",
    "下載客戶端",
    "打开app",
    "下载app",
    "下載app",
    "阅读原文",
    "閱讀原文",
    "分享到",
    "分享至",
    "打印本页",
    "列印本頁",
    "返回首页",
    "返回首頁",
    "返回顶部",
    "收藏本站",
    "关闭窗口",
    "加入收藏",
    "icp备",
    "公网安备",
    "版权所有",
    "版權所有",
    "未经授权",
    "未經授權",
    "不得转载",
    "不得轉載",
    "禁止转载",
    "如需转载",
    "违者必究",
    "侵权必究",
    "all rights reserved",
    "copyright ©",
    "© ",
    "subscribe to our",
    "sign up for our",
    "sign up to our",
    "follow us on",
    "share this article",
    "share this story",
    "click here to",
    "download our app",
    "不代表本网",
    "不代表本平台",
    "仅供参考，不构成",
    "立场无关",
    "立場無關",
    "如有侵权",
    "如有侵權",
    "views expressed",
    "opinions expressed",
];

/// Lines that are nothing but one or several of these.
const WORDS: &[&str] = &[
    "广告",
    "廣告",
    "推广",
    "advertisement",
    "advertising",
    "sponsored",
    "sponsor",
    "ad",
    "分享",
    "收藏",
    "打印",
    "列印",
    "举报",
    "舉報",
    "点赞",
    "點讚",
    "赞",
    "讚",
    "评论",
    "評論",
    "转发",
    "轉發",
    "微信",
    "微博",
    "新浪微博",
    "qq空间",
    "qq好友",
    "朋友圈",
    "weibo",
    "wechat",
    "facebook",
    "twitter",
    "whatsapp",
    "telegram",
    "linkedin",
    "email",
    "print",
    "share",
    "save",
    "copy link",
    "复制链接",
    "複製鏈接",
    "字号",
    "字體",
    "大",
    "中",
    "小",
    "放大",
    "缩小",
    "返回",
    "首页",
    "首頁",
    "顶部",
    "上一页",
    "下一页",
    "上一頁",
    "下一頁",
    "上页",
    "下页",
    "上頁",
    "下頁",
    "尾页",
    "尾頁",
    "末页",
    "末頁",
    "全文",
    "余下全文",
    "next",
    "previous",
    "prev",
    "page",
    "next page",
    "previous page",
    "of",
    "页",
    "頁",
    "共",
    "第",
    "正文",
    "comments",
    "comment",
    "reply",
    "like",
    "x",
    "展开全文",
    "展開全文",
    "查看更多",
    "加载更多",
    "loading",
];

/// Headings above what is none of the article.
const OTHERS: &[&str] = &[
    "相关",
    "相關",
    "推荐",
    "推薦",
    "为您推荐",
    "热门",
    "熱門",
    "热点",
    "延伸阅读",
    "延伸閱讀",
    "更多",
    "排行",
    "评论",
    "評論",
    "网友",
    "網友",
    "最新评论",
    "留言",
    "发表评论",
    "我要评论",
    "猜你喜欢",
    "你可能",
    "您可能",
    "大家都在",
    "相似",
    "热搜",
    "最新消息",
    "最新文章",
    "精彩",
    "编辑推荐",
    "今日",
    "点击排行",
    "阅读排行",
    "related",
    "more from",
    "more on",
    "more stories",
    "read more",
    "read next",
    "up next",
    "recommended",
    "popular",
    "most read",
    "most popular",
    "trending",
    "comments",
    "comment",
    "leave a",
    "you may",
    "you might",
    "see also",
    "also read",
    "also in",
    "around the web",
    "what others",
    "latest news",
    "latest stories",
    "top stories",
    "in other news",
    "tags",
    "about the author",
    "关于作者",
    "作者简介",
    "标签",
    "newsletter",
    "share this",
    "follow us",
];

/// Whether a line is none of an article's words, by what it says.
pub(super) fn is_boilerplate(line: &str) -> bool {
    let line = bare(line);
    let length = line.chars().count();
    if length == 0 || length > 200 {
        return false;
    }
    let sentences = line.matches(['。', '！', '？', '!', '?']).count() + line.matches(". ").count();
    (length <= 60 && sentences == 0 && is_labelled(&line))
        || (Size::of(&line, false).all <= 180
            && sentences <= 2
            && WITHIN.iter().any(|words| line.contains(words)))
        || is_of_words(&line)
        || (length <= 70 && sentences == 0 && is_dateline(&line))
}

/// Whether a short line stands above what is none of the article: related stories, comments.
pub(super) fn heads_others(line: &str) -> bool {
    let line = bare(line);
    line.chars().count() <= 24 && OTHERS.iter().any(|words| line.starts_with(words))
}

/// Whether a line is the pages of an article by their numbers.
pub(super) fn is_pager(line: &str) -> bool {
    is_of_words(&bare(line))
}

/// Lower case, without brackets and ornaments around it.
fn bare(line: &str) -> String {
    let ornament = |c: char| {
        c.is_whitespace()
            || "()（）[]【】「」〔〕<>《》〈〉|｜·•—-–_*#:：>»«▲▼■◆●○★☆/\u{feff}".contains(c)
    };
    line.trim_matches(ornament).to_lowercase()
}

fn is_labelled(line: &str) -> bool {
    LABELS.iter().any(|label| {
        line.strip_prefix(label).is_some_and(|rest| {
            let first = rest.chars().next();
            let ends = first.is_none_or(|c| ":：丨|｜/／∶".contains(c));
            // `编辑 某某`, and not `编辑 看了 这篇 …`
            let named = first.is_some_and(char::is_whitespace) && rest.trim().chars().count() <= 12;
            let by = label.ends_with(" by")
                && first == Some(' ')
                && rest.split_whitespace().count() <= 5;
            ends || by || (named && !label.is_ascii())
        })
    }) || line.strip_prefix("by ").is_some_and(|rest| {
        let words = rest.split_whitespace().count();
        (1..=5).contains(&words) && !rest.ends_with(['.', ','])
    })
}

/// Whether nothing is left when the words, numbers and marks are taken away.
fn is_of_words(line: &str) -> bool {
    line.split(|c: char| c.is_ascii_digit() || (!c.is_alphanumeric() && c != ' '))
        .all(|part| {
            let part = part.trim();
            part.is_empty()
                || WORDS.contains(&part)
                || part
                    .split(' ')
                    .all(|word| word.is_empty() || WORDS.contains(&word))
        })
}

/// Whether the line gives a time and little else: `2025-11-01 10:30 某某网`, `Nov 1, 2025`, `3小时前`.
fn is_dateline(line: &str) -> bool {
    let digits = line.chars().filter(char::is_ascii_digit).count();
    let letters = line.chars().filter(|c| c.is_alphabetic()).count();
    if digits == 0 || line.contains(['，', '；', '、']) {
        return false;
    }
    let dated = has_date(line) || has_clock(line);
    let ago = ["前", " ago"].iter().any(|end| line.ends_with(end)) && letters <= 12;
    (dated && letters <= 40) || ago
}

/// `2025-11-01`, `2025年11月1日`, `1 november 2025`, `nov. 1, 2025`.
pub(super) fn has_date(line: &str) -> bool {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let numbers: Vec<&str> = line
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let year = numbers
        .iter()
        .any(|number| number.len() == 4 && (number.starts_with("19") || number.starts_with("20")));
    let parted = numbers.windows(3).any(|three| {
        matches!(three, [year, month, day] if year.len() == 4 && month.len() <= 2 && day.len() <= 2)
    });
    let worded = MONTHS.iter().any(|month| {
        line.split(|c: char| !c.is_alphabetic())
            .any(|word| word.len() <= 9 && word.starts_with(month))
    });
    (year && (parted || worded))
        || (line.contains('月') && line.contains('日') && numbers.len() >= 2)
}

/// `10:30`.
pub(super) fn has_clock(line: &str) -> bool {
    let parts: Vec<&str> = line.split([':', '：']).collect();
    parts.windows(2).any(|two| match two {
        [before, after] => {
            before.ends_with(|c: char| c.is_ascii_digit())
                && after.chars().take(2).filter(char::is_ascii_digit).count() == 2
        }
        _ => false,
    })
}
