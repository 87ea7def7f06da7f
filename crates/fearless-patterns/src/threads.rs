//! A scope of threads, each with a slice of the texts and totals of its
//! own, joined at the end.
//!
//! The scope joins every thread before it returns, so that threads may
//! borrow the texts.

use std::thread;

use crate::words::{Totals, add, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let length = texts.len().div_ceil(workers).max(1);
    let mut total = Totals::default();
    thread::scope(|scope| {
        let start = |slice| scope.spawn(move || of_slice(slice));
        let tasks: Vec<_> = texts.chunks(length).map(start).collect();
        for task in tasks {
            add(&mut total, &task.join().expect("a worker panicked"));
        }
    });
    total
}

fn of_slice(texts: &[String]) -> Totals {
    let mut own = Totals::default();
    for text in texts {
        add(&mut own, &lengths(text));
    }
    own
}
