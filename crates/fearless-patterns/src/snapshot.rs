//! What is known of each text as a value that nobody changes: readers take
//! a reference to it, and a writer puts a changed copy in its place.
//!
//! The standard library has no atomic `Arc`, so a lock guards the place; it
//! is held for the copy of a pointer, never for a read of the value.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::words::{Totals, add, lengths};

type Known<'a> = Arc<HashMap<&'a str, Totals>>;

/// The totals of all texts.
pub fn count(texts: &[String], workers: usize) -> Totals {
    let cursor = AtomicUsize::new(0);
    let current = Mutex::new(Known::default());
    let work = || {
        let mut own = Totals::default();
        while let Some(text) = texts.get(cursor.fetch_add(1, Relaxed)) {
            add(&mut own, &of_text(text, &current));
        }
        own
    };
    let mut total = Totals::default();
    thread::scope(|scope| {
        let tasks: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for task in tasks {
            add(&mut total, &task.join().expect("a worker panicked"));
        }
    });
    total
}

/// Whoever is overtaken by another writer copies again.
fn of_text<'a>(text: &'a str, current: &Mutex<Known<'a>>) -> Totals {
    let mut seen = load(current);
    if let Some(part) = seen.get(text) {
        return *part;
    }
    let part = lengths(text);
    loop {
        let mut next = HashMap::clone(&seen);
        next.insert(text, part);
        match exchange(current, &seen, next) {
            Ok(()) => return part,
            Err(newer) => seen = newer,
        }
    }
}

fn load<'a>(current: &Mutex<Known<'a>>) -> Known<'a> {
    Arc::clone(&current.lock().expect("poisoned"))
}

/// Puts `next` in the place of `seen`, or tells what is there by now.
fn exchange<'a>(current: &Mutex<Known<'a>>, seen: &Known<'a>, next: HashMap<&'a str, Totals>) -> Result<(), Known<'a>> {
    let mut place = current.lock().expect("poisoned");
    if !Arc::ptr_eq(&place, seen) {
        return Err(Arc::clone(&place));
    }
    *place = Arc::new(next); // `seen` keeps the old value alive, so it is not dropped under the lock
    Ok(())
}
