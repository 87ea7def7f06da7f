//! Count the words of files by length: a thread for each half of the files, and totals of its own for each.
//!
//!     cargo run -p fearless-patterns --example threads -- FILE...

use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// Count the words of every other file. Nobody else sees these totals before they are returned.
fn count(files: &[String], first: usize) -> Totals {
    let mut own = Totals::default();
    for file in files.iter().skip(first).step_by(2) {
        add(&mut own, &lengths(&fs::read_to_string(file).expect("a file cannot be read")));
    }
    own
}

/// Start both threads, and join what they return. They may borrow the names: the scope outlives neither.
fn totals_of(files: &[String]) -> Totals {
    thread::scope(|scope| {
        let first = scope.spawn(|| count(files, 0));
        let second = scope.spawn(|| count(files, 1));
        let mut total = first.join().expect("a thread panicked");
        add(&mut total, &second.join().expect("a thread panicked"));
        total
    })
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let totals = totals_of(&files);
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
