//! Count the words of files by length: one thread lays texts on a desk, two wait for them there.
//!
//!     cargo run -p fearless-patterns --example condvar -- FILE...

use std::sync::{Condvar, Mutex};
use std::{env, fs, thread};

use fearless_patterns::words::{Totals, add, digest, lengths};

/// What lies ready, and whether that was all.
#[derive(Default)]
struct Desk {
    texts: Vec<String>,
    closed: bool,
}

/// Lay the text of each file on the desk. Who changes what is waited for tells those who wait.
fn read(files: &[String], desk: &Mutex<Desk>, changed: &Condvar) {
    for file in files {
        let text = fs::read_to_string(file).expect("a file cannot be read");
        desk.lock().expect("poisoned").texts.push(text);
        changed.notify_one();
    }
    desk.lock().expect("poisoned").closed = true;
    changed.notify_all();
}

/// Count what lies there. The wait lets go of the desk, and has it again when it returns.
fn count(desk: &Mutex<Desk>, changed: &Condvar, totals: &Mutex<Totals>) {
    loop {
        let guard = desk.lock().expect("poisoned");
        let nothing = |desk: &mut Desk| desk.texts.is_empty() && !desk.closed;
        let next = changed.wait_while(guard, nothing).expect("poisoned").texts.pop();
        let Some(text) = next else { return };
        add(&mut totals.lock().expect("poisoned"), &lengths(&text));
    }
}

/// Run all three.
fn totals_of(files: &[String]) -> Totals {
    let (desk, changed, totals) = (Mutex::default(), Condvar::new(), Mutex::default());
    thread::scope(|scope| {
        scope.spawn(|| read(files, &desk, &changed));
        for _ in 0..2 {
            scope.spawn(|| count(&desk, &changed, &totals));
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
