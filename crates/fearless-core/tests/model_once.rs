//! Models of doing something once: one caller does it, all others see what came of it, and a failure leaves it to the next.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    once::{Begin, Beginning, Once},
    owner::Owner,
    select::{Select, Standing},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
    waiter::{Claim, Notice, Waiter},
};

/// Begins as a blocking call does. `None`: it gave up when `deadline` passed.
fn begin(once: &Once, me: u64, deadline: Option<Instant>) -> Option<Begin> {
    let (me, waiter) = (Owner::thread(me), Waiter::new());
    let mut begun = once.begin(me, &waiter);
    while let Begin::Wait(ticket) = begun {
        let (next, wakes) = once.resume(me, ticket, &waiter, waiter.wait(deadline));
        wakes.wake();
        begun = next?;
    }
    Some(begun)
}

/// Does it, unless it is done.
fn call(once: &Once, me: u64, done: &AtomicUsize) {
    if begin(once, me, None) == Some(Begin::Mine) {
        done.store(done.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        once.end(true).wake();
    }
}

/// Two callers, and one who only looks.
///
/// Fails without the release of `is_done`, and if `try_begin` does not look at `running`.
#[test]
fn one_does_it_and_all_see_it() {
    explore(2, || {
        let (once, done) = (Arc::new(Once::new()), Arc::new(AtomicUsize::new(0)));
        let caller = |me| {
            let (once, done) = (Arc::clone(&once), Arc::clone(&done));
            move || {
                call(&once, me, &done);
                assert_eq!(done.load(Ordering::Relaxed), 1);
            }
        };
        let other = thread::spawn(caller(1));
        let onlooker = thread::spawn({
            let (once, done) = (Arc::clone(&once), Arc::clone(&done));
            move || assert!(!once.is_done() || done.load(Ordering::Relaxed) == 1)
        });

        caller(2)();

        other.join().expect("no panic");
        onlooker.join().expect("no panic");
        assert!(once.is_done() && once.waiting() == 0);
    });
}

/// Who began fails while another comes.
///
/// Fails if `end` tells nobody of a failure.
#[test]
fn a_failure_leaves_it_to_the_next() {
    explore(3, || {
        let once = Arc::new(Once::new());
        assert_eq!(once.begin_now(Owner::thread(1)), Some(Begin::Mine));
        let next = thread::spawn({
            let once = Arc::clone(&once);
            move || begin(&once, 2, None)
        });

        once.end(false).wake();

        assert_eq!(next.join().expect("no panic"), Some(Begin::Mine));
    });
}

/// Of two that wait one is told of a failure and gives up; the other is told then.
///
/// Fails without `tell` in `leave`.
#[test]
fn who_was_told_and_gives_up_tells_the_next() {
    explore(2, || {
        let once = Arc::new(Once::new());
        let mut never = Waiter::new();
        assert_eq!(once.begin(Owner::thread(1), &never), Begin::Mine);
        never = Waiter::new();
        let Begin::Wait(ticket) = once.begin(Owner::thread(2), &never) else { panic!("it runs") };
        let patient = thread::spawn({
            let once = Arc::clone(&once);
            move || begin(&once, 3, None)
        });
        let failing = thread::spawn({
            let once = Arc::clone(&once);
            move || once.end(false).wake()
        });

        let claim = never.wait(Some(Instant::now()));
        let gave_up = if claim == Claim::TimedOut { claim } else { Claim::Interrupted };
        let (begun, wakes) = once.resume(Owner::thread(2), ticket, &never, gave_up);
        wakes.wake();

        assert_eq!(begun, None);
        assert_eq!(patient.join().expect("no panic"), Some(Begin::Mine));
        failing.join().expect("no panic");
    });
}

#[derive(Debug)]
struct Count(Arc<AtomicUsize>);

impl Notice for Count {
    fn claimed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A task enlists while it ends: it is told, or finds it done.
///
/// Fails without the look at the state in `enlist`.
#[test]
fn an_end_during_the_enlisting_is_not_missed() {
    explore(3, || {
        let once = Arc::new(Once::new());
        assert_eq!(once.begin_now(Owner::thread(1)), Some(Begin::Mine));
        let ending = thread::spawn({
            let once = Arc::clone(&once);
            move || once.end(true).wake()
        });
        let told = Arc::new(AtomicUsize::new(0));
        let waiter = Waiter::for_loop(Box::new(Count(told)));
        let mut select = Select::default();
        let mut sources = [Beginning::new(Arc::clone(&once))];

        let standing = select.start(&mut sources, &waiter);
        ending.join().expect("no panic");

        let standing = if standing == Standing::Wait { select.finish(&mut sources, &waiter) } else { standing };
        assert_eq!(standing, Standing::Done(0));
        assert_eq!(sources[0].outcome, Some(Begin::Done));
    });
}
