//! Models of the condition variable: no lost notification, none for two, and one that was not used is passed on.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    condvar::{Awaiting, Condvar},
    select::{Select, Source, Standing},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
    waiter::{Claim, Notice, Waiter},
};

/// A condition variable and what it is about.
#[derive(Default)]
struct Shared {
    condvar: Condvar,
    items: Mutex<usize>,
}

/// Takes an item as a blocked thread does; false when `deadline` passes first.
fn take(shared: &Shared, deadline: Option<Instant>) -> bool {
    loop {
        let mut items = shared.items.lock().expect("no panic");
        if *items > 0 {
            *items -= 1;
            return true;
        }
        let waiter = Waiter::new();
        let ticket = shared.condvar.start(&waiter);
        drop(items);
        let claim = waiter.wait(deadline);
        shared.condvar.finish(ticket, false).wake();
        if claim == Claim::TimedOut {
            return false;
        }
    }
}

fn put(shared: &Shared) {
    *shared.items.lock().expect("no panic") += 1;
    shared.condvar.notify_one().wake();
}

/// Whoever looks and then waits is found by a notification that comes after the look.
///
/// Fails if `take` enqueues after it has let go of the lock.
#[test]
fn no_notification_is_lost_between_the_look_and_the_sleep() {
    explore(3, || {
        let shared = Arc::new(Shared::default());
        let taker = thread::spawn({
            let shared = Arc::clone(&shared);
            move || take(&shared, None)
        });

        put(&shared);

        assert!(taker.join().expect("no panic"));
        assert_eq!(shared.condvar.waiting(), 0);
    });
}

/// Of two that wait one gives up; the notification reaches the other, or was the first one's to use.
///
/// Fails if `tell` takes the first entry without claiming it.
#[test]
fn who_gives_up_takes_no_notification_along() {
    explore(2, || {
        let shared = Arc::new(Shared::default());
        let hasty = Waiter::new();
        let ticket = shared.condvar.start(&hasty);
        let patient = thread::spawn({
            let shared = Arc::clone(&shared);
            move || take(&shared, None)
        });
        let putter = thread::spawn({
            let shared = Arc::clone(&shared);
            move || put(&shared)
        });

        let claim = hasty.wait(Some(Instant::now()));
        shared.condvar.finish(ticket, false).wake();
        if claim != Claim::TimedOut {
            // It was told, so there may be an item; it leaves it to the next.
            shared.condvar.notify_one().wake();
        }

        assert!(patient.join().expect("no panic"));
        putter.join().expect("no panic");
    });
}

/// All are told at once.
///
/// Fails if `tell_all` stops at the first that it cannot claim.
#[test]
fn everybody_who_waits_is_told() {
    explore(2, || {
        let condvar = Arc::new(Condvar::new());
        let gone = Waiter::new();
        let left = condvar.start(&gone);
        assert!(gone.claim(Claim::TimedOut));
        let waiters: Vec<_> = (0..2).map(|_| Waiter::new()).collect();
        let tickets: Vec<_> = waiters.iter().map(|waiter| condvar.start(waiter)).collect();
        let notifier = thread::spawn({
            let condvar = Arc::clone(&condvar);
            move || condvar.notify_all().wake()
        });

        for (waiter, ticket) in waiters.iter().zip(tickets) {
            assert_eq!(waiter.wait(None), Claim::Ready(0));
            condvar.finish(ticket, false).wake();
        }

        notifier.join().expect("no panic");
        condvar.finish(left, false).wake();
        assert_eq!(condvar.waiting(), 0);
    });
}

#[derive(Debug)]
struct Count(Arc<AtomicUsize>);

impl Notice for Count {
    fn claimed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A coroutine that was told and leaves before it runs passes the notification on, however both meet. If it was its loop that
/// stopped, and runs again, it knows that it was told.
///
/// Fails if `withdraw` passes nothing on, and if it forgets that a notification had come.
#[test]
fn a_cancelled_coroutine_passes_its_notification_on() {
    explore(3, || {
        let condvar = Arc::new(Condvar::new());
        let told = Arc::new(AtomicUsize::new(0));
        let coroutine = Waiter::for_loop(Box::new(Count(Arc::clone(&told))));
        let mut select = Select::default();
        let mut sources = [Awaiting::new(Arc::clone(&condvar))];
        assert_eq!(select.start(&mut sources, &coroutine), Standing::Wait);
        let behind = Waiter::new();
        let ticket = condvar.start(&behind);
        let notifier = thread::spawn({
            let condvar = Arc::clone(&condvar);
            move || condvar.notify_one().wake()
        });

        assert_eq!(select.abandon(&mut sources, &coroutine), None);

        assert_eq!(behind.wait(None), Claim::Ready(0));
        condvar.finish(ticket, false).wake();
        notifier.join().expect("no panic");
        assert_eq!(sources[0].attempt(), told.load(Ordering::Relaxed) > 0);
    });
}
