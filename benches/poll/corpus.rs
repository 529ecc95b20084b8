//! Made-up feeds in the shape real ones have: sizes log-normal, half of them CJK, bodies as content systems write
//! them. The same seed gives the same bytes; an entry does not depend on what else its feed holds.

use std::fmt::Write as _;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Entries a feed shows at a time.
pub const WINDOW: usize = 30;

/// A feed has `MEDIAN * exp(SPREAD * normal)` bytes: of 2,000 feeds a tenth has more than 135 KB, and all have 117 MB.
const MEDIAN: f64 = 32_000.0;
const SPREAD: f64 = 1.1;
const LARGEST: f64 = 1_600_000.0;

/// Words of a language; those that are in everything, and those an entry has of its own: what it is about. So long articles
/// of one language share no more than real ones may (a Jaccard index of runs of four characters below 0.4).
const WORDS: usize = 20_000;
const COMMON: usize = 1_000;
const OWN: usize = 400;

/// What of an entry is not its body, about, in bytes.
const FRAME: usize = 560;

/// The newest entry of a feed that never changed, in seconds since 1970: 2025-11-01.
const NEWEST: i64 = 1_761_955_200;

/// All feeds of one seed.
pub struct Corpus {
    seed: u64,
    words: [Vec<String>; 4],
}

#[derive(Clone, Copy)]
enum Language {
    English,
    Chinese,
    Japanese,
    Korean,
}

#[derive(Clone, Copy)]
enum Format {
    Rss,
    Atom,
    Rdf,
}

impl Corpus {
    /// The feeds of this seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let languages = [
            Language::English,
            Language::Chinese,
            Language::Japanese,
            Language::Korean,
        ];
        let words =
            languages.map(|language| (0..WORDS).map(|_| language.word(&mut dice)).collect());
        Self { seed, words }
    }

    /// The feed's document when `newer` entries have come since the beginning, and its media type.
    pub fn feed(&self, feed: usize, newer: usize) -> (&'static str, String) {
        let mut dice = self.dice(feed, usize::MAX);
        let format = match dice.below(100) {
            0..60 => Format::Rss,
            60..92 => Format::Atom,
            _ => Format::Rdf,
        };
        let language = match dice.below(8) {
            0..4 => Language::English,
            4 | 5 => Language::Chinese,
            6 => Language::Japanese,
            _ => Language::Korean,
        };
        let size = (MEDIAN * (SPREAD * dice.normal()).exp()).min(LARGEST);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let body = (size as usize / WINDOW).saturating_sub(FRAME).max(60);
        let style = Style {
            format,
            language,
            body,
            cdata: dice.below(2) == 0,
        };
        let mut out = String::with_capacity((body + FRAME) * WINDOW * 5 / 4);
        let title = self.phrase(&mut dice, language, 3);
        let last = newer + WINDOW;
        open(&mut out, style, feed, last, &title);
        for entry in (newer..last).rev() {
            self.entry(&mut out, style, feed, entry);
        }
        out.push_str(match format {
            Format::Rss => "</channel></rss>\n",
            Format::Atom => "</feed>\n",
            Format::Rdf => "</rdf:RDF>\n",
        });
        let media_type = match format {
            Format::Rss => "application/rss+xml",
            Format::Atom => "application/atom+xml",
            Format::Rdf => "application/rdf+xml",
        };
        (media_type, out)
    }

    fn entry(&self, out: &mut String, style: Style, feed: usize, entry: usize) {
        let mut dice = self.dice(feed, entry);
        let title = self.phrase(&mut dice, style.language, 7);
        let author = self.phrase(&mut dice, style.language, 2);
        let teaser = self.phrase(&mut dice, style.language, 24);
        let size = style.body / 2 + dice.below(style.body + 1);
        let body = self.body(&mut dice, style.language, size, feed);
        let (id, link) = (id(feed, entry), link(feed, entry));
        let mut escaped = String::new();
        if !style.cdata {
            escape(&body, &mut escaped);
        }
        let content = if style.cdata {
            format!("<![CDATA[{body}]]>")
        } else {
            escaped
        };
        let date = date(entry);
        // Writing to a string cannot fail.
        let _ = match style.format {
            Format::Rss => {
                let date = rfc2822::to_string(&date.to_zoned(TimeZone::UTC)).unwrap_or_default();
                writeln!(
                    out,
                    "<item><title>{title}</title><link>{link}</link><guid isPermaLink=\"false\">{id}</guid>\
                     <pubDate>{date}</pubDate><dc:creator>{author}</dc:creator><category>{author}</category>\
                     <description>{teaser}</description><content:encoded>{content}</content:encoded></item>"
                )
            }
            Format::Atom => writeln!(
                out,
                "<entry><title>{title}</title><link rel=\"alternate\" href=\"{link}\"/><id>{id}</id>\
                 <published>{date}</published><updated>{date}</updated><author><name>{author}</name></author>\
                 <category term=\"{author}\"/><summary>{teaser}</summary><content type=\"html\">{content}</content>\
                 </entry>"
            ),
            Format::Rdf => writeln!(
                out,
                "<item rdf:about=\"{link}\"><title>{title}</title><link>{link}</link><dc:date>{date}</dc:date>\
                 <dc:creator>{author}</dc:creator><description>{content}</description></item>"
            ),
        };
    }

    /// HTML of about this many bytes: paragraphs, and between them what publishers put there.
    fn body(&self, dice: &mut Dice, language: Language, size: usize, feed: usize) -> String {
        let mut out = String::with_capacity(size + 600);
        while out.len() < size {
            if size > 400 {
                self.ornament(&mut out, dice, language, feed);
            }
            out.push_str("<p>");
            let end = size.min(out.len() + 300 + dice.below(600));
            while out.len() < end {
                out.push_str(&self.phrase(dice, language, 9));
                out.push_str(language.stop());
            }
            out.push_str("</p>\n");
        }
        out
    }

    fn ornament(&self, out: &mut String, dice: &mut Dice, language: Language, feed: usize) {
        let number = dice.below(1_000_000);
        let site = format!("https://n{feed}.example");
        let words = self.phrase(dice, language, 4);
        let _ = match dice.below(14) {
            0 => writeln!(
                out,
                "<script async src=\"{site}/w.js\"></script><script>(function(w){{w.q=w.q||[];w.q.push({number})}})(window)</script>"
            ),
            1 => writeln!(
                out,
                "<iframe width=\"560\" height=\"315\" src=\"https://video.example/embed/{number}\" allowfullscreen></iframe>"
            ),
            2 => writeln!(
                out,
                "<img src=\"https://pixel.example/p.gif?e={number}&amp;s={feed}\" width=\"1\" height=\"1\" alt=\"\">"
            ),
            3 => writeln!(
                out,
                "<figure><img src=\"/i/{number}.jpg\" srcset=\"/i/{number}-480.jpg 480w, /i/{number}-960.jpg 960w\" \
                 sizes=\"(max-width: 600px) 480px, 960px\" loading=\"lazy\" alt=\"{words}\"><figcaption>{words}</figcaption></figure>"
            ),
            4 => writeln!(
                out,
                "<ul class=\"related\"><li>{words}</li><li><a href=\"/r/{number}\">{words}</a></li></ul>"
            ),
            5 => writeln!(
                out,
                "<blockquote style=\"color:#333\"><p>{words}</p></blockquote>"
            ),
            6 => writeln!(out, "<h2 id=\"s{number}\">{words}</h2>"),
            7 => writeln!(
                out,
                "<p><a href=\"{site}/a?id={number}&amp;ref=feed\" onclick=\"track({number})\"><strong>{words}</strong></a>&nbsp;<em>{words}</em></p>"
            ),
            _ => Ok(()),
        };
    }

    fn phrase(&self, dice: &mut Dice, language: Language, most: usize) -> String {
        let words = &self.words[language as usize];
        let mut out = String::new();
        for at in 0..=dice.below(most).max(most / 2) {
            if at > 0 && language.spaced() {
                out.push(' ');
            }
            let word = match dice.below(2) {
                0 => dice.often_low(COMMON),
                _ => dice.topic + dice.often_low(OWN),
            };
            out.push_str(&words[word]);
        }
        out
    }

    fn dice(&self, feed: usize, entry: usize) -> Dice {
        let mut dice =
            Dice::new(self.seed ^ (feed as u64) << 32 ^ (entry as u64).wrapping_mul(0x9E37_79B9));
        dice.topic = dice.below(WORDS - OWN);
        dice
    }
}

#[derive(Clone, Copy)]
struct Style {
    format: Format,
    language: Language,
    body: usize,
    cdata: bool,
}

fn open(out: &mut String, style: Style, feed: usize, last: usize, title: &str) {
    let home = format!("https://n{feed}.example/");
    let tag = style.language.tag();
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = match style.format {
        Format::Rss => writeln!(
            out,
            "<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>{title}</title><link>{home}</link>\
             <description>{title}</description><language>{tag}</language>"
        ),
        Format::Atom => writeln!(
            out,
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{tag}\"><title>{title}</title><id>{home}</id>\
             <link href=\"{home}\"/><updated>{}</updated>",
            date(last - 1)
        ),
        Format::Rdf => {
            let mut items = String::new();
            for entry in (last - WINDOW..last).rev() {
                let _ = write!(items, "<rdf:li rdf:resource=\"{}\"/>", link(feed, entry));
            }
            writeln!(
                out,
                "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns=\"http://purl.org/rss/1.0/\" \
                 xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel rdf:about=\"{home}\"><title>{title}</title>\
                 <link>{home}</link><description>{title}</description><items><rdf:Seq>{items}</rdf:Seq></items></channel>"
            )
        }
    };
}

fn id(feed: usize, entry: usize) -> String {
    format!("urn:made-up:{feed}:{entry}")
}

fn link(feed: usize, entry: usize) -> String {
    format!("https://n{feed}.example/e/{entry}")
}

/// Which entry an id or a link names: feed, entry.
pub fn entry_named(text: &str) -> Option<(usize, usize)> {
    let mut numbers = text
        .rsplit(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    let (entry, feed) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    (text == id(feed, entry) || text == link(feed, entry)).then_some((feed, entry))
}

/// Every entry is four hours and some seconds younger than the one before.
fn date(entry: usize) -> Timestamp {
    let hours = i64::try_from(entry).unwrap_or_default() - 30;
    let newest = Timestamp::from_second(NEWEST).unwrap_or_default();
    newest + SignedDuration::from_secs(hours * (4 * 3600 + 17))
}

fn escape(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(entity);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

impl Language {
    fn tag(self) -> &'static str {
        ["en", "zh", "ja", "ko"][self as usize]
    }

    fn stop(self) -> &'static str {
        [". ", "，", "。", ". "][self as usize]
    }

    fn spaced(self) -> bool {
        matches!(self, Self::English | Self::Korean)
    }

    fn word(self, dice: &mut Dice) -> String {
        const ONSETS: [&str; 42] = [
            "b", "bl", "br", "c", "ch", "cl", "cr", "d", "dr", "f", "fl", "fr", "g", "gl", "gr",
            "h", "j", "k", "kn", "l", "m", "n", "p", "ph", "pl", "pr", "qu", "r", "s", "sc", "sh",
            "sl", "sp", "st", "str", "t", "th", "tr", "v", "w", "wh", "y",
        ];
        const RHYMES: [&str; 69] = [
            "a", "ab", "ack", "ade", "age", "ail", "ake", "al", "am", "an", "and", "ar", "ark",
            "art", "ate", "e", "ea", "ear", "ed", "eed", "el", "en", "ent", "er", "ess", "est",
            "et", "i", "ice", "id", "ig", "ile", "im", "in", "ine", "ing", "ion", "ip", "is",
            "ist", "it", "ite", "o", "oad", "ob", "oke", "ol", "on", "ong", "ood", "or", "ore",
            "ost", "ot", "ound", "our", "ow", "u", "ub", "uct", "ull", "um", "un", "up", "ur",
            "ure", "us", "ut", "y",
        ];
        let length = 1 + dice.below(3);
        let letter = |first: u32, count: usize, dice: &mut Dice| {
            char::from_u32(first + u32::try_from(dice.below(count)).unwrap_or_default())
                .unwrap_or('\u{3007}')
        };
        (0..length)
            .map(|_| match self {
                Self::English => {
                    let onset = ONSETS[dice.below(ONSETS.len())];
                    onset.to_owned() + RHYMES[dice.below(RHYMES.len())]
                }
                // Every seventh of the common block: Traditional and Simplified forms, frequent and rare ones.
                Self::Chinese => char::from_u32(0x4E00 + 7 * (u32::from(letter(0, 2_500, dice))))
                    .into_iter()
                    .collect(),
                Self::Japanese if dice.below(2) == 0 => letter(0x4E00, 6_000, dice).to_string(),
                Self::Japanese => letter(0x3042, 80, dice).to_string(),
                Self::Korean => letter(0xAC00, 11_000, dice).to_string(),
            })
            .collect()
    }
}

/// splitmix64, and the first of the words an entry has of its own.
struct Dice {
    state: u64,
    topic: usize,
}

impl Dice {
    fn new(state: u64) -> Self {
        Self { state, topic: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In `0..limit`.
    #[allow(clippy::cast_possible_truncation)]
    fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// In `0..limit`, low numbers much oftener, as words are used.
    fn often_low(&mut self, limit: usize) -> usize {
        let most = self.below(limit) + 1;
        let most = self.below(most) + 1;
        self.below(most)
    }

    /// In `0.0..1.0`.
    #[allow(clippy::cast_precision_loss)]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally distributed (Box and Muller).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.share()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.share()).cos()
    }
}
