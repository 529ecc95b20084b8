//! Whether copies are found and others left alone: made-up articles, made-up variants of them, and pairs that only look
//! alike, through the rules the program uses. Prints what was found of each kind, and fails below precision 0.99 or
//! recall 0.95.
//!
//!     cargo run --example reprints [-- ARTICLES [SEED]]

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::many_single_char_names,
    clippy::too_many_lines,
    missing_docs
)]

mod words;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use feedmill::model::ids::ArticleSeq;
use feedmill::model::time::Timestamp;
use feedmill::rules::similar::{
    Index, Pair, Query, REPEATS, Reading, Text, Unions, compare, decide,
};

use words::{Dice, Story};

const PRECISION: f64 = 0.99;
const RECALL: f64 = 0.95;

/// Feeds that reprint, each with lines of its own below every article.
const FEEDS: usize = 24;

/// An article as a feed has it.
struct Copy {
    feed: usize,
    hour: i64,
    title: String,
    words: String,
    /// Copies of one article have the same.
    of: usize,
    kind: &'static str,
}

#[derive(Default)]
struct Set {
    copies: Vec<Copy>,
    labels: usize,
}

impl Set {
    fn label(&mut self) -> usize {
        self.labels += 1;
        self.labels
    }

    fn add(
        &mut self,
        dice: &mut Dice,
        of: usize,
        kind: &'static str,
        hour: i64,
        title: &str,
        words: &str,
    ) {
        let feed = dice.below(FEEDS);
        let (head, foot) = site(feed);
        // Every feed puts its own lines around what it has; a few learn that after the first articles.
        let words = format!("{head}\n{words}\n{foot}");
        self.copies.push(Copy {
            feed,
            hour,
            title: title.to_owned(),
            words,
            of,
            kind,
        });
    }
}

/// The lines a site puts around its articles.
fn site(feed: usize) -> (String, String) {
    let mark = ["江", "湖", "山", "原", "岛", "港", "谷", "溪"][feed % 8];
    (
        format!("{mark}上日报第{feed}频道每天早晚两次为您带来最要紧的消息"),
        format!(
            "欢迎把{mark}上日报第{feed}频道推荐给朋友，我们的服务台全年无休\n责任编辑：{mark}生"
        ),
    )
}

fn plain(story: &Story) -> String {
    let paragraphs: Vec<String> = story
        .text
        .iter()
        .map(|sentences| sentences.concat())
        .collect();
    paragraphs.join("\n")
}

fn cut(words: &str, percent: usize) -> String {
    let count = words.chars().count() * percent / 100;
    words.chars().take(count).collect()
}

/// The text with so many of a hundred characters replaced, dropped or doubled.
fn edited(dice: &mut Dice, words: &str, percent: usize) -> String {
    let other: Vec<char> = "改换别样另些几许哪某该每各全半初末".chars().collect();
    let latin: Vec<char> = "aeioulnrst".chars().collect();
    let mut out = String::new();
    for c in words.chars() {
        if c == '\n' || dice.below(100) >= percent {
            out.push(c);
            continue;
        }
        let pool = if c.is_ascii() { &latin } else { &other };
        match dice.below(3) {
            0 => {}
            1 => out.push(pool[dice.below(pool.len())]),
            _ => out.extend([c, pool[dice.below(pool.len())]]),
        }
    }
    out
}

/// The text with a tenth of its sentences written anew.
fn rewritten(dice: &mut Dice, story: &Story) -> String {
    let mut story = story.clone();
    for paragraph in &mut story.text {
        for sentence in paragraph {
            if dice.below(10) == 0 {
                *sentence = words::sentence(dice, &story.event, story.latin);
            }
        }
    }
    plain(&story)
}

fn advertisement(dice: &mut Dice, latin: bool) -> String {
    let event = words::event(dice, latin);
    let mut text = String::new();
    while text.chars().count() < 150 {
        text.push_str(&words::sentence(dice, &event, latin));
    }
    text
}

/// All variants of an article.
fn variants(set: &mut Set, dice: &mut Dice, story: &Story, short: bool) {
    let of = set.label();
    let hour = dice.below(600) as i64;
    let (title, text, latin) = (story.title.as_str(), plain(story), story.latin);
    let other = words::title(dice, &story.event, latin);
    let later = |dice: &mut Dice| hour + dice.below(30) as i64;
    let kind = |long: &'static str, brief: &'static str| if short { brief } else { long };
    set.add(
        dice,
        of,
        kind("original", "short: original"),
        hour,
        title,
        &text,
    );
    let byline = if latin {
        format!(
            "By {} Staff, 2026-03-0{}\n",
            story.event.place,
            1 + dice.below(9)
        )
    } else {
        format!(
            "来源：{}晚报 2026-03-0{} 08:1{}\n（记者 {}）\n",
            story.event.place,
            1 + dice.below(9),
            dice.below(9),
            story.event.name
        )
    };
    let at = later(dice);
    set.add(
        dice,
        of,
        kind("other head and byline", "short: other head and byline"),
        at,
        &other,
        &format!("{byline}{text}"),
    );
    let at = later(dice);
    set.add(
        dice,
        of,
        kind("last quarter cut", "short: last quarter cut"),
        at,
        title,
        &cut(&text, 75),
    );
    if !short {
        let at = later(dice);
        set.add(dice, of, "half of it", at, title, &cut(&text, 50));
    }
    if !latin {
        let at = later(dice);
        let (title, text) = (words::traditional(title), words::traditional(&text));
        set.add(
            dice,
            of,
            kind("other script", "short: other script"),
            at,
            &title,
            &text,
        );
        let at = later(dice);
        let text = format!(
            "【快讯】（{}网讯）{}",
            story.event.place,
            text.replace('，', ", ").replace('。', "． ")
        );
        set.add(
            dice,
            of,
            "other punctuation, agency in front",
            at,
            &title,
            &text,
        );
    }
    let at = later(dice);
    let advertised = format!("{text}\n{}", advertisement(dice, latin));
    set.add(
        dice,
        of,
        kind("advertisements", "short: advertisements"),
        at,
        title,
        &advertised,
    );
    for (percent, long, brief) in [
        (1, "1 % edited", "short: 1 % edited"),
        (5, "5 % edited", "short: 5 % edited"),
    ] {
        let at = later(dice);
        let text = edited(dice, &text, percent);
        set.add(dice, of, kind(long, brief), at, title, &text);
    }
    if !short {
        let at = later(dice);
        let text = edited(dice, &text, 5);
        set.add(dice, of, "5 % edited, other head", at, &other, &text);
        let at = later(dice);
        let text = rewritten(dice, story);
        set.add(
            dice,
            of,
            "a tenth of the sentences rewritten",
            at,
            &other,
            &text,
        );
        let at = later(dice);
        let text = edited(dice, &plain(story), 10);
        set.add(dice, of, "10 % edited", at, title, &text);
        let at = later(dice);
        let mut text = format!("{}\n{}", cut(&plain(story), 75), advertisement(dice, latin));
        if !latin {
            text = words::traditional(&text);
        }
        set.add(
            dice,
            of,
            "other script, cut, advertisements",
            at,
            &other,
            &text,
        );
    }
    let at = later(dice);
    let summary: String = text.replace('\n', "").chars().take(60).collect();
    set.add(
        dice,
        of,
        kind("summary of 60 characters", "short: summary"),
        at,
        title,
        &summary,
    );
}

/// Articles that look alike and are not copies: each is one of its own.
fn others(set: &mut Set, dice: &mut Dice, event: &words::Event, latin: bool, long: &[Story]) {
    let hour = dice.below(600) as i64;
    for _ in 0..3 {
        let of = set.label();
        let mut own = words::story(dice, event, latin, 500);
        let place = dice.below(own.text.len());
        own.text[place].push(words::quotation(event, latin));
        let agency = if latin {
            format!("{}, March 3 (Made-up News) - ", event.place)
        } else {
            format!("编造社{}3月3日电 ", event.place)
        };
        let at = hour + dice.below(20) as i64;
        set.add(
            dice,
            of,
            "not: same event",
            at,
            &own.title.clone(),
            &format!("{agency}{}", plain(&own)),
        );
    }
    // Flashes of one event.
    for _ in 0..2 {
        let of = set.label();
        let flash = format!(
            "{}{}",
            words::quotation(event, latin),
            words::sentence(dice, event, latin)
        );
        let title = words::title(dice, event, latin);
        set.add(dice, of, "not: flashes of one event", hour, &title, &flash);
    }
    // A round-up that has other articles whole in it, behind words of its own.
    if let [a, b, ..] = long {
        let of = set.label();
        let title = words::title(dice, event, latin);
        let begin = words::sentence(dice, event, latin);
        let end = words::story(dice, event, latin, 300);
        let text = format!("{begin}\n{}\n{}\n{}", plain(a), plain(b), plain(&end));
        set.add(dice, of, "not: round-up", hour, &title, &text);
    }
}

/// Daily reports of one template.
fn templates(set: &mut Set, dice: &mut Dice, days: i64) {
    for day in 0..days {
        let mut number = |below: usize| 1 + dice.below(below);
        let (a, b, c, d, e) = (number(38), number(30), number(99), number(9), number(12));
        let sky = ["晴转多云", "小雨", "阴有阵雨", "雷阵雨", "大风"][number(5) - 1];
        let weather = format!(
            "市气象台今天发布天气预报：今天白天{sky}，最高气温{a}℃，夜间最低气温{b}℃，相对湿度{c}%，{d}级风。\
             预计未来{e}小时有{sky}天气过程，提醒市民出行携带雨具，注意交通安全。明后两天以{sky}为主，气温{b}至{a}度。"
        );
        let (x, y, z) = (number(4_000) + 1_000, number(9_999), number(900));
        let (up, down) = (number(3_000), number(2_000));
        let market = format!(
            "今日收盘，综合指数报{x}.{c}点，{}0.{d}%，成交{y}亿元；成份指数报{y}.{e}点，成交{z}亿元。\
             两市{up}只个股上涨，{down}只个股下跌，其中{a}只涨停。板块方面，{}、{}涨幅居前，{}跌幅居前。\
             北向资金全天净流入{z}.{c}亿元，融资余额为{y}.{d}亿元。",
            ["涨", "跌"][number(2) - 1],
            ["银行", "芯片", "煤炭", "航运"][number(4) - 1],
            ["白酒", "医药", "电力", "传媒"][number(4) - 1],
            ["地产", "军工", "旅游", "化工"][number(4) - 1],
        );
        let rate = format!(
            "编造外汇中心今日公布，1元对外币中间价报7.{y}，较上一交易日调整{c}个基点。前一交易日收盘价报7.{x}，\
             夜盘收报7.{z}。据统计，本月累计调整{down}个基点。"
        );
        for (kind, title, text, feed) in [
            ("not: daily weather", "今日天气预报", weather, 0),
            ("not: market close", "收盘：两市综述与板块点评", market, 1),
            ("not: exchange rates", "今日中间价公布", rate, 2),
        ] {
            let of = set.label();
            set.copies.push(Copy {
                feed,
                hour: day * 24,
                title: title.to_owned(),
                words: text,
                of,
                kind,
            });
        }
    }
}

fn corpus(articles: usize, seed: u64) -> Set {
    let mut dice = Dice::new(seed);
    let dice = &mut dice;
    let mut set = Set::default();
    let mut last: Vec<Story> = Vec::new();
    for n in 0..articles {
        let latin = n % 4 == 3;
        let event = words::event(dice, latin);
        let short = n % 5 == 4;
        let chars = match (short, latin) {
            (true, false) => 120 + dice.below(120),
            (true, true) => 220 + dice.below(60),
            (false, false) => 350 + dice.below(700),
            (false, true) => 1_200 + dice.below(1_500),
        };
        let story = words::story(dice, &event, latin, chars);
        variants(&mut set, dice, &story, short);
        if n % 2 == 0 {
            others(&mut set, dice, &event, latin, &last);
        }
        if !short && !latin {
            last.insert(0, story);
            last.truncate(2);
        }
    }
    templates(&mut set, dice, 30);
    set
}

/// The group of each copy, as the program finds it.
fn groups(set: &Set) -> Vec<ArticleSeq> {
    let readings: Vec<Reading<'_>> = set
        .copies
        .iter()
        .map(|copy| Reading::of(&copy.title, &copy.words))
        .collect();
    let mut lines: HashMap<(usize, u64), usize> = HashMap::new();
    for (copy, reading) in set.copies.iter().zip(&readings) {
        for line in reading.ends() {
            *lines.entry((copy.feed, line)).or_default() += 1;
        }
    }
    let own = |copy: &Copy, line| {
        lines
            .get(&(copy.feed, line))
            .is_some_and(|times| *times >= REPEATS)
    };
    let texts: Vec<Text> = set
        .copies
        .iter()
        .zip(&readings)
        .map(|(copy, reading)| reading.text(|line| own(copy, line)))
        .collect();
    let time = |copy: &Copy| Timestamp::from_secs(1_700_000_000 + copy.hour * 3_600);
    let mut index = Index::default();
    let mut queries = Vec::new();
    for (n, (copy, text)) in set.copies.iter().zip(&texts).enumerate() {
        let print = text.print();
        let month = Duration::from_hours(24 * 90);
        index.push(ArticleSeq(n as u64), time(copy), &print);
        queries.push(Query {
            entry: ArticleSeq(n as u64),
            print,
            dates: (time(copy).minus(month), time(copy).plus(month)),
        });
    }
    let mut unions = Unions::default();
    for (n, found) in index.scan(&queries).into_iter().enumerate() {
        for candidate in found {
            let other = candidate.entry.0 as usize;
            let (a, b) = (&set.copies[n], &set.copies[other]);
            let pair = Pair {
                one_feed: a.feed == b.feed,
                apart: Duration::from_hours(a.hour.abs_diff(b.hour)),
            };
            let evidence = compare(&texts[n], &texts[other], candidate.estimate);
            if decide(&evidence, pair).is_some_and(feedmill::rules::similar::Kinship::groups) {
                unions.join(ArticleSeq(n as u64), candidate.entry);
            }
        }
    }
    (0..set.copies.len())
        .map(|n| unions.top(ArticleSeq(n as u64)))
        .collect()
}

/// Of a kind: pairs with another copy that are, pairs that were found, and both.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    copies: usize,
    are: usize,
    found: usize,
    both: usize,
}

fn main() -> io::Result<ExitCode> {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse().ok());
    let (articles, seed) = (args.next().unwrap_or(200), args.next().unwrap_or(1));
    let set = corpus(articles as usize, seed);
    let groups = groups(&set);
    let (mut all, mut kinds) = (Tally::default(), BTreeMap::<&str, Tally>::new());
    let mut wrong = HashSet::new();
    for (n, a) in set.copies.iter().enumerate() {
        kinds.entry(a.kind).or_default().copies += 1;
        for (m, b) in set.copies.iter().enumerate().skip(n + 1) {
            let (are, found) = (a.of == b.of, groups[n] == groups[m]);
            let of_kinds = [Some(a.kind), (b.kind != a.kind).then_some(b.kind)];
            if !are && found {
                wrong.insert((a.kind, b.kind));
            }
            for kind in of_kinds.into_iter().flatten() {
                let tally = kinds.entry(kind).or_default();
                tally.are += usize::from(are);
                tally.found += usize::from(found);
                tally.both += usize::from(are && found);
            }
            all.are += usize::from(are);
            all.found += usize::from(found);
            all.both += usize::from(are && found);
        }
    }
    let share = |part: usize, whole: usize| {
        if whole == 0 {
            1.0
        } else {
            part as f64 / whole as f64
        }
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<44}{:>8}{:>9}{:>9}{:>11}{:>9}",
        "kind", "copies", "pairs", "found", "precision", "recall"
    )?;
    let mut line = |name: &str, copies: usize, tally: &Tally| {
        let (precision, recall) = (share(tally.both, tally.found), share(tally.both, tally.are));
        writeln!(
            out,
            "{name:<44}{copies:>8}{:>9}{:>9}{precision:>11.4}{recall:>9.4}",
            tally.are, tally.found
        )
    };
    for (kind, tally) in &kinds {
        line(kind, tally.copies, tally)?;
    }
    line("all", set.copies.len(), &all)?;
    for (a, b) in &wrong {
        writeln!(out, "wrongly one group: {a} / {b}")?;
    }
    let (precision, recall) = (share(all.both, all.found), share(all.both, all.are));
    if precision < PRECISION || recall < RECALL {
        writeln!(
            out,
            "below the floors: precision {PRECISION}, recall {RECALL}"
        )?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
