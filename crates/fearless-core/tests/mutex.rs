//! What spinning for a mutex may and may not do, one step at a time.
//!
//! Not here: threads that meet (`model_mutex.rs`, `stress.rs`).
#![cfg(not(loom))]

use fearless_core::{
    mutex::{Lock, Mutex},
    owner::Owner,
    waiter::Waiter,
};

#[test]
fn spinning_takes_a_lock_that_is_free() {
    let mutex = Mutex::new();

    let number = mutex.spin(Owner::thread(1), 1).expect("it is free");

    assert!(mutex.is_held_by(number));
}

#[test]
fn spinning_ends_on_a_lock_that_stays_held() {
    let mutex = Mutex::new();
    let held = mutex.try_lock(Owner::thread(1)).expect("it is free");

    assert_eq!(mutex.spin(Owner::thread(2), 100), None);

    assert!(mutex.is_held_by(held));
}

#[test]
fn nobody_spins_past_a_thread_that_is_enqueued() {
    let mutex = Mutex::new();
    let held = mutex.try_lock(Owner::thread(1)).expect("it is free");
    let waiter = Waiter::new();
    assert!(matches!(mutex.lock(Owner::thread(2), &waiter), Lock::Wait(_)));
    mutex.release(held).expect("it is held").wake();
    assert!(!mutex.is_locked(), "the waiter was woken to compete, not handed the lock");

    assert_eq!(mutex.spin(Owner::thread(3), 100), None);
}
