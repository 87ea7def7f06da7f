//! Workers send their parts to one owner; only the owner touches the totals.
//!
//! A part that was sent is the owner's: the compiler refuses its further use. The loop of the owner ends when every
//! sender is dropped, so the first one, of which the workers have clones, is dropped by hand.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;
use std::thread;

use crate::words::{Totals, add, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(128);
    let mut total = Totals::default();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (sender, cursor) = (sender.clone(), &cursor);
            scope.spawn(move || {
                while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
                    sender.send(lengths(text)).expect("the owner is gone");
                }
            });
        }
        drop(sender);
        for part in receiver {
            add(&mut total, &part);
        }
    });
    total
}
