//! Sets of runs of four characters, and 128 bytes that say about how much two of them share.

use xxhash_rust::xxh3::xxh3_64;

/// Characters of a run.
const RUN: usize = 4;

/// The step of splitmix64, and its mixing.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The bits of a hash that are no place.
const RANK: u64 = (1 << 57) - 1;

/// A place to which no run has come.
const NOBODY: (usize, u64) = (usize::MAX, 0);

/// The runs of a folded text, each once, as 64-bit hashes in order. Two of a million texts' runs meet by chance as seldom
/// as matters to nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grams(Vec<u64>);

impl Grams {
    /// Of a folded text. One shorter than a run has none.
    pub fn of(folded: &str) -> Self {
        let mut window = [0_u8; 4 * RUN];
        let mut hashes = Vec::with_capacity(folded.len() / 3);
        for (place, char) in folded.chars().enumerate() {
            window.copy_within(4.., 0);
            if let Some(last) = window.last_chunk_mut::<4>() {
                *last = u32::from(char).to_le_bytes();
            }
            if place + 1 >= RUN {
                hashes.push(xxh3_64(&window));
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many both have.
    pub fn shared(&self, other: &Self) -> usize {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = 0;
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let order = x.cmp(y);
            if order.is_le() {
                a.next();
            }
            if order.is_ge() {
                b.next();
            }
            shared += usize::from(order.is_eq());
        }
        shared
    }
}

/// For each of 128 places, the low byte of the hash that came to it first: two texts agree in as many places as they share
/// of their runs.
///
/// Fast similarity sketching (Dahlgaard, Knudsen and Thorup, FOCS 2017). In each round every run has a hash, whose highest
/// bits are its place and whose others its rank; a place belongs to the lowest rank of the earliest round that came to it.
/// A text of many runs fills all places in a round or two, where 128 orders of them would be 128 rounds. After as many
/// rounds as there are places, each round goes to one place that is still empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sketch(pub [u8; Self::LEN]);

impl Sketch {
    /// Its bytes.
    pub const LEN: usize = 128;

    /// Of a set of runs. The empty set's is all zeros, and like no other by more than chance.
    pub fn of(grams: &Grams) -> Self {
        if grams.is_empty() {
            return Self([0; Self::LEN]);
        }
        // By round and rank: what came in an earlier round is less than all that comes later.
        let mut places = [NOBODY; Self::LEN];
        let mut step = 0_u64;
        for round in 0..2 * Self::LEN {
            let own = round.checked_sub(Self::LEN);
            step = step.wrapping_add(STEP);
            for gram in &grams.0 {
                let hash = mixed(gram.wrapping_add(step));
                let place = own.unwrap_or_else(|| usize::from(hash.to_be_bytes()[0] >> 1));
                if let Some(least) = places.get_mut(place) {
                    *least = (*least).min((round, hash & RANK));
                }
            }
            if !places.contains(&NOBODY) {
                break;
            }
        }
        // The high bytes of least numbers are all near zero, and would make every pair look alike.
        Self(places.map(|(_, rank)| rank.to_le_bytes()[0]))
    }

    /// About the Jaccard index of the two sets; the standard deviation is 0.04. Bytes that agree by chance are taken off.
    pub fn estimate(&self, other: &Self) -> f32 {
        estimate(equal(&self.0, &other.0))
    }
}

fn mixed(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The estimate that so many equal bytes of a sketch give.
pub(super) fn estimate(equal: u8) -> f32 {
    let share = f32::from(equal) / 128.0;
    ((share - 1.0 / 256.0) / (1.0 - 1.0 / 256.0)).max(0.0)
}

/// How many bytes at the same place are equal; of up to 255. Written so that it becomes a few vector instructions.
#[inline]
pub(super) fn equal<const N: usize>(a: &[u8; N], b: &[u8; N]) -> u8 {
    let mut count = 0_u8;
    for (x, y) in a.iter().zip(b) {
        count = count.wrapping_add(u8::from(x == y));
    }
    count
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_precision_loss)]

    use super::*;

    fn text(from: u32, len: u32) -> String {
        let char = |n: u32| {
            let mixed = n.wrapping_mul(2_654_435_761).rotate_left(13) % 3_000;
            char::from_u32(0x4e00 + mixed).unwrap_or('一')
        };
        (from..from + len).map(char).collect()
    }

    #[test]
    fn runs_are_of_four_characters_and_each_counts_once() {
        assert_eq!(Grams::of("").len(), 0);
        assert_eq!(Grams::of("甲乙丙").len(), 0);
        assert_eq!(Grams::of("甲乙丙丁").len(), 1);
        assert_eq!(Grams::of("甲乙丙丁戊").len(), 2);
        assert_eq!(Grams::of("甲甲甲甲甲甲").len(), 1);
        assert_eq!(Grams::of("甲乙丙丁戊").shared(&Grams::of("己甲乙丙丁")), 1);
    }

    #[test]
    fn the_estimate_is_near_what_is_shared() {
        for (offset, len) in [(0, 1_000), (100, 1_000), (300, 1_000), (1_000, 1_000)] {
            let (a, b) = (Grams::of(&text(0, 1_000)), Grams::of(&text(offset, len)));
            let shared = a.shared(&b);
            let exact = shared as f64 / (a.len() + b.len() - shared) as f64;
            let estimate = f64::from(Sketch::of(&a).estimate(&Sketch::of(&b)));
            assert!((exact - estimate).abs() < 0.15, "{exact} {estimate}");
        }
        // Many texts: neither long nor short ones are taken for more or less alike than they are.
        for len in [20, 60, 200, 800] {
            let (mut sum, mut squares) = (0.0, 0.0);
            for n in 0..200 {
                let from = n * 5_000;
                let (a, b) = (
                    Grams::of(&text(from, len)),
                    Grams::of(&text(from + len / 4, len)),
                );
                let shared = a.shared(&b);
                let exact = shared as f64 / (a.len() + b.len() - shared) as f64;
                let error = f64::from(Sketch::of(&a).estimate(&Sketch::of(&b))) - exact;
                sum += error;
                squares += error * error;
            }
            let (mean, deviation) = (sum / 200.0, (squares / 200.0_f64).sqrt());
            assert!(
                mean.abs() < 0.012 && deviation < 0.055,
                "{len}: {mean} {deviation}"
            );
        }
        assert!(
            Sketch::of(&Grams::default()).estimate(&Sketch::of(&Grams::of(&text(0, 400)))) < 0.1
        );
    }

    /// Sketches are stored: the same text has the same one in every version, or the recipe has another number.
    #[test]
    fn a_sketch_is_the_same_for_good() {
        let sketch = Sketch::of(&Grams::of(&text(0, 200)));
        assert_eq!(xxh3_64(&sketch.0), 14_601_681_198_236_162_925);
    }
}
