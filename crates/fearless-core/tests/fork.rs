//! What a forked child makes of what the parent's threads left behind. Alone in its file, with one test at a time: the
//! fork generation belongs to the whole process.
#![cfg(not(loom))]

use std::sync::{Arc, Mutex as OneAtATime, MutexGuard, PoisonError};

use fearless_core::{
    channel::{Channel, Recv, Send},
    compat,
    condvar::Condvar,
    fork,
    mutex::{Lock, Mutex},
    owner::Owner,
    rwlock::{self, RwLock, Want},
    scope::{Counted, Scope},
    select::Source,
    thread_pool::{Submit, Submitting, ThreadPool},
    waiter::Waiter,
};

/// The ident of the thread that comes through the fork.
const SURVIVOR: u64 = 1;
/// The ident of a thread that does not.
const LOST: u64 = 7;

static FORKING: OneAtATime<()> = OneAtATime::new(());

fn alone() -> MutexGuard<'static, ()> {
    FORKING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_lock_held_by_the_thread_that_forked_stays_held_and_its_queue_is_empty() {
    let _alone = alone();
    let mutex = Mutex::new();
    let held = mutex.try_lock(Owner::thread(SURVIVOR)).expect("it is new");
    let waiter = Waiter::new();
    assert!(matches!(mutex.lock(Owner::thread(LOST), &waiter), Lock::Wait(_)));

    fork::forked(SURVIVOR);

    assert_eq!(mutex.waiting(), 0);
    assert!(!mutex.heal() && mutex.is_held_by(held));
    assert!(mutex.release(held).expect("it is held").is_empty(), "there is nobody to wake");
    assert_eq!((mutex.is_locked(), waiter.claimed()), (false, None));
}

#[test]
fn a_lock_held_by_a_lost_thread_is_vanished_until_it_is_healed() {
    let _alone = alone();
    let mutex = Mutex::new();
    mutex.try_lock(Owner::thread(LOST)).expect("it is new");

    fork::forked(SURVIVOR);

    assert!(matches!(mutex.lock(Owner::thread(SURVIVOR), &Waiter::new()), Lock::Vanished));
    assert!(mutex.heal());
    assert!(matches!(mutex.lock(Owner::thread(SURVIVOR), &Waiter::new()), Lock::Acquired(_)));
}

#[test]
fn no_item_of_a_channel_is_lost_with_the_threads() {
    let _alone = alone();
    let channel = Channel::new(Some(1));
    let woken = Waiter::new();
    assert!(matches!(channel.recv(&woken), Recv::Wait(_)));
    assert!(matches!(channel.try_send(1), Send::Sent(_)), "it is reserved for the receiver that was woken");
    assert!(matches!(channel.send(2, &Waiter::new()), Send::Wait(..)));

    fork::forked(SURVIVOR);

    assert!(matches!(channel.try_recv(), Recv::Item(1, _)));
    assert!(matches!(channel.try_recv(), Recv::Item(2, _)));
    let now = channel.snapshot();
    assert_eq!((now.blocked_senders, now.blocked_receivers), (0, 0));
}

#[test]
fn nobody_waits_for_tasks_that_were_lost() {
    let _alone = alone();
    let scope = Scope::new(None, None);
    scope.task_started();
    let lost = Counted::new(Arc::clone(&scope));

    fork::forked(SURVIVOR);

    assert_eq!(scope.join(&Waiter::new()), None);
    scope.task_ended().wake(); // the task that forked ends
    scope.task_started();
    assert!(scope.join(&Waiter::new()).is_some(), "a task of the child counts");
    lost.end().wake(); // one that was queued, and is cancelled in the child
    assert!(scope.join(&Waiter::new()).is_some(), "a task of the child counts");
}

#[test]
fn a_lock_of_threading_stays_locked_and_whoever_holds_it() {
    let _alone = alone();
    let (lock, lost, kept) = (compat::Lock::default(), compat::RLock::default(), compat::RLock::default());
    assert!(lock.try_acquire() && lost.try_acquire(LOST) && kept.try_acquire(SURVIVOR));

    fork::forked(SURVIVOR);

    assert!(!lock.try_acquire() && !lost.try_acquire(SURVIVOR));
    assert!(!lost.is_owned(LOST) && !lost.try_acquire(LOST), "a new thread may have the ident of the lost one");
    assert!(matches!(lost.mutex().start(Owner::thread(SURVIVOR), &Waiter::new()), Lock::Wait(_)));
    assert!(kept.try_acquire(SURVIVOR));
    lost.reset().wake();
    assert!(lost.try_acquire(SURVIVOR));
}

#[test]
fn a_condition_forgets_who_waited_and_notifies_who_comes() {
    let _alone = alone();
    let condvar = Condvar::default();
    let lost = Waiter::new();
    condvar.start(&lost);

    fork::forked(SURVIVOR);

    assert_eq!(condvar.waiting(), 0);
    let waiter = Waiter::new();
    condvar.start(&waiter);
    condvar.notify(1).wake();
    assert!(waiter.claimed().is_some() && lost.claimed().is_none());
}

#[test]
fn readers_that_are_lost_are_forgotten_and_a_writer_is_vanished_until_it_is_healed() {
    let _alone = alone();
    let survivor = Owner::thread(SURVIVOR);
    let (read, written) = (RwLock::default(), RwLock::default());
    assert!(matches!(read.try_lock(Want::Read, survivor), rwlock::Lock::Acquired(_)));
    for want in [Want::Read, Want::Upgradable] {
        assert!(matches!(
            read.try_lock(want, Owner::thread(LOST + 1 + u64::from(want == Want::Read))),
            rwlock::Lock::Acquired(_)
        ));
    }
    assert!(matches!(read.lock(Want::Write, Owner::thread(LOST), &Waiter::new()), rwlock::Lock::Wait(_)));
    assert!(matches!(written.try_lock(Want::Write, Owner::thread(LOST)), rwlock::Lock::Acquired(_)));

    fork::forked(SURVIVOR);

    let standing = read.standing();
    assert_eq!((standing.readers, standing.upgradable, standing.waiting), (1, None, 0));
    for want in [Want::Read, Want::Write] {
        assert!(matches!(written.try_lock(want, survivor), rwlock::Lock::Vanished));
    }
    assert!(written.heal() && !written.heal());
    assert!(matches!(written.try_lock(Want::Write, survivor), rwlock::Lock::Acquired(_)));
}

#[test]
fn a_worker_that_went_through_the_fork_takes_none_of_the_childs_out_of_those_that_wait_for_tasks() {
    let _alone = alone();
    let pool: ThreadPool<u32> = ThreadPool::new(1, None);
    let parents = pool.stall(&Waiter::new(), LOST, false).0; // a coroutine, while another of its loop forks

    fork::forked(SURVIVOR);
    let childs = pool.stall(&Waiter::new(), LOST + 1, false).0;

    pool.go_on(parents);
    assert_eq!(pool.snapshot().stalled, 1);
    pool.go_on(childs);
    assert_eq!(pool.snapshot().stalled, 0);
}

#[test]
fn a_coroutine_that_went_through_the_fork_takes_none_of_the_childs_out_of_those_that_wait_for_room() {
    let _alone = alone();
    let pool = ThreadPool::new(1, Some(0));
    let mut parents = Submitting::new(&pool, 1, false);
    assert!(matches!(pool.try_submit(0), Submit::Start));
    assert!(parents.enlist(&Waiter::new(), 0));

    fork::forked(SURVIVOR);
    assert!(matches!(pool.try_submit(2), Submit::Start));
    let mut childs = Submitting::new(&pool, 3, false);
    assert!(childs.enlist(&Waiter::new(), 0));

    assert!(!parents.withdraw());
    assert_eq!(pool.snapshot().blocked, 1);
    assert!(!childs.withdraw());
    assert_eq!(pool.snapshot().blocked, 0);
}
