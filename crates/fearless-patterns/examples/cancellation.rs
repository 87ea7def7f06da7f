//! Count the words of files by length; the first file that cannot be read stops all.
//!
//!     cargo run -p fearless-patterns --example cancellation -- FILE...

use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// Count the words of every other file. Between two of them, end if the other thread has failed: there is a flag for
/// that, and each loop has to look at it. A thread that waits for something would not see it.
fn count(files: &[String], first: usize, stop: &AtomicBool) -> Result<Totals, String> {
    let mut own = Totals::default();
    for file in files.iter().skip(first).step_by(2) {
        if stop.load(Ordering::Relaxed) {
            break; // what was counted is not used
        }
        let Ok(text) = fs::read_to_string(file) else {
            stop.store(true, Ordering::Relaxed);
            return Err(file.clone());
        };
        add(&mut own, &lengths(&text));
    }
    Ok(own)
}

/// Run both threads. What one returns as an error stops the other, if it looks.
fn totals_of(files: &[String]) -> Result<Totals, String> {
    let stop = AtomicBool::new(false);
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| count(files, 0, &stop));
        let second = scope.spawn(|| count(files, 1, &stop));
        (first.join().expect("a thread panicked"), second.join().expect("a thread panicked"))
    });
    let mut total = first?;
    add(&mut total, &second?);
    Ok(total)
}

/// Print the digest of the totals, and how many words there are; or what stopped it.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    match totals_of(&files) {
        Ok(totals) => println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>()),
        Err(file) => println!("stopped: {file} cannot be read"),
    }
}
