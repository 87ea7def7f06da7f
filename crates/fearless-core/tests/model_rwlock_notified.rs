//! Models of a lock for readers and writers that coroutines wait for beside threads: nobody waits for a coroutine that does
//! not run, and none is forgotten.
#![cfg(loom)]

mod common;

use common::{
    explore,
    rwlock::{acquire, acquire_notified, release, write},
};
use fearless_core::{
    owner::Owner,
    rwlock::{Access, Locking, Prefer, RwLock, Want},
    select::{Select, Standing},
    sync::{Arc, thread},
    waiter::Waiter,
};

/// Two coroutines and a thread: all of them have their turn.
///
/// Fails without `pass_on` in `withdraw`, and if `tell` does not look at the coroutines.
#[test]
fn coroutines_and_a_thread_have_their_turn() {
    for (first, second) in [(Want::Write, Want::Write), (Want::Write, Want::Read), (Want::Read, Want::Write)] {
        explore(2, move || {
            let lock = Arc::new(RwLock::new(Prefer::Fair));
            let access = |want| if want == Want::Read { Access::Read } else { Access::Write };
            let task = |me, want| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || release(&lock, access(want), acquire_notified(&lock, want, me)))
            };
            let tasks = [task(2, first), task(3, second)];

            release(&lock, Access::Write, write(&lock, 1));

            for task in tasks {
                task.join().expect("no panic");
            }
            assert_eq!(lock.standing().waiting, 0);
        });
    }
}

/// A coroutine that was told, and is cancelled before it runs, passes it on.
///
/// Fails without `pass_on` in `withdraw`.
#[test]
fn a_coroutine_that_was_told_and_is_cancelled_passes_it_on() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = write(&lock, 1);
        let mut first = [Locking::new(Arc::clone(&lock), Want::Write, Owner { thread: 1, task: 1 })];
        let (mut select, waiter) = (Select::default(), Waiter::for_select());
        assert_eq!(select.start(&mut first, &waiter), Standing::Wait);
        let second = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Write, acquire_notified(&lock, Want::Write, 2))
        });

        release(&lock, Access::Write, held);
        assert_eq!(select.abandon(&mut first, &waiter), None);

        second.join().expect("no panic");
        assert_eq!(lock.standing().waiting, 0);
    });
}

/// Coroutines that were told and do not run (their loop may be stopped) keep no thread from the lock, whoever held it before.
///
/// Fails if `tell` leaves out the threads that come after coroutines: the writer behind `tell_shared`, the readers behind the
/// coroutines that write.
#[test]
fn a_thread_is_not_kept_waiting_for_coroutines() {
    for held in [Want::Read, Want::Write] {
        for (tasks, thread) in [(Want::Write, Want::Read), (Want::Read, Want::Write), (Want::Write, Want::Write)] {
            // Beside a reader, coroutines that read do not wait.
            if (held, tasks) != (Want::Read, Want::Read) {
                explore(2, move || passes_coroutines(held, tasks, thread));
            }
        }
    }
}

fn passes_coroutines(held: Want, tasks: Want, thread: Want) {
    let lock = Arc::new(RwLock::new(Prefer::Fair));
    let access = |want| if want == Want::Read { Access::Read } else { Access::Write };
    let number = acquire(&lock, held, 1, None).expect("it is free");
    let mut stopped = [2, 3].map(|task| {
        let mut operation = [Locking::new(Arc::clone(&lock), tasks, Owner { thread: 9, task })];
        let (mut select, waiter) = (Select::default(), Waiter::for_select());
        assert_eq!(select.start(&mut operation, &waiter), Standing::Wait);
        (select, operation, waiter)
    });
    let waiting = thread::spawn({
        let lock = Arc::clone(&lock);
        move || release(&lock, access(thread), acquire(&lock, thread, 4, None).expect("it waits for ever"))
    });

    release(&lock, access(held), number);

    waiting.join().expect("no panic");
    for (select, operation, waiter) in &mut stopped {
        assert_eq!(select.abandon(operation, waiter), None);
    }
    assert_eq!(lock.standing().waiting, 0);
}
