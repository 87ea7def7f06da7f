//! Texts go to whoever is free; each worker has totals of its own, and they
//! are joined at the end.
//!
//! The cursor is all that workers share. A crate for data parallelism does
//! this in one line, and also cuts chunks.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use crate::words::{Totals, add, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let work = || {
        let mut own = Totals::default();
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            add(&mut own, &lengths(text));
        }
        own
    };
    let mut total = Totals::default();
    thread::scope(|scope| {
        let tasks: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for task in tasks {
            add(&mut total, &task.join().expect("a worker panicked"));
        }
    });
    total
}
