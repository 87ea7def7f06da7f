//! Totals that all workers add to, each a bare atomic; there is no lock,
//! and nothing to join.
//!
//! `Relaxed` is enough for a sum: no other memory is published by it, and
//! the scope's join comes before the last read.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

use crate::words::{LONGEST, Totals, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let totals: [AtomicU64; LONGEST] = Default::default();
    let work = || {
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            for (total, amount) in totals.iter().zip(lengths(text)) {
                total.fetch_add(amount, Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    totals.map(AtomicU64::into_inner)
}
