//! Count the words of files by length: two threads count, and both add to totals behind one lock.
//!
//!     cargo run -p fearless-patterns --example mutex -- FILE...

use std::sync::Mutex;
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// Take one file after the other. The work is done while no lock is held.
fn count(files: &Mutex<Vec<String>>, totals: &Mutex<Totals>) {
    loop {
        let next = files.lock().expect("poisoned").pop(); // the guard ends with this line
        let Some(file) = next else { return };
        let part = lengths(&fs::read_to_string(file).expect("a file cannot be read"));
        add(&mut totals.lock().expect("poisoned"), &part);
    }
}

/// Let two threads share the files that are left, and the totals so far.
fn totals_of(files: Vec<String>) -> Totals {
    let (left, totals) = (Mutex::new(files), Mutex::new(Totals::default()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| count(&left, &totals));
        }
    });
    totals.into_inner().expect("poisoned")
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let totals = totals_of(env::args().skip(1).collect());
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
