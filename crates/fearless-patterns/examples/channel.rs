//! Count the words of files by length: one thread reads, two count, this one owns the totals.
//!
//!     cargo run -p fearless-patterns --example channel -- FILE...

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// A receiver of the standard library has one owner. To share it, put it behind a lock.
type Shared = Arc<Mutex<Receiver<String>>>;

/// Send the text of each file, at most 16 ahead of those who count.
fn read(files: &[String], texts: SyncSender<String>) {
    for file in files {
        let text = fs::read_to_string(file).expect("a file cannot be read");
        texts.send(text).expect("nobody counts any more");
    }
}

/// Count texts until there will be no more; any of the workers may get the next one.
fn count(texts: Shared, parts: SyncSender<Totals>) {
    loop {
        let next = texts.lock().expect("another worker failed").recv();
        let Ok(text) = next else { return };
        parts.send(lengths(&text)).expect("nobody adds any more");
    }
}

/// Run the three stages; each end is moved to its thread, and what was only cloned is dropped.
fn totals_of(files: &[String]) -> Totals {
    let (to_count, texts) = sync_channel(16);
    let (to_add, parts) = sync_channel(16);
    let texts = Arc::new(Mutex::new(texts));
    let mut total = Totals::default();
    thread::scope(|scope| {
        scope.spawn(|| read(files, to_count));
        for _ in 0..2 {
            let (texts, to_add) = (texts.clone(), to_add.clone());
            scope.spawn(|| count(texts, to_add));
        }
        drop(texts);
        drop(to_add);
        for part in parts {
            add(&mut total, &part);
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
