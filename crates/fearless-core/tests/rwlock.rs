//! What a lock for readers and writers lets in, one step at a time; and spinning.
//!
//! Not here: threads that meet (`model_rwlock.rs`, `stress.rs`).
#![cfg(not(loom))]

use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, Number, Prefer, RwLock, Want},
    waiter::Waiter,
};

const ME: Owner = Owner { thread: 1, task: 0 };
const OTHER: Owner = Owner { thread: 2, task: 0 };

fn take(lock: &RwLock, want: Want, owner: Owner) -> Number {
    match lock.try_lock(want, owner) {
        Lock::Acquired(number) => number,
        other => panic!("found {other:?}"),
    }
}

fn is_busy(lock: &RwLock, want: Want, owner: Owner) -> bool {
    matches!(lock.try_lock(want, owner), Lock::Busy)
}

#[test]
fn a_number_is_never_used_twice_and_ends_once() {
    let lock = RwLock::default();
    let first = take(&lock, Want::Read, ME);
    let second = lock.duplicate(first).expect("it lasts");

    assert!(lock.release(Access::Read, first).is_ok());
    assert!(lock.release(Access::Read, first).is_err());
    assert!(lock.duplicate(first).is_err());
    assert!(lock.downgrade(Access::Write, second).is_err(), "it reads");
    assert!(lock.release(Access::Read, second).is_ok());
    assert_ne!(take(&lock, Want::Write, ME), second);
}

#[test]
fn a_task_waits_for_another_of_its_thread_and_a_thread_does_not() {
    let lock = RwLock::default();
    let task = |task| Owner { thread: 1, task };
    take(&lock, Want::Read, task(1));

    assert!(is_busy(&lock, Want::Write, OTHER));
    for owner in [task(1), ME] {
        assert!(matches!(lock.try_lock(Want::Read, owner), Lock::Deadlock(Access::Read)));
        assert!(matches!(lock.try_lock(Want::Write, owner), Lock::Deadlock(Access::Read)));
    }
}

#[test]
fn a_crowd_of_readers_is_told_apart_as_a_few_are() {
    let lock = RwLock::default();
    let task = |task| Owner { thread: 1, task };
    let numbers: Vec<Number> = (0..100).map(|number| take(&lock, Want::Read, Owner::thread(10 + number))).collect();
    let of_task = take(&lock, Want::Read, task(7));

    assert!(matches!(lock.try_lock(Want::Read, Owner::thread(50)), Lock::Deadlock(Access::Read)));
    assert!(matches!(lock.try_lock(Want::Read, Owner { thread: 50, task: 1 }), Lock::Deadlock(Access::Read)));
    assert!(matches!(lock.try_lock(Want::Read, task(7)), Lock::Deadlock(Access::Read)));
    assert!(matches!(lock.try_lock(Want::Read, ME), Lock::Deadlock(Access::Read)));
    let beside = take(&lock, Want::Read, OTHER);

    for number in numbers.into_iter().chain([of_task, beside]) {
        assert!(lock.release(Access::Read, number).is_ok());
    }
    take(&lock, Want::Write, ME);
}

#[test]
fn a_reader_that_comes_while_a_writer_waits_queues_unless_readers_are_preferred() {
    for (prefer, enters) in [(Prefer::Fair, false), (Prefer::Readers, true), (Prefer::Writers, false)] {
        let lock = RwLock::new(prefer);
        take(&lock, Want::Read, ME);
        assert!(matches!(lock.lock(Want::Write, OTHER, &Waiter::new()), Lock::Wait(_)));

        assert_eq!(!is_busy(&lock, Want::Read, Owner::thread(3)), enters, "{prefer:?}");
    }
}

#[test]
fn a_free_lock_may_be_taken_before_a_writer_that_was_told_unless_writers_are_preferred() {
    for (prefer, enters) in [(Prefer::Fair, true), (Prefer::Readers, true), (Prefer::Writers, false)] {
        let lock = RwLock::new(prefer);
        let held = take(&lock, Want::Read, ME);
        assert!(matches!(lock.lock(Want::Write, OTHER, &Waiter::new()), Lock::Wait(_)));
        lock.release(Access::Read, held).expect("it lasts").wake();

        assert_eq!(!is_busy(&lock, Want::Read, ME), enters, "{prefer:?}");
    }
}

#[test]
fn spinning_takes_a_lock_that_is_free_and_ends_on_one_that_stays_held() {
    let lock = RwLock::default();
    let reading = lock.spin(Want::Read, ME, 1).expect("it is free");
    assert!(lock.spin(Want::Read, OTHER, 1).is_some());

    assert_eq!(lock.spin(Want::Write, Owner::thread(3), 100), None);

    assert!(lock.release(Access::Read, reading).is_ok());
}

#[test]
fn nobody_spins_past_who_is_enqueued() {
    let lock = RwLock::default();
    let held = take(&lock, Want::Read, ME);
    assert!(matches!(lock.lock(Want::Write, OTHER, &Waiter::new()), Lock::Wait(_)));
    lock.release(Access::Read, held).expect("it lasts").wake();
    assert!(lock.standing().writer.is_none(), "the writer was told, not handed the lock");

    assert_eq!(lock.spin(Want::Write, Owner::thread(3), 100), None);
}
