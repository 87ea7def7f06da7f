//! Every interleaving of workers at one cursor, and of stopping it.
//!
//! Each model was seen to fail without one line of `par.rs`, which its comment names.
#![cfg(loom)]

use fearless_core::{
    par::{Cursor, Schedule},
    sync::{Arc, thread},
};

/// Takes until nothing is left; what it was handed.
fn drain(cursor: &Cursor) -> Vec<usize> {
    std::iter::from_fn(|| cursor.take()).flatten().collect()
}

fn start(cursor: &Arc<Cursor>) -> thread::JoinHandle<Vec<usize>> {
    let cursor = Arc::clone(cursor);
    thread::spawn(move || drain(&cursor))
}

/// Two workers are handed every number once.
///
/// Fails (a number is handed out twice) with a plain `store` in place of the exchange in `take`:
/// `self.next.compare_exchange_weak(start, end, ...)`.
#[test]
fn every_number_is_handed_out_once() {
    loom::model(|| {
        let cursor = Arc::new(Cursor::new(3, Schedule::Guided { workers: 2, least: 1 }));
        let other = start(&cursor);

        let mut numbers = drain(&cursor);
        numbers.extend(other.join().expect("no panic"));
        numbers.sort_unstable();

        assert_eq!(numbers, [0, 1, 2]);
    });
}

/// After a stop nothing is handed out, and the stop knows whether something was left.
///
/// Fails (it says that nothing was left, or hands out more) with a look and a `store` in place of the exchange in
/// `stop`: `self.next.swap(usize::MAX, Ordering::Relaxed)`.
#[test]
fn a_stop_knows_what_was_left() {
    loom::model(|| {
        let cursor = Arc::new(Cursor::new(2, Schedule::Static { size: 1 }));
        let worker = start(&cursor);

        let left = cursor.stop();
        assert_eq!(cursor.take(), None);

        let handed = worker.join().expect("no panic").len();
        assert_eq!(left, handed < 2);
    });
}
