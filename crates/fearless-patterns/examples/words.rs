//! Counts the words of files by their length with every pattern, and prints a digest of each result.
//!
//!     cargo run -p fearless-patterns --example words -- WORKERS FILE...

use std::{env, fs, process};

use fearless_patterns::{PATTERNS, words::digest};

fn main() {
    let mut arguments = env::args().skip(1);
    let workers = arguments.next().and_then(|text| text.parse().ok()).filter(|&count| count > 0);
    let (Some(workers), files) = (workers, arguments.collect::<Vec<_>>()) else {
        eprintln!("usage: words WORKERS FILE..., with at least one worker");
        process::exit(2);
    };
    let read = |file: &String| fs::read_to_string(file).unwrap_or_else(|error| fail(file, &error));
    let texts: Vec<_> = files.iter().map(read).collect();
    for (name, pattern) in PATTERNS {
        let totals = pattern(&texts, workers);
        println!("{name} {:016x} {}", digest(&totals), totals.iter().sum::<u64>());
    }
}

fn fail(file: &str, error: &std::io::Error) -> ! {
    eprintln!("{file} cannot be read: {error}");
    process::exit(2);
}
