//! Count the words of files by length: fork the files into halves, and those again, and join the totals of both.
//!
//!     cargo run -p fearless-patterns --example fork_join -- FILE...

use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// Count the words of one file.
fn count(file: &String) -> Totals {
    lengths(&fs::read_to_string(file).expect("a file cannot be read"))
}

/// Count both halves in parallel. The standard library has no workers to share: each fork is a thread of its own.
fn totals_of(files: &[String]) -> Totals {
    if files.len() < 2 {
        return files.first().map(count).unwrap_or_default();
    }
    let (left, right) = files.split_at(files.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| totals_of(right));
        let mut total = totals_of(left);
        add(&mut total, &other.join().expect("a thread panicked"));
        total
    })
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let totals = totals_of(&files);
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
