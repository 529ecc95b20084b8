//! The shortest way from one sequence to another (Myers, "An O(ND) Difference Algorithm", 1986), bounded.

/// Edits that are looked for, at most: above that the middle of two sequences counts as other altogether. The memory for
/// it is the square of this, in words of four bytes.
const MOST: usize = 2_000;

/// Items of both sequences together, at most: what they have in common is looked for up to [`MOST`] times.
const LONGEST: usize = 200_000;

/// One step from the first sequence to the second; the numbers are places in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Both have it.
    Same(usize, usize),
    /// The first alone.
    Gone(usize),
    /// The second alone.
    Come(usize),
}

/// All steps, in order.
pub(super) fn edits<T: Eq>(old: &[T], new: &[T]) -> Vec<Edit> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (old.split_at(head).1, new.split_at(head).1);
    let ends = old_rest.iter().rev().zip(new_rest.iter().rev());
    let tail = ends.take_while(|(a, b)| a == b).count();
    let old_middle = old_rest.split_at(old_rest.len() - tail).0;
    let new_middle = new_rest.split_at(new_rest.len() - tail).0;
    let mut all: Vec<Edit> = (0..head).map(|place| Edit::Same(place, place)).collect();
    if let Some(steps) = middle(old_middle, new_middle) {
        all.extend(steps.into_iter().rev().map(|step| match step {
            Edit::Same(i, j) => Edit::Same(i + head, j + head),
            Edit::Gone(i) => Edit::Gone(i + head),
            Edit::Come(j) => Edit::Come(j + head),
        }));
    } else {
        all.extend((head..old.len() - tail).map(Edit::Gone));
        all.extend((head..new.len() - tail).map(Edit::Come));
    }
    let tails = (old.len() - tail..old.len()).zip(new.len() - tail..new.len());
    all.extend(tails.map(|(i, j)| Edit::Same(i, j)));
    all
}

/// The steps, last first; `None` where there are too many.
fn middle<T: Eq>(old: &[T], new: &[T]) -> Option<Vec<Edit>> {
    let (n, m) = (old.len(), new.len());
    if n == 0 || m == 0 {
        let gone = (0..n).rev().map(Edit::Gone);
        return Some(gone.chain((0..m).rev().map(Edit::Come)).collect());
    }
    if n + m > LONGEST {
        return None;
    }
    // How far along the first sequence one comes on each diagonal with `d` edits; diagonal `k` is at `k + d`, and only
    // every second one is reached.
    let mut reached: Vec<Vec<u32>> = Vec::new();
    for d in 0..=MOST.min(n + m) {
        let mut row: Vec<u32> = vec![0; d + 1];
        let before = reached.last();
        for (slot, far) in row.iter_mut().enumerate() {
            let mut x = start(before, d, slot);
            let Some(mut y) = down(x, d, slot) else {
                continue;
            };
            while x < n && y < m && old.get(x) == new.get(y) {
                (x, y) = (x + 1, y + 1);
            }
            *far = u32::try_from(x).ok()?;
            if x >= n && y >= m {
                reached.push(row);
                return Some(back(&reached, n, m));
            }
        }
        reached.push(row);
    }
    None
}

/// Slot `s` of `d` edits is diagonal `2s - d`: `x - y`.
fn down(x: usize, d: usize, slot: usize) -> Option<usize> {
    (x + d).checked_sub(2 * slot)
}

/// Where diagonal `slot` begins with its last edit done: one to the right of the diagonal to the left, or below the one to
/// the right, whichever is further.
fn start(before: Option<&Vec<u32>>, d: usize, slot: usize) -> usize {
    let Some(before) = before else {
        return 0;
    };
    let at = |slot: usize| before.get(slot).map_or(0, |x| *x as usize);
    if came_down(before, d, slot) {
        at(slot)
    } else {
        at(slot - 1) + 1
    }
}

/// Whether the last edit was one of the second sequence.
fn came_down(before: &[u32], d: usize, slot: usize) -> bool {
    let at = |slot: usize| before.get(slot).copied().unwrap_or(0);
    slot == 0 || (slot != d && at(slot - 1) < at(slot))
}

/// The way back from the ends.
fn back(reached: &[Vec<u32>], n: usize, m: usize) -> Vec<Edit> {
    let mut steps = Vec::new();
    let (mut x, mut y) = (n, m);
    for d in (0..reached.len()).rev() {
        let Some(before) = d.checked_sub(1).and_then(|d| reached.get(d)) else {
            while x > 0 && y > 0 {
                (x, y) = (x - 1, y - 1);
                steps.push(Edit::Same(x, y));
            }
            break;
        };
        let slot = (x + d - y) / 2;
        let from = start(Some(before), d, slot);
        while x > from && y > 0 {
            (x, y) = (x - 1, y - 1);
            steps.push(Edit::Same(x, y));
        }
        if came_down(before, d, slot) {
            y = y.saturating_sub(1);
            steps.push(Edit::Come(y));
        } else {
            x = x.saturating_sub(1);
            steps.push(Edit::Gone(x));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    /// By the book: as long as the longest common subsequence allows.
    fn fewest(old: &[u8], new: &[u8]) -> usize {
        let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
        for (i, a) in old.iter().enumerate() {
            for (j, b) in new.iter().enumerate() {
                table[i + 1][j + 1] = if a == b {
                    table[i][j] + 1
                } else {
                    table[i][j + 1].max(table[i + 1][j])
                };
            }
        }
        old.len() + new.len() - 2 * table[old.len()][new.len()]
    }

    proptest! {
        #[test]
        fn the_steps_lead_from_one_to_the_other_and_are_the_fewest(old in "[abc]{0,14}", new in "[abc]{0,14}") {
            let (old, new) = (old.as_bytes(), new.as_bytes());
            let (mut i, mut j, mut count) = (0, 0, 0);
            for edit in edits(old, new) {
                match edit {
                    Edit::Same(a, b) => {
                        prop_assert_eq!((a, b), (i, j));
                        prop_assert_eq!(old[i], new[j]);
                        (i, j) = (i + 1, j + 1);
                    }
                    Edit::Gone(a) => {
                        prop_assert_eq!(a, i);
                        (i, count) = (i + 1, count + 1);
                    }
                    Edit::Come(b) => {
                        prop_assert_eq!(b, j);
                        (j, count) = (j + 1, count + 1);
                    }
                }
            }
            prop_assert_eq!((i, j), (old.len(), new.len()));
            prop_assert_eq!(count, fewest(old, new));
        }
    }
}
