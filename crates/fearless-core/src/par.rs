//! The chunk cursor of `par`: hands out the numbers `0..total` in ranges, each number once, by one atomic word.
//!
//! *Guided* ranges shrink with what is left: large ones at first, so that handing out costs little, and small ones at
//! the end, so that nobody waits long for the last. *Static* ranges are all of one size.
//!
//! Not here: what the numbers stand for, and who works on a range.

use std::ops::Range;

use crate::sync::atomic::{AtomicUsize, Ordering};

/// How long ranges are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// A share of what is left, never less than `least`.
    Guided {
        /// Who shares.
        workers: usize,
        /// The smallest range, save for the last.
        least: usize,
    },
    /// Always `size`, save for the last.
    Static {
        /// Numbers in a range.
        size: usize,
    },
}

impl Schedule {
    fn length(self, left: usize) -> usize {
        let wanted = match self {
            // Half an even share: whoever gets a slow range leaves enough for the others to even it out.
            Schedule::Guided { workers, least } => (left / (2 * workers.max(1))).max(least),
            Schedule::Static { size } => size,
        };
        wanted.clamp(1, left)
    }
}

/// A position in `0..total` that only grows.
#[derive(Debug)]
pub struct Cursor {
    next: AtomicUsize,
    total: usize,
    schedule: Schedule,
}

impl Cursor {
    /// A cursor before the first number.
    pub fn new(total: usize, schedule: Schedule) -> Cursor {
        Cursor { next: AtomicUsize::new(0), total, schedule }
    }

    /// The next range; `None` when all are handed out or the cursor was stopped.
    pub fn take(&self) -> Option<Range<usize>> {
        let mut start = self.next.load(Ordering::Relaxed);
        loop {
            if start >= self.total {
                return None;
            }
            let end = start + self.schedule.length(self.total - start);
            match self.next.compare_exchange_weak(start, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(start..end),
                Err(now) => start = now,
            }
        }
    }

    /// Hands out nothing any more; says whether something was left.
    pub fn stop(&self) -> bool {
        // A swap, not a store after a look: a range taken in between would be handed out and yet counted as left.
        self.next.swap(usize::MAX, Ordering::Relaxed) < self.total
    }

    /// Whether it was.
    pub fn is_stopped(&self) -> bool {
        self.next.load(Ordering::Relaxed) == usize::MAX
    }

    /// How many numbers there are.
    pub fn total(&self) -> usize {
        self.total
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn ranges(cursor: &Cursor) -> Vec<Range<usize>> {
        std::iter::from_fn(|| cursor.take()).collect()
    }

    #[test]
    fn every_number_is_handed_out_once_and_in_order() {
        for total in [0, 1, 7, 1000] {
            for schedule in [
                Schedule::Guided { workers: 3, least: 1 },
                Schedule::Guided { workers: 1, least: 64 },
                Schedule::Static { size: 3 },
            ] {
                let numbers: Vec<_> = ranges(&Cursor::new(total, schedule)).into_iter().flatten().collect();

                assert_eq!(numbers, (0..total).collect::<Vec<_>>(), "{schedule:?}");
            }
        }
    }

    #[test]
    fn guided_ranges_shrink_to_the_least() {
        let lengths: Vec<_> = ranges(&Cursor::new(100, Schedule::Guided { workers: 2, least: 8 }))
            .into_iter()
            .map(|range| range.len())
            .collect();

        assert_eq!(lengths, [25, 18, 14, 10, 8, 8, 8, 8, 1]);
    }

    #[test]
    fn a_stopped_cursor_hands_out_nothing_and_knows_what_was_left() {
        let cursor = Cursor::new(10, Schedule::Static { size: 5 });
        assert_eq!(cursor.take(), Some(0..5));

        assert!(cursor.stop());

        assert_eq!(cursor.take(), None);
        assert!(cursor.is_stopped() && !cursor.stop());
    }
}
