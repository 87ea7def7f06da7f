//! Count the words of files by length: two workers move one cursor over the files, and join their parts at the end.
//!
//!     cargo run -p fearless-patterns --example cursor -- FILE...

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// Take files until there are none. The cursor orders nothing but itself, so relaxed is enough.
fn count(files: &[String], cursor: &AtomicUsize) -> Totals {
    let mut own = Totals::default();
    while let Some(file) = files.get(cursor.fetch_add(1, Ordering::Relaxed)) {
        add(&mut own, &lengths(&fs::read_to_string(file).expect("a file cannot be read")));
    }
    own
}

/// Let the workers take files until there are none; whoever meets long ones takes fewer.
fn totals_of(files: &[String]) -> Totals {
    let cursor = AtomicUsize::new(0);
    let mut total = Totals::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(|| count(files, &cursor))).collect();
        for worker in workers {
            add(&mut total, &worker.join().expect("a worker panicked"));
        }
    });
    total
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let totals = totals_of(&files);
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
