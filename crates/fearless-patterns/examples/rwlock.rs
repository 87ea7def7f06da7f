//! Count the words of files by length: two threads share the texts that were read.
//!
//! A file that is named again is not read again.
//!
//!     cargo run -p fearless-patterns --example rwlock -- FILE...

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// The texts of the files that were read so far. Many look at it, and few enter something.
type Texts = RwLock<HashMap<String, Arc<str>>>;

/// The text of a file. Nothing that was seen under the first guard is sure under the second.
fn text_of(file: &str, texts: &Texts) -> Arc<str> {
    if let Some(text) = texts.read().expect("poisoned").get(file) {
        return text.clone();
    }
    let mut known = texts.write().expect("poisoned");
    let read = || fs::read_to_string(file).expect("a file cannot be read").into();
    known.entry(file.to_string()).or_insert_with(read).clone()
}

/// Count the words of each file. The text that came from the table outlives its guard.
fn count(files: &[&String], texts: &Texts, totals: &Mutex<Totals>) {
    for file in files {
        let part = lengths(&text_of(file, texts));
        add(&mut totals.lock().expect("poisoned"), &part);
    }
}

/// Let two threads count half of the files each.
fn totals_of(files: &[String]) -> Totals {
    let (texts, totals) = (Texts::default(), Mutex::default());
    thread::scope(|scope| {
        for half in 0..2 {
            let own: Vec<_> = files.iter().skip(half).step_by(2).collect();
            let (texts, totals) = (&texts, &totals);
            scope.spawn(move || count(&own, texts, totals));
        }
    });
    totals.into_inner().expect("poisoned")
}

/// Print the digest of the totals, and how many words there are.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let totals = totals_of(&files);
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
}
