//! Models of the mutex: one holder at a time, no lost wake-up, no starving.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    mutex::{Lock, Mutex, Number, PASSES},
    owner::Owner,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Takes the lock as a blocking call does. `None`: it gave up when `deadline` passed.
fn acquire(mutex: &Mutex, me: u64, deadline: Option<Instant>) -> Option<Number> {
    let waiter = Waiter::new();
    let mut lock = mutex.lock(Owner::thread(me), &waiter);
    loop {
        match lock {
            Lock::Acquired(number) => return Some(number),
            Lock::Wait(ticket) => {
                let claim = waiter.wait(deadline);
                let (next, wakes) = mutex.resume(ticket, &waiter, claim);
                wakes.wake();
                lock = next?;
            }
            Lock::Deadlock | Lock::Vanished => panic!("{me} found {lock:?}"),
        }
    }
}

fn release(mutex: &Mutex, number: Number) {
    mutex.release(number).expect("it is held").wake();
}

/// Adds one in two steps, which tells if another thread came between, or if its writes are not seen.
fn add_one_in_two_steps(sum: &AtomicU64) {
    sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Threads take the lock for a section; none is lost, all end.
fn take_turns(others: u64) {
    let mutex = Arc::new(Mutex::new());
    let sum = Arc::new(AtomicU64::new(0));
    let section = |me| {
        let (mutex, sum) = (Arc::clone(&mutex), Arc::clone(&sum));
        move || {
            let number = acquire(&mutex, me, None).expect("it waits for ever");
            add_one_in_two_steps(&sum);
            release(&mutex, number);
        }
    };
    let rivals: Vec<_> = (1..=others).map(|me| thread::spawn(section(me))).collect();

    section(others + 1)();

    for rival in rivals {
        rival.join().expect("no panic");
    }
    assert_eq!(sum.load(Ordering::Relaxed), others + 1);
    assert!(!mutex.is_locked() && mutex.waiting() == 0);
}

/// Two threads, with many preemptions.
///
/// Fails without the announcement `fetch_or(WAITERS)` in `lock`, without the second `try_lock` after it, without the
/// acquire of `try_lock`, and without the release of `release`.
#[test]
fn one_thread_at_a_time_and_each_has_its_turn() {
    explore(4, || take_turns(1));
}

/// Three threads, so that the queue has a second place.
///
/// Fails without `queue.waiters.is_empty()` in `forget_flag`.
#[test]
fn who_is_second_in_the_queue_has_his_turn_too() {
    explore(1, || take_turns(2));
}

/// A thread whose time is over leaves the queue, and the lock comes to the one behind it.
///
/// Fails without `queue.waiters.remove(ticket)` in `resume`.
#[test]
fn who_runs_out_of_time_leaves_nothing_behind() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let patient = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || release(&mutex, acquire(&mutex, 2, None).expect("it waits for ever"))
        });
        let hasty = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                if let Some(number) = acquire(&mutex, 3, Some(Instant::now())) {
                    release(&mutex, number);
                }
            }
        });

        release(&mutex, held);

        patient.join().expect("no panic");
        hasty.join().expect("no panic");
        assert!(!mutex.is_locked() && mutex.waiting() == 0);
    });
}

/// A thread that was woken to compete may give up all the same (it was cancelled before it ran); another is woken.
///
/// Fails without `self.notify(queue)` in `resume`.
#[test]
fn who_was_woken_and_gives_up_passes_the_wake_up_on() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let fickle = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                let waiter = Waiter::new();
                let number = match mutex.lock(Owner::thread(2), &waiter) {
                    Lock::Wait(ticket) => {
                        waiter.wait(None);
                        let (next, wakes) = mutex.resume(ticket, &waiter, Claim::Cancelled);
                        wakes.wake();
                        next
                    }
                    acquired => Some(acquired),
                };
                // Handed over already: then there is nothing to give up.
                if let Some(Lock::Acquired(number)) = number {
                    release(&mutex, number);
                }
            }
        });
        let patient = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || release(&mutex, acquire(&mutex, 3, None).expect("it waits for ever"))
        });

        release(&mutex, held);

        fickle.join().expect("no panic");
        patient.join().expect("no panic");
        assert!(!mutex.is_locked() && mutex.waiting() == 0);
    });
}

/// A thread that leaves its wait for a moment (to run a signal handler) claims its own waiter first. It keeps its place,
/// but nobody gives it the lock meanwhile: here the handler waits for the thread behind it in the queue.
///
/// Fails if `WaitList::tell_first` stops at the first that it cannot claim, and if `hand_over` takes no notice of
/// the claim that it failed to make.
#[test]
fn a_thread_that_looks_around_holds_nobody_up() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let away = Waiter::new();
        let Lock::Wait(ticket) = mutex.lock(Owner::thread(2), &away) else { panic!("it is held") };
        let come = Waiter::new();
        let behind = thread::spawn({
            let (mutex, come) = (Arc::clone(&mutex), Arc::clone(&come));
            move || {
                release(&mutex, acquire(&mutex, 3, None).expect("it waits for ever"));
                come.claim(Claim::Ready(0));
                come.wake();
            }
        });
        let holder = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                release(&mutex, held);
                // Twice, so that the first in the queue was passed over as often as it may be.
                release(&mutex, acquire(&mutex, 1, None).expect("it waits for ever"));
            }
        });
        if away.claim(Claim::Ready(0)) {
            come.wait(None);
        }

        let mut claim = away.wait(None);
        loop {
            let (next, wakes) = mutex.resume(ticket, &away, claim);
            wakes.wake();
            match next.expect("it did not give up") {
                Lock::Acquired(number) => break release(&mutex, number),
                _ => claim = away.wait(None),
            }
        }

        holder.join().expect("no panic");
        behind.join().expect("no panic");
    });
}

/// Two threads end one acquisition while a third waits: it ends once, and nobody else's with it.
///
/// Fails without the look at `is_held_by` in `release_slow`.
#[test]
fn an_acquisition_ends_once_whoever_ends_it() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let sum = Arc::new(AtomicU64::new(0));
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let end = {
            let mutex = Arc::clone(&mutex);
            move || mutex.release(held).map(|wakes| wakes.wake()).is_ok()
        };
        let rival = thread::spawn(end.clone());
        let third = thread::spawn({
            let (mutex, sum) = (Arc::clone(&mutex), Arc::clone(&sum));
            move || {
                let number = acquire(&mutex, 2, None).expect("it waits for ever");
                add_one_in_two_steps(&sum);
                release(&mutex, number);
            }
        });

        let ended = usize::from(end());

        assert_eq!(ended + usize::from(rival.join().expect("no panic")), 1);
        let number = acquire(&mutex, 1, None).expect("it waits for ever");
        add_one_in_two_steps(&sum);
        release(&mutex, number);
        third.join().expect("no panic");
        assert_eq!(sum.load(Ordering::Relaxed), 2);
    });
}

/// A thread that takes the lock again and again passes a waiter over [`PASSES`] times at most.
///
/// Fails without the hand-over in `release_slow`, and without `waiter.rearm()` in `resume`.
#[test]
fn a_waiter_is_passed_over_a_bounded_number_of_times() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let waiting = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || {
                let waiter = Waiter::new();
                let mut lock = mutex.lock(Owner::thread(2), &waiter);
                let enqueued_at = mutex.acquired();
                loop {
                    match lock {
                        Lock::Acquired(number) => {
                            release(&mutex, number);
                            break (enqueued_at, number.get());
                        }
                        Lock::Wait(ticket) => {
                            let (next, wakes) = mutex.resume(ticket, &waiter, waiter.wait(None));
                            wakes.wake();
                            lock = next.expect("it did not give up");
                        }
                        Lock::Deadlock | Lock::Vanished => panic!("found {lock:?}"),
                    }
                }
            }
        });

        release(&mutex, held);
        for _ in 0..3 {
            release(&mutex, acquire(&mutex, 1, None).expect("it waits for ever"));
        }

        let (enqueued_at, acquired) = waiting.join().expect("no panic");
        assert!(acquired <= enqueued_at + u64::from(PASSES) + 1, "{acquired}, enqueued at {enqueued_at}");
    });
}

/// The holder that is named belongs to the acquisition that lasts, not to the next one.
///
/// Fails without the release of the ident in `sign`, and if `hand_over` signs before it moves the word.
#[test]
fn nobody_is_named_as_the_holder_before_the_lock_is_his() {
    explore(2, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        // In its place before anything begins, and resumed by this thread in the end: acquisitions follow each other, so
        // no more than the onlooker has to come between.
        let waiter = Waiter::new();
        let mut lock = mutex.lock(Owner::thread(2), &waiter);
        let onlooker = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || mutex.holder().is_some_and(|(owner, _)| owner == Owner::thread(2)).then(|| mutex.acquired())
        });

        release(&mutex, held);
        if let Some(number) = mutex.try_lock(Owner::thread(1)) {
            // The second time it is handed over, if the other was passed over.
            release(&mutex, number);
        }

        let number = loop {
            match lock {
                Lock::Acquired(number) => break number.get(),
                Lock::Wait(ticket) => {
                    let (next, wakes) = mutex.resume(ticket, &waiter, waiter.wait(None));
                    wakes.wake();
                    lock = next.expect("it did not give up");
                }
                Lock::Deadlock | Lock::Vanished => panic!("found {lock:?}"),
            }
        };
        let seen = onlooker.join().expect("no panic");
        assert!(seen.is_none_or(|seen| seen >= number), "named in {seen:?}, but {number} was his");
    });
}
