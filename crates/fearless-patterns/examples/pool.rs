//! Count the words of files by length: a call for each file, made by one of two workers.
//!
//!     cargo run -p fearless-patterns --example pool -- FILE...

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// A file, and where its result goes. The standard library has no pool and no future; a channel of one slot is one.
type Job<'a> = (&'a String, SyncSender<Totals>);

/// Be a worker: take one job after the other until there will be no more.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().expect("another worker panicked").recv(); // the lock is let go here
        let Ok((file, result)) = next else { return };
        let part = lengths(&fs::read_to_string(file).expect("a file cannot be read"));
        result.send(part).expect("nobody waits for the result");
    }
}

/// Submit all; then take the results as they were submitted, while later ones are still being made.
fn totals_of(files: &[String]) -> Totals {
    let (submit, jobs) = sync_channel(16);
    let jobs = Mutex::new(jobs);
    let mut total = Totals::default();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| work(&jobs));
        }
        let call = |file| {
            let (result, future) = sync_channel(1);
            submit.send((file, result)).expect("every worker panicked");
            future
        };
        let futures: Vec<_> = files.iter().map(call).collect();
        drop(submit); // or the workers would wait for ever
        for future in futures {
            add(&mut total, &future.recv().expect("a worker panicked"));
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
