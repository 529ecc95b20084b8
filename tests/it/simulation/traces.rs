//! Made-up publishing: six kinds of sources over ninety days, the same for the same seed.

use feedmill::model::time::Timestamp;

/// A small generator (splitmix64): the traces must be the same everywhere and for ever.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to 1.
    pub fn part(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / 4_294_967_296.0
    }

    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.part()
    }

    /// A wait with this mean, of something that comes by chance.
    fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.part()).ln()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Rare,
    Office,
    Diurnal,
    Clockwork,
    Bursty,
    Dormant,
}

pub const KINDS: [Kind; 6] = [
    Kind::Rare,
    Kind::Office,
    Kind::Diurnal,
    Kind::Clockwork,
    Kind::Bursty,
    Kind::Dormant,
];

/// The virtual clock starts here: 2026-03-02, a Monday.
pub const START: i64 = 1_772_409_600;
pub const HOUR: f64 = 3600.0;
pub const DAY: f64 = 24.0 * HOUR;
/// What was published before the start, so that there is a first document to learn from.
const BEFORE: f64 = 60.0 * DAY;

/// Publishing times from sixty days before the start to `days` after it, in order.
pub fn trace(kind: Kind, dice: &mut Dice, days: f64) -> Vec<Timestamp> {
    let end = days * DAY;
    let mut times = Vec::new();
    match kind {
        Kind::Rare => {
            let mean = dice.between(2.0, 15.0) * DAY;
            let mut at = -BEFORE + dice.wait(mean);
            while at < end {
                times.push(at);
                at += dice.wait(mean);
            }
        }
        Kind::Office => {
            let (a_day, zone) = (dice.between(3.0, 12.0), dice.between(-9.0, 9.0) * HOUR);
            thinned(dice, &mut times, end, a_day * 3.5, |at| {
                let local = at + zone;
                let hour = local.rem_euclid(DAY) / HOUR;
                let weekday = (local / DAY).floor().rem_euclid(7.0);
                weekday < 5.0 && (9.0..17.0).contains(&hour)
            });
        }
        Kind::Diurnal => {
            let (a_day, zone) = (dice.between(10.0, 50.0), dice.between(-9.0, 9.0) * HOUR);
            let mut chance = Dice::new(dice.next());
            thinned(dice, &mut times, end, a_day * 2.0, |at| {
                let phase = (at + zone) / DAY * std::f64::consts::TAU;
                chance.part() < 0.5 * (1.0 - 0.9 * phase.cos())
            });
        }
        Kind::Clockwork => {
            let every =
                [4.0, 6.0, 8.0, 12.0, 24.0][usize::try_from(dice.next() % 5).unwrap()] * HOUR;
            let mut at = -BEFORE + dice.part() * every;
            while at < end {
                times.push(at + dice.between(0.0, 120.0));
                at += every;
            }
        }
        Kind::Bursty => {
            let mean = dice.between(2.0, 6.0) * DAY;
            let mut at = -BEFORE + dice.wait(mean);
            while at < end {
                let mut within = at;
                for _ in 0..4 + dice.next() % 16 {
                    times.push(within);
                    within += dice.wait(0.3 * HOUR);
                }
                at += dice.wait(mean);
            }
        }
        Kind::Dormant => {
            let last = -dice.between(20.0, 59.0) * DAY;
            times.extend((0..10).map(|n| last - f64::from(n) * DAY));
        }
    }
    times.retain(|at| *at < end);
    times.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation)] // three months
    let to_time = |at: f64| Timestamp::from_millis(START * 1000 + (at * 1000.0) as i64);
    times.into_iter().map(to_time).collect()
}

/// By chance, this many a day, those that `keep` keeps.
fn thinned(
    dice: &mut Dice,
    times: &mut Vec<f64>,
    end: f64,
    a_day: f64,
    mut keep: impl FnMut(f64) -> bool,
) {
    let mut at = -BEFORE;
    while at < end {
        at += dice.wait(DAY / a_day);
        if keep(at) {
            times.push(at);
        }
    }
}
