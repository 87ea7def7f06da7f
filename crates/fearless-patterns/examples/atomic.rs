//! Count the words of files by length: two threads count, and add to atomics. There is no lock.
//!
//!     cargo run -p fearless-patterns --example atomic -- FILE...

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::{env, fs, thread};

use fearless_patterns::words::{LONGEST, Totals, digest, lengths};

/// Draw a ticket for a file: nobody else gets that number. Add what was found in it.
fn count(files: &[String], ticket: &AtomicUsize, totals: &[AtomicU64; LONGEST]) {
    while let Some(file) = files.get(ticket.fetch_add(1, SeqCst)) {
        let part = lengths(&fs::read_to_string(file).expect("a file cannot be read"));
        for (total, amount) in totals.iter().zip(part) {
            total.fetch_add(amount, SeqCst);
        }
    }
}

/// Let two threads share the tickets and the totals; each total is right by itself.
fn totals_of(files: &[String]) -> Totals {
    let (ticket, totals) = (AtomicUsize::new(0), Default::default());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| count(files, &ticket, &totals));
        }
    });
    totals.map(AtomicU64::into_inner)
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let totals = totals_of(&files);
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
