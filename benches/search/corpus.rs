//! Made-up articles: nine in ten of Han characters, with words as unequally frequent as real ones are (Zipf).

use std::fmt::Write as _;

/// Bytes of text in an article, about.
const LENGTH: usize = 1_100;

/// Han words, Latin words, characters.
const WORDS: usize = 60_000;
const LATIN: usize = 30_000;
const CHARACTERS: usize = 4_500;

/// How even the characters of words are. Words are drawn unevenly, so that with 0 the most frequent character would be 7 %
/// of a text and a hundred of them two thirds; with this they are 3 % and under half, as in news.
const FLAT: f64 = 30.0;

/// Numbers that are the same at every run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    #[allow(clippy::cast_precision_loss)]
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A rank below `end`, the n-th as often as 1 / (n + `flat`).
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    fn zipf(&mut self, end: usize, flat: f64) -> usize {
        let steps = (end as f64 + flat) / (1.0 + flat);
        let rank = (1.0 + flat) * steps.powf(self.unit()) - 1.0 - flat;
        (rank as usize).min(end - 1)
    }
}

pub struct Corpus {
    /// By rank.
    pub words: Vec<String>,
    latin: Vec<String>,
}

impl Corpus {
    pub fn new() -> Self {
        let mut dice = Dice::new(1);
        let mut all: Vec<char> = ('\u{4E00}'..='\u{9FA5}').collect();
        for place in (1..all.len()).rev() {
            all.swap(place, dice.below(place + 1));
        }
        all.truncate(CHARACTERS);
        let words = (0..WORDS).map(|_| {
            let length = [1, 2, 2, 2, 2, 2, 2, 3, 3, 4][dice.below(10)];
            (0..length)
                .map(|_| all[dice.zipf(CHARACTERS, FLAT)])
                .collect()
        });
        let words = words.collect();
        let latin = (0..LATIN).map(|_| {
            let syllables = 1 + dice.below(4);
            let mut word = String::new();
            for _ in 0..syllables {
                word.push(char::from(b"bcdfghklmnprstvw"[dice.below(16)]));
                word.push(char::from(b"aeiou"[dice.below(5)]));
                if dice.below(3) == 0 {
                    word.push(char::from(b"lnrst"[dice.below(5)]));
                }
            }
            word
        });
        Self {
            words,
            latin: latin.collect(),
        }
    }

    /// Title and paragraphs of the n-th article.
    pub fn article(&self, n: usize) -> (String, String) {
        let mut dice = Dice::new(n as u64 + 7);
        let han = dice.below(10) > 0;
        let mut title = String::new();
        self.sentence(&mut title, han, &mut dice);
        let mut body = String::from("<p>");
        while body.len() < LENGTH - title.len() {
            self.sentence(&mut body, han, &mut dice);
            body.push_str(if han { "。" } else { ". " });
            if dice.below(4) == 0 {
                body.push_str("</p>\n<p>");
            }
        }
        body.push_str("</p>");
        (title, body)
    }

    fn sentence(&self, out: &mut String, han: bool, dice: &mut Dice) {
        for place in 0..6 + dice.below(8) {
            if place > 0 && dice.below(5) == 0 {
                out.push_str(if han { "，" } else { "," });
            }
            if !han || dice.below(40) == 0 {
                out.push_str(if han { "" } else { " " });
                out.push_str(&self.latin[dice.zipf(LATIN, 0.0)]);
            } else if dice.below(40) == 0 {
                // Numbers and years.
                let _ = write!(out, "{}", 1 + dice.below(2_100));
            } else {
                out.push_str(&self.words[dice.zipf(WORDS, 0.0)]);
            }
        }
    }
}
