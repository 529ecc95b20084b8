//! An article as it is compared: its lines without what is its site's, its keys, its sketch.

use xxhash_rust::xxh3::xxh3_64;

use crate::rules::fold::fold;
use crate::rules::html::cut;
use crate::rules::similar::boilerplate::{LONGEST, SHORTEST, is_credit};
use crate::rules::similar::dateline;
use crate::rules::similar::sketch::{Grams, Sketch};

/// Folded characters that are compared. Longer articles are alike if their beginnings are.
const MOST: usize = 32_768;

/// Lines at the beginning and at the end among which a site's own are looked for.
const HEAD: usize = 2;
const TAIL: usize = 3;

/// Lines at either end that may be credits.
const CREDITS: usize = 6;

/// Where less than this is left without a site's lines, they are the article: characters, and hundredths of all.
const LEAST: usize = 24;
const LEAST_SHARE: usize = 30;

/// Folded characters of the first words that make a key, and the fewest that make a title one.
const LEAD: usize = 24;
const TITLE: usize = 6;

/// What is kept of an article to find its copies by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Folded characters that were compared.
    pub len: u32,
    /// A hash of the folded title; 0 where it is too short to say anything. A hint: the texts are compared.
    pub title: u32,
    /// Likewise of the first words.
    pub lead: u32,
    /// About which runs of characters it has.
    pub sketch: Sketch,
}

/// An article's title and lines, folded.
#[derive(Clone, Debug)]
pub struct Reading<'t> {
    title: String,
    lines: Vec<Line<'t>>,
}

#[derive(Clone, Debug)]
struct Line<'t> {
    raw: &'t str,
    folded: String,
    chars: usize,
    credit: bool,
}

/// An article's words without what is its site's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The folded title; empty where it is too short to say anything.
    pub title: String,
    /// The first folded words; empty where there are too few.
    pub lead: String,
    /// Folded characters.
    pub len: usize,
    /// Its runs of characters.
    pub grams: Grams,
    /// Its numbers of two digits and more, each once, in order.
    pub numbers: Vec<u64>,
}

impl<'t> Reading<'t> {
    /// Of a title, and of words with one block a line (as `html::words` gives them).
    pub fn of(title: &str, words: &'t str) -> Self {
        let title = fold(dateline::without(title)).as_str().to_owned();
        let mut left = MOST;
        let mut lines = Vec::new();
        for raw in words.lines() {
            if left == 0 {
                break;
            }
            let raw = cut(raw, 2 * left);
            let folded: String = fold(raw).as_str().chars().take(left).collect();
            let chars = folded.chars().count();
            if chars > 0 {
                left -= chars;
                let credit = false;
                lines.push(Line {
                    raw,
                    folded,
                    chars,
                    credit,
                });
            }
        }
        let count = lines.len();
        for (place, line) in lines.iter_mut().enumerate() {
            let at_an_end = place < CREDITS || place + CREDITS >= count;
            line.credit = at_an_end && is_credit(&line.folded);
        }
        Self { title, lines }
    }

    /// Hashes of the lines at its ends that may turn out to be its feed's and not its own; each once.
    pub fn ends(&self) -> Vec<u64> {
        let own: Vec<&Line<'_>> = self.lines.iter().filter(|line| !line.credit).collect();
        let count = own.len();
        let at_an_end = own.iter().enumerate().filter(|(place, line)| {
            (*place < HEAD || place + TAIL >= count) && (SHORTEST..=LONGEST).contains(&line.chars)
        });
        let mut hashes: Vec<u64> = at_an_end.map(|(_, line)| line.hash()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    /// Without credits, and without the lines at its ends that are its feed's.
    pub fn text(&self, is_of_the_feed: impl Fn(u64) -> bool) -> Text {
        let ends = self.ends();
        let own = |line: &&Line<'_>| {
            if line.credit {
                return false;
            }
            let hash = line.hash();
            ends.binary_search(&hash).is_err() || !is_of_the_feed(hash)
        };
        let mut kept: Vec<&Line<'_>> = self.lines.iter().filter(own).collect();
        let count = |lines: &[&Line<'_>]| -> usize { lines.iter().map(|line| line.chars).sum() };
        let all: usize = self.lines.iter().map(|line| line.chars).sum();
        if count(&kept) < LEAST.max(all * LEAST_SHARE / 100) {
            kept = self.lines.iter().collect();
        }
        let len = count(&kept);
        let mut folded = String::with_capacity(kept.iter().map(|line| line.folded.len()).sum());
        folded.extend(kept.iter().map(|line| line.folded.as_str()));
        Text {
            title: if self.title.chars().nth(TITLE - 1).is_some() {
                self.title.clone()
            } else {
                String::new()
            },
            lead: lead(&kept),
            len,
            grams: Grams::of(&folded),
            numbers: numbers(&folded),
        }
    }
}

impl Text {
    /// What is kept of it.
    pub fn print(&self) -> Print {
        Print {
            len: u32::try_from(self.len).unwrap_or(u32::MAX),
            title: key(&self.title),
            lead: key(&self.lead),
            sketch: Sketch::of(&self.grams),
        }
    }
}

impl Line<'_> {
    fn hash(&self) -> u64 {
        xxh3_64(self.folded.as_bytes())
    }
}

/// The first words, without what an agency puts before them.
fn lead(lines: &[&Line<'_>]) -> String {
    let Some((first, others)) = lines.split_first() else {
        return String::new();
    };
    let first = fold(cut(dateline::without(first.raw), 4 * LEAD));
    let others = others.iter().flat_map(|line| line.folded.chars());
    let lead: String = first.as_str().chars().chain(others).take(LEAD).collect();
    if lead.chars().count() < LEAD {
        return String::new();
    }
    lead
}

/// Not 0, unless there is nothing.
fn key(text: &str) -> u32 {
    if text.is_empty() {
        return 0;
    }
    let hash = xxh3_64(text.as_bytes()).to_le_bytes();
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]).max(1)
}

fn numbers(folded: &str) -> Vec<u64> {
    let runs = folded.split(|c: char| !c.is_ascii_digit());
    let long = runs.filter(|run| run.len() >= 2);
    let mut hashes: Vec<u64> = long.map(|run| xxh3_64(run.as_bytes())).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "（记者 某某）\n【编造报讯】渡輪博物館昨日開幕，展出一百二十件舊物，包括一口仍可敲響的銅鐘。\n\
        館長表示，每逢整點會請一位市民敲鐘，預約已排到明年。\n更多新聞請看明日本刊\n責任編輯：某某";

    #[test]
    fn credits_and_the_feeds_own_lines_are_left_out() {
        let reading = Reading::of("【独家】渡轮博物馆开幕", WORDS);
        let slogan = xxh3_64(fold("更多新聞請看明日本刊").as_str().as_bytes());
        assert!(reading.ends().contains(&slogan));
        let (with, without) = (reading.text(|_| false), reading.text(|line| line == slogan));
        assert_eq!(with.len - without.len, 10);
        assert_eq!(without.title, fold("渡轮博物馆开幕").as_str());
        assert_eq!(
            without.lead,
            fold("渡轮博物馆昨日开幕，展出一百二十件旧物，包括一口仍可").as_str()
        );
        // Where everything would go, nothing does.
        assert_eq!(
            reading.text(|_| true).len,
            Reading::of("", WORDS).text(|_| true).len
        );
        assert!(reading.text(|_| true).len > 70);
    }

    #[test]
    fn script_and_punctuation_do_not_matter() {
        let print = |words: &str| Reading::of("", words).text(|_| false).print();
        assert_eq!(
            print("渡輪博物館昨日開幕，展出一百二十件舊物，包括一口仍可敲響的銅鐘。"),
            print("渡轮博物馆昨日开幕, 展出一百二十件旧物; 包括一口仍可敲响的铜钟！")
        );
    }

    #[test]
    fn what_is_short_has_no_keys() {
        let print = Reading::of("快讯", "渡轮停航").text(|_| false).print();
        assert_eq!((print.title, print.lead, print.len), (0, 0, 4));
        let nothing = Reading::of("", "").text(|_| false).print();
        assert_eq!((nothing.len, nothing.sketch), (0, Sketch([0; 128])));
    }

    #[test]
    fn numbers_are_of_two_digits_and_more() {
        let text = Reading::of("", "收报3012.5点，涨0.3%，成交11亿，11月").text(|_| false);
        assert_eq!(text.numbers.len(), 3);
    }

    #[test]
    fn a_very_long_text_is_compared_by_its_beginning() {
        let long = "渡轮博物馆".repeat(100_000);
        assert_eq!(Reading::of("", &long).text(|_| false).len, MOST);
        let lines = "渡轮博物馆开幕\n".repeat(100_000);
        assert_eq!(Reading::of("", &lines).text(|_| false).len, MOST);
    }
}
