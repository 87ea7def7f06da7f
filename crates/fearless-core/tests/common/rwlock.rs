//! Takes and releases a lock for readers and writers as calls do, and tells if two were inside that must not be.

#![allow(dead_code, reason = "not every model uses all")]

use std::time::Instant;

use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, Locking, Number, RwLock, Want},
    select::{Select, Standing},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::Waiter,
};

/// Takes the lock as a blocking call does. `None`: it gave up when `deadline` passed, or what it wanted to upgrade has ended.
pub(crate) fn acquire(lock: &RwLock, want: Want, me: u64, deadline: Option<Instant>) -> Option<Number> {
    let (me, waiter) = (Owner::thread(me), Waiter::new());
    let mut standing = lock.lock(want, me, &waiter);
    loop {
        match standing {
            Lock::Acquired(number) => return Some(number),
            Lock::Wait(ticket) => {
                let claim = waiter.wait(deadline);
                let (next, wakes) = lock.resume(want, me, ticket, &waiter, claim);
                wakes.wake();
                standing = next?;
            }
            Lock::Released => return None,
            Lock::Busy | Lock::Deadlock(_) | Lock::Vanished => panic!("{me:?} found {standing:?}"),
        }
    }
}

/// Takes the lock as one operation of a call that is notified.
pub(crate) fn acquire_notified(lock: &Arc<RwLock>, want: Want, me: u64) -> Number {
    let mut select = Select::default();
    let mut operation = [Locking::new(Arc::clone(lock), want, Owner { thread: me, task: me })];
    loop {
        let waiter = Waiter::for_select();
        let is_done = select.attempt(&mut operation, || 0).is_some() || {
            let mut standing = select.start(&mut operation, &waiter);
            if standing == Standing::Wait {
                waiter.wait(None);
                standing = select.finish(&mut operation, &waiter);
            }
            standing == Standing::Done(0)
        };
        let [locking] = &operation;
        match locking.outcome {
            Some(Lock::Acquired(number)) if is_done => return number,
            None if !is_done => {}
            ref other => panic!("{me} found {other:?}"),
        }
    }
}

pub(crate) fn release(lock: &RwLock, access: Access, number: Number) {
    lock.release(access, number).expect("it lasts").wake();
}

pub(crate) fn read(lock: &RwLock, me: u64) -> Number {
    acquire(lock, Want::Read, me, None).expect("it waits for ever")
}

pub(crate) fn write(lock: &RwLock, me: u64) -> Number {
    acquire(lock, Want::Write, me, None).expect("it waits for ever")
}

/// Adds one in two steps, which tells if another writer came between, or if its writes are not seen.
pub(crate) fn add_one_in_two_steps(sum: &AtomicU64) {
    sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// A number that only a writer changes, and does twice.
pub(crate) fn check_unchanged(sum: &AtomicU64) {
    let first = sum.load(Ordering::Relaxed);
    thread::yield_now();
    assert_eq!((first % 2, sum.load(Ordering::Relaxed)), (0, first), "a reader met a writer");
}
