//! A job for each text, in one queue for all workers, and a future for each
//! job; the caller takes the parts in order.
//!
//! A future is a channel with one slot here, since the standard library has
//! neither futures of threads nor a pool.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use crate::words::{Totals, add, lengths};

type Job<'a> = (&'a str, SyncSender<Totals>);

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let (submit, queue) = mpsc::channel();
    let queue = Mutex::new(queue);
    let mut total = Totals::default();
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((text, result)) = next(&queue) {
                    result.send(lengths(text)).expect("nobody waits");
                }
            });
        }
        let job = |text| {
            let (result, future) = mpsc::sync_channel(1);
            submit.send((text, result)).expect("no workers");
            future
        };
        let futures: Vec<_> = texts.iter().map(String::as_str).map(job).collect();
        drop(submit); // the workers end when the queue is empty
        for future in futures {
            add(&mut total, &future.recv().expect("a worker panicked"));
        }
    });
    total
}

/// The next job, or `None` when there will be no more. The lock is let go
/// before the job is done.
fn next<'a>(queue: &Mutex<Receiver<Job<'a>>>) -> Option<Job<'a>> {
    queue.lock().expect("poisoned").recv().ok()
}
