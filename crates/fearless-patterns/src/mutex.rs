//! Totals that all workers share behind one lock; the work is done outside
//! of it.
//!
//! `Mutex` owns what it protects: there is no way to the totals but through
//! the guard that `lock` returns.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use crate::words::{Totals, add, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let shared = Mutex::new(Totals::default());
    let work = || {
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            let part = lengths(text);
            let mut total = shared.lock().expect("poisoned");
            add(&mut total, &part);
        } // the guard goes out of scope here, and the lock with it
    };
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    shared.into_inner().expect("poisoned")
}
