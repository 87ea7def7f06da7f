//! Workers send their parts to one owner; only the owner touches the
//! totals.
//!
//! A part that was sent is the owner's: the compiler refuses its further
//! use. The loop of the owner ends when every sender is dropped, so the
//! first one, of which the workers have clones, is dropped by hand.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, SyncSender};
use std::thread;

use crate::words::{Totals, add, lengths};

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::sync_channel(128);
    let mut total = Totals::default();
    thread::scope(|scope| {
        for _ in 0..workers {
            let sender = sender.clone();
            scope.spawn(|| send_parts(texts, &cursor, sender));
        }
        drop(sender);
        for part in receiver {
            add(&mut total, &part);
        }
    });
    total
}

/// The sender belongs to this call, and is dropped with it.
fn send_parts(texts: &[String], cursor: &AtomicUsize, to: SyncSender<Totals>) {
    while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
        to.send(lengths(text)).expect("the owner is gone");
    }
}
