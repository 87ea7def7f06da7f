//! The locks of `threading`, one step at a time. Not here: threads that meet (`model_compat.rs`), forks (`fork.rs`).
#![cfg(not(loom))]

use fearless_core::{
    compat::{ANYBODY, Lock, RLock},
    mutex::Lock as Attempt,
    owner::Owner,
    waiter::{Claim, Waiter},
};

#[test]
fn who_takes_a_lock_twice_waits_for_somebody_to_release_it() {
    let lock = Lock::default();
    assert!(lock.try_acquire() && !lock.try_acquire());
    let waiter = Waiter::new();
    let Attempt::Wait(ticket) = lock.mutex().start(ANYBODY, &waiter) else { panic!("it is held") };

    lock.release().expect("it is held").wake();

    assert_eq!(waiter.claimed(), Some(Claim::Ready(0)));
    assert!(matches!(lock.mutex().resume(ticket, &waiter, Claim::Ready(0)), (Some(Attempt::Acquired(_)), _)));
}

#[test]
fn a_free_lock_cannot_be_released() {
    let lock = Lock::default();
    assert!(lock.release().is_err());
    assert!(lock.try_acquire());
    lock.release().expect("it is held").wake();
    assert!(lock.release().is_err());
}

#[test]
fn a_reset_lock_is_free_and_works() {
    let (lock, again) = (Lock::default(), RLock::default());
    lock.reset().wake();
    assert!(lock.try_acquire() && again.try_acquire(1) && again.try_acquire(1));

    lock.reset().wake();
    again.reset().wake();

    assert!(lock.try_acquire() && again.try_acquire(2));
    assert_eq!((again.depth(1), again.depth(2)), (0, 1));
}

#[test]
fn the_holder_of_an_rlock_takes_it_again_and_releases_it_as_often() {
    let lock = RLock::default();
    assert!(lock.try_acquire(1) && lock.try_acquire(1));
    assert_eq!((lock.depth(1), lock.depth(2), lock.held()), (2, 0, 2));
    assert!(!lock.try_acquire(2));

    lock.release(1).expect("it is held twice").wake();
    assert!(!lock.try_acquire(2) && lock.is_owned(1));

    lock.release(1).expect("it is held once").wake();
    assert!(lock.release(1).is_err() && !lock.is_owned(1));
    assert_eq!(lock.held(), 0);
}

#[test]
fn nobody_but_its_holder_releases_an_rlock() {
    let lock = RLock::default();
    assert!(lock.try_acquire(1));

    assert!(lock.release(2).is_err() && lock.release_all(2).is_err());

    assert_eq!(lock.depth(1), 1);
}

#[test]
fn an_rlock_is_let_go_of_at_once_and_taken_back_as_deep() {
    let lock = RLock::default();
    assert!(lock.try_acquire(1) && lock.try_acquire(1) && lock.try_acquire(1));

    let (depth, wakes) = lock.release_all(1).expect("it is held");
    wakes.wake();
    assert!(lock.try_acquire(2));
    lock.release(2).expect("it is held").wake();
    assert!(lock.mutex().try_lock(Owner::thread(1)).is_some());
    lock.entered(depth);

    assert_eq!((depth, lock.depth(1)), (3, 3));
}
