//! Totals in shards: each worker adds to totals of its own, which others
//! may read; a sum adds the shards up.
//!
//! Shards lie on cache lines of their own, or adding to one would take the
//! line from whoever adds to the next.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

use crate::words::{LONGEST, Totals, lengths};

/// The totals of one worker.
#[repr(align(128))]
#[derive(Default)]
struct Shard([AtomicU64; LONGEST]);

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let shards: Vec<Shard> = (0..workers).map(|_| Shard::default()).collect();
    let work = |Shard(own): &Shard| {
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            for (total, amount) in own.iter().zip(lengths(text)) {
                total.fetch_add(amount, Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for shard in &shards {
            scope.spawn(|| work(shard));
        }
    });
    sum(&shards)
}

/// While workers add, it is the sum of no one moment.
fn sum(shards: &[Shard]) -> Totals {
    let mut total = Totals::default();
    for Shard(own) in shards {
        for (sum, amount) in total.iter_mut().zip(own) {
            *sum += amount.load(Relaxed);
        }
    }
    total
}
