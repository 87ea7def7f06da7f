//! Model of what threads of a forked child do with a lock that the parent left held. Alone in its file: the fork
//! generation belongs to the whole process.
#![cfg(loom)]

mod common;

use std::sync::{Mutex as OneAtATime, PoisonError};

use common::explore;
use fearless_core::{
    fork,
    mutex::{Lock, Mutex},
    owner::Owner,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        thread,
    },
    waiter::Waiter,
};

static FORKING: OneAtATime<()> = OneAtATime::new(());

/// Two threads of the child find the lock lost; both heal it, and one takes it. Only the lost acquisition ends.
///
/// Fails if `heal` releases the number that the word has now instead of the one that was found lost.
#[test]
fn healing_ends_only_the_lost_acquisition() {
    let _alone = FORKING.lock().unwrap_or_else(PoisonError::into_inner);
    explore(3, || {
        let mutex = Arc::new(Mutex::new());
        mutex.try_lock(Owner::thread(7)).expect("it is new");
        fork::forked(1);
        let is_held = Arc::new(AtomicBool::new(false));
        let heal_and_lock = |me| {
            let (mutex, is_held) = (Arc::clone(&mutex), Arc::clone(&is_held));
            move || {
                mutex.heal();
                if let Some(number) = mutex.try_lock(Owner::thread(me)) {
                    assert!(!is_held.swap(true, Ordering::Relaxed), "two hold it");
                    is_held.store(false, Ordering::Relaxed);
                    mutex.release(number).expect("nobody else ends it").wake();
                }
            }
        };
        let other = thread::spawn(heal_and_lock(2));

        heal_and_lock(1)();

        other.join().expect("no panic");
        assert!(!mutex.is_locked());
    });
}

/// A new thread of the child may have the ident of the vanished holder; it is told so, not that it holds the lock.
///
/// Fails if `lock` asks for a deadlock before it asks for a vanished holder.
#[test]
fn a_new_thread_with_the_ident_of_the_lost_holder_is_not_the_holder() {
    let _alone = FORKING.lock().unwrap_or_else(PoisonError::into_inner);
    explore(1, || {
        let mutex = Mutex::new();
        mutex.try_lock(Owner::thread(7)).expect("it is new");
        fork::forked(1);

        assert!(matches!(mutex.lock(Owner::thread(7), &Waiter::new()), Lock::Vanished));
        assert!(mutex.heal() && !mutex.heal());
    });
}
