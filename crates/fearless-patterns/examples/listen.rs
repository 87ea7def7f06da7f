//! Count the words of files by length, and say which cannot be read: two kinds of news.
//!
//!     cargo run -p fearless-patterns --example listen -- FILE...

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// There is no select here: what one listener is to hear goes through one channel, as one type.
enum News {
    Part(Totals),
    Problem(String),
}

/// Read and count each file; tell which are no text.
fn read(files: &[&String], news: SyncSender<News>) {
    for &file in files {
        let told = match fs::read_to_string(file) {
            Ok(text) => News::Part(lengths(&text)),
            Err(_) => News::Problem(file.clone()),
        };
        news.send(told).expect("nobody listens any more");
    }
}

/// Take what comes first, until all has ended.
fn listen(news: Receiver<News>) -> (Totals, Vec<String>) {
    let (mut total, mut unreadable) = (Totals::default(), Vec::new());
    for told in news {
        match told {
            News::Part(part) => add(&mut total, &part),
            News::Problem(file) => unreadable.push(file),
        }
    }
    unreadable.sort();
    (total, unreadable)
}

/// Let two threads read half of the files each; print the digest, and what cannot be read.
fn main() {
    let files: Vec<_> = env::args().skip(1).collect();
    let (to_tell, news) = sync_channel(16);
    let (totals, unreadable) = thread::scope(|scope| {
        for half in 0..2 {
            let to_tell = to_tell.clone();
            let files = &files;
            scope.spawn(move || {
                let own: Vec<_> = files.iter().skip(half).step_by(2).collect();
                read(&own, to_tell);
            });
        }
        drop(to_tell);
        listen(news)
    });
    println!("{:016x} {}", digest(&totals), totals.iter().sum::<u64>());
    for file in unreadable {
        println!("cannot be read: {file}");
    }
}
