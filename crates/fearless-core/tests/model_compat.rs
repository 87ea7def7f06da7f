//! Models of the locks of `threading`: what they add to the mutex inside.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    compat::{ANYBODY, Lock, RLock},
    mutex::{Lock as Attempt, Mutex},
    owner::Owner,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::Waiter,
};

/// Waits for the lock as a blocking call does.
fn wait_for(mutex: &Mutex, me: Owner) {
    let waiter = Waiter::new();
    let mut attempt = mutex.start(me, &waiter);
    while let Attempt::Wait(ticket) = attempt {
        let (next, wakes) = mutex.resume(ticket, &waiter, waiter.wait(None));
        wakes.wake();
        attempt = next.expect("it did not give up");
    }
}

fn acquire(lock: &RLock, me: u64) {
    if !lock.try_acquire(me) {
        wait_for(lock.mutex(), Owner::thread(me));
        lock.entered(1);
    }
}

/// Of two threads that release one acquisition, one is refused.
///
/// Fails if `release_any` looks, and then frees the word whatever it is by then.
#[test]
fn an_acquisition_is_released_once() {
    explore(3, || {
        let lock = Arc::new(Lock::default());
        assert!(lock.try_acquire());
        let release = {
            let lock = Arc::clone(&lock);
            move || lock.release().map(|wakes| wakes.wake()).is_ok()
        };
        let rival = thread::spawn(release.clone());

        let released = usize::from(release());

        assert_eq!(released + usize::from(rival.join().expect("no panic")), 1);
    });
}

/// A thread waits for a lock that it holds itself; another releases it.
///
/// Fails without the wake-up that `release` returns.
#[test]
fn who_takes_a_lock_twice_is_let_on_by_another() {
    explore(4, || {
        let lock = Arc::new(Lock::default());
        assert!(lock.try_acquire());
        let other = thread::spawn({
            let lock = Arc::clone(&lock);
            move || lock.release().expect("it is held").wake()
        });

        wait_for(lock.mutex(), ANYBODY);

        other.join().expect("no panic");
        assert!(lock.mutex().is_locked() && lock.mutex().waiting() == 0);
    });
}

/// Two threads take the lock twice each; no step of the other comes in between.
///
/// Fails if the first `release` frees the lock.
#[test]
fn the_last_release_frees_an_rlock() {
    explore(2, || {
        let lock = Arc::new(RLock::default());
        let sum = Arc::new(AtomicU64::new(0));
        let section = |me| {
            let (lock, sum) = (Arc::clone(&lock), Arc::clone(&sum));
            move || {
                acquire(&lock, me);
                assert!(lock.try_acquire(me), "it is held by the same thread");
                let before = sum.load(Ordering::Relaxed);
                lock.release(me).expect("it is held twice").wake();
                sum.store(before + 1, Ordering::Relaxed);
                lock.release(me).expect("it is held once").wake();
            }
        };
        let rival = thread::spawn(section(1));

        section(2)();

        rival.join().expect("no panic");
        assert_eq!(sum.load(Ordering::Relaxed), 2);
        assert!(!lock.mutex().is_locked());
    });
}

/// A thread that has released the lock is never taken for its holder, whoever takes it meanwhile.
///
/// Fails if `holder` does not look at the word again after it has read the ident.
#[test]
fn nobody_holds_an_rlock_that_another_has() {
    explore(3, || {
        let lock = Arc::new(RLock::default());
        assert!(lock.try_acquire(1));
        let rival = thread::spawn({
            let lock = Arc::clone(&lock);
            move || acquire(&lock, 2)
        });
        lock.release(1).expect("it is held").wake();

        assert!(!lock.is_owned(1) && lock.release(1).is_err());

        rival.join().expect("no panic");
        assert!(lock.is_owned(2));
    });
}
