//! Models of what holds the lock for readers and writers already and wants more of it, or less: upgrades and downgrades.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::{
    explore,
    rwlock::{acquire, add_one_in_two_steps, check_unchanged, read, release, write},
};
use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, Prefer, RwLock, Want},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::Waiter,
};

/// An upgrade waits for the reader beside it, a new reader for the upgrade; no writer comes between.
///
/// Fails without `tell_first` of the upgrades in `pass_on`, and without `self.readers.is_empty()` in `may_enter`.
#[test]
fn an_upgrade_waits_for_readers_and_lets_nobody_between() {
    explore(2, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let sum = Arc::new(AtomicU64::new(0));
        let upgradable = acquire(&lock, Want::Upgradable, 1, None).expect("it is free");
        let reader = thread::spawn({
            let (lock, sum) = (Arc::clone(&lock), Arc::clone(&sum));
            move || {
                let number = read(&lock, 2);
                check_unchanged(&sum);
                release(&lock, Access::Read, number);
            }
        });
        let writer = thread::spawn({
            let (lock, sum) = (Arc::clone(&lock), Arc::clone(&sum));
            move || {
                let number = write(&lock, 3);
                sum.store(10, Ordering::Relaxed);
                release(&lock, Access::Write, number);
            }
        });

        let seen = sum.load(Ordering::Relaxed);
        let number = acquire(&lock, Want::Upgrade(upgradable), 1, None).expect("it lasts");
        assert_eq!(sum.load(Ordering::Relaxed), seen);
        add_one_in_two_steps(&sum);
        add_one_in_two_steps(&sum);
        release(&lock, Access::Write, number);

        reader.join().expect("no panic");
        writer.join().expect("no panic");
    });
}

/// An upgrade that gives up lets those in whom it kept out, and stays upgradable.
///
/// Fails without `self.upgrading = None` in `dequeue`.
#[test]
fn readers_behind_an_upgrade_that_gives_up_come_in() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let beside = read(&lock, 1);
        let upgradable = acquire(&lock, Want::Upgradable, 2, None).expect("only a reader is there");
        let hasty = thread::spawn({
            let lock = Arc::clone(&lock);
            move || acquire(&lock, Want::Upgrade(upgradable), 2, Some(Instant::now())).is_none()
        });
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Read, read(&lock, 3))
        });

        assert!(hasty.join().expect("no panic"), "a reader was there all the time");
        reader.join().expect("no panic");
        release(&lock, Access::Read, beside);
        release(&lock, Access::Upgradable, upgradable);
    });
}

/// Any thread may end an acquisition, also one whose owner waits to upgrade it: the wait ends.
///
/// Fails without `tell_first` in `leave`.
#[test]
fn an_upgrade_of_what_has_ended_ends() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let beside = read(&lock, 1);
        let upgradable = acquire(&lock, Want::Upgradable, 2, None).expect("only a reader is there");
        let waiting = thread::spawn({
            let lock = Arc::clone(&lock);
            move || acquire(&lock, Want::Upgrade(upgradable), 2, None).is_none()
        });

        release(&lock, Access::Upgradable, upgradable);

        assert!(waiting.join().expect("no panic"), "a reader was there all the time");
        release(&lock, Access::Read, beside);
    });
}

/// A writer that becomes a reader lets readers in, though it stays and another writer waits.
///
/// Fails without `pass_on` in `downgrade`.
#[test]
fn a_downgrade_lets_waiting_readers_in() {
    explore(2, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = write(&lock, 1);
        let waiter = Waiter::new();
        let Lock::Wait(ticket) = lock.lock(Want::Read, Owner::thread(2), &waiter) else { panic!("it is held") };
        let writer = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Write, write(&lock, 3))
        });

        let (held, wakes) = lock.downgrade(Access::Write, held).expect("it lasts");
        wakes.wake();
        let (lets_in, wakes) = lock.resume(Want::Read, Owner::thread(2), ticket, &waiter, waiter.wait(None));
        wakes.wake();

        let Some(Lock::Acquired(number)) = lets_in else { panic!("found {lets_in:?}") };
        release(&lock, Access::Read, number);
        release(&lock, Access::Read, held);
        writer.join().expect("no panic");
    });
}
