//! scan/lane: works on two programs at a time, so that a thread that has nothing to do in one finds something in the other.
//!
//! One lane goes from the largest program down, the other from the smallest up: it takes the memory of the largest and
//! of a small one beside it, not that of the two largest.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Where a lane takes its next thing.
#[derive(Clone, Copy)]
enum End {
    Large,
    Small,
}

/// What work comes to for each of some things, in their order.
pub(super) fn at_both_ends<T: Send, R: Send>(
    things: Vec<T>,
    size: impl Fn(&T) -> usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let mut numbered: Vec<(usize, T)> = things.into_iter().enumerate().collect();
    numbered.sort_by_key(|(number, thing)| (std::cmp::Reverse(size(thing)), *number));
    let waiting = Mutex::new(VecDeque::from(numbered));
    let lane = |end: End| {
        let next = || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            match end {
                End::Large => waiting.pop_front(),
                End::Small => waiting.pop_back(),
            }
        };
        std::iter::from_fn(next).map(|(number, thing)| (number, work(thing))).collect::<Vec<_>>()
    };
    let (mut done, others) = rayon::join(|| lane(End::Large), || lane(End::Small));
    done.extend(others);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::at_both_ends;

    #[test]
    fn all_is_done_once_and_comes_back_in_order() {
        for count in [0, 1, 2, 7, 100] {
            let things: Vec<usize> = (0..count).collect();
            let done = at_both_ends(things.clone(), |thing| thing * 31 % 7, |thing| thing + 1);
            assert_eq!(done, things.iter().map(|thing| thing + 1).collect::<Vec<_>>());
        }
    }
}
