//! What is known of each text behind a lock for readers and writers: many
//! look there at once, and who finds nothing works and writes it down.
//!
//! A text that occurs twice is worked on once, or twice if two workers
//! miss it at the same moment. `RwLock` gives readers a `&`, so that they
//! cannot write.

use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use crate::words::{Totals, add, lengths};

type Known<'a> = RwLock<HashMap<&'a str, Totals>>;

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let known = Known::default();
    let work = || {
        let mut own = Totals::default();
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            add(&mut own, &of_text(text, &known));
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

/// The guard of the read is gone before the work, or the write would wait
/// for it.
fn of_text<'a>(text: &'a str, known: &Known<'a>) -> Totals {
    let seen = known.read().expect("poisoned").get(text).copied();
    seen.unwrap_or_else(|| {
        let part = lengths(text);
        known.write().expect("poisoned").insert(text, part);
        part
    })
}
