//! Models of waiting for the value of an atomic: no change is missed, by a thread or by a coroutine.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    atomic_bool::AtomicBool,
    atomic_int::AtomicInt,
    select::{Select, Source, Standing},
    sync::{Arc, thread},
    waiter::{Claim, Notice, Waiter},
    watchers::{Look, Watchers, Watching},
};

/// A number that can be waited for, as the bindings put it together.
#[derive(Default)]
struct Number {
    value: Value,
    watchers: Watchers,
}

struct Value(AtomicInt);

impl Default for Value {
    fn default() -> Value {
        Value(AtomicInt::new(0))
    }
}

impl Number {
    fn load(&self) -> i64 {
        self.value.0.load()
    }

    fn add(&self, amount: i64) {
        self.value.0.fetch_add(amount).expect("far from the edge");
        self.tell();
    }

    fn store(&self, value: i64) {
        self.value.0.store(value);
        self.tell();
    }

    fn tell(&self) {
        if self.watchers.is_watched() {
            self.watchers.tell().wake();
        }
    }

    /// Waits as a thread does. False when `deadline` passed.
    fn wait_until(&self, wanted: i64, deadline: Option<Instant>) -> bool {
        let waiter = Waiter::new();
        let ticket = self.watchers.enlist(&waiter, 0);
        let came = loop {
            if self.load() == wanted {
                break true;
            }
            match waiter.wait(deadline) {
                Claim::Ready(0) => self.watchers.rearm(&waiter),
                Claim::TimedOut => break false,
                claim => panic!("{claim:?}"),
            }
        };
        self.watchers.leave(ticket);
        came
    }
}

/// The change comes while the thread begins to wait: either sees the other.
///
/// Fails without the order in `is_watched`, and without that in `enlist`.
#[test]
fn a_change_meets_a_wait_that_begins() {
    explore(3, || {
        let number = Arc::new(Number::default());
        let waiting = thread::spawn({
            let number = Arc::clone(&number);
            move || number.wait_until(1, None)
        });

        number.store(1);

        assert!(waiting.join().expect("no panic"));
        assert_eq!(number.watchers.waiting(), 0);
    });
}

/// The thread is told of a change that is not the awaited one, and waits again while the next is made.
///
/// Fails without `waiter.rearm()` in `rearm`.
#[test]
fn a_change_meets_a_wait_that_goes_on() {
    explore(3, || {
        let number = Arc::new(Number::default());
        let waiting = thread::spawn({
            let number = Arc::clone(&number);
            move || number.wait_until(2, None)
        });

        number.add(1);
        number.add(1);

        assert!(waiting.join().expect("no panic"));
    });
}

/// Two threads wait for the one change.
///
/// Fails if `tell` stops after the first.
#[test]
fn a_change_tells_all() {
    explore(2, || {
        let number = Arc::new(Number::default());
        let waiting = [(); 2].map(|()| {
            let number = Arc::clone(&number);
            thread::spawn(move || number.wait_until(1, None))
        });

        number.store(1);

        for waiting in waiting {
            assert!(waiting.join().expect("no panic"));
        }
        assert_eq!(number.watchers.waiting(), 0);
    });
}

/// Who leaves while another comes does not take the flag along.
///
/// Fails without the look at the queue in `leave`.
#[test]
fn who_leaves_takes_nobody_along() {
    explore(2, || {
        let number = Arc::new(Number::default());
        let hasty = thread::spawn({
            let number = Arc::clone(&number);
            move || number.wait_until(1, Some(Instant::now()))
        });
        let patient = thread::spawn({
            let number = Arc::clone(&number);
            move || number.wait_until(1, None)
        });

        number.store(1);

        hasty.join().expect("no panic");
        assert!(patient.join().expect("no panic"));
        assert_eq!(number.watchers.waiting(), 0);
    });
}

/// Looks for a value.
struct Wanted {
    number: Arc<Number>,
    wanted: i64,
}

impl Look for Wanted {
    fn look(&mut self) -> bool {
        self.number.load() == self.wanted
    }
}

/// Keeps the watchers of a number.
struct Of(Arc<Number>);

impl std::ops::Deref for Of {
    type Target = Watchers;

    fn deref(&self) -> &Watchers {
        &self.0.watchers
    }
}

fn watching(number: &Arc<Number>, wanted: i64) -> Watching<Of, Wanted> {
    Watching::new(Of(Arc::clone(number)), Wanted { number: Arc::clone(number), wanted })
}

/// A loop, as far as one coroutine sees it: it sleeps until its operation is woken.
#[derive(Debug)]
struct Loop(Arc<Waiter>);

impl Notice for Loop {
    fn claimed(&self) {
        self.0.claim(Claim::Ready(0));
        self.0.wake();
    }
}

/// Waits as a coroutine does.
fn await_value<S: Source>(source: S) {
    let (mut select, mut sources) = (Select::default(), [source]);
    while select.attempt(&mut sources, || 0).is_none() {
        let sleep = Waiter::new();
        let waiter = Waiter::for_loop(Box::new(Loop(Arc::clone(&sleep))));
        let mut standing = select.start(&mut sources, &waiter);
        if standing == Standing::Wait {
            sleep.wait(None);
            standing = select.finish(&mut sources, &waiter);
        }
        if let Standing::Done(_) = standing {
            return;
        }
    }
}

/// The same as a coroutine, which looks again when its turn has come.
///
/// Fails without the look in `Watching::enlist`, and without the order in `enlist` and `is_watched`.
#[test]
fn a_coroutine_misses_no_change() {
    explore(2, || {
        let number = Arc::new(Number::default());
        let waiting = thread::spawn({
            let number = Arc::clone(&number);
            move || await_value(watching(&number, 2))
        });

        number.add(1);
        number.add(1);

        waiting.join().expect("no panic");
        assert_eq!(number.watchers.waiting(), 0);
    });
}

/// A coroutine that gives up leaves its place, and the thread beside it is told of the change.
///
/// Fails without `self.leave()` in `withdraw`.
#[test]
fn a_cancelled_coroutine_leaves_nothing_behind() {
    explore(2, || {
        let number = Arc::new(Number::default());
        let patient = thread::spawn({
            let number = Arc::clone(&number);
            move || number.wait_until(1, None)
        });
        let sleep = Waiter::new();
        let waiter = Waiter::for_loop(Box::new(Loop(sleep)));
        let (mut select, mut sources) = (Select::default(), [watching(&number, 1)]);
        let changing = thread::spawn({
            let number = Arc::clone(&number);
            move || number.store(1)
        });
        if select.start(&mut sources, &waiter) == Standing::Wait {
            select.abandon(&mut sources, &waiter);
        }

        changing.join().expect("no panic");
        assert!(patient.join().expect("no panic"));
        assert_eq!(number.watchers.waiting(), 0);
    });
}

/// Two threads flip a flag; a third that waits sees it set, which it is in the end.
///
/// Fails if `AtomicBool::fetch_xor` loads and stores.
#[test]
fn flips_of_a_flag_are_not_lost() {
    explore(2, || {
        let flag = Arc::new((AtomicBool::new(true), Watchers::new()));
        let flip = |flag: &(AtomicBool, Watchers)| {
            flag.0.fetch_xor(true);
            if flag.1.is_watched() {
                flag.1.tell().wake();
            }
        };
        let other = thread::spawn({
            let flag = Arc::clone(&flag);
            move || flip(&flag)
        });

        flip(&flag);

        other.join().expect("no panic");
        assert!(flag.0.load());
    });
}
