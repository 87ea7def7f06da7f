//! Models of the lock for readers and writers: exclusion, no lost wake-up, and phases.
//!
//! Not here: the changes of access (`model_rwlock_access.rs`), and coroutines (`model_rwlock_notified.rs`).
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::{
    explore,
    rwlock::{acquire, add_one_in_two_steps, check_unchanged, read, release, write},
};
use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, PASSES, Prefer, RwLock, Want},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Threads take the lock, each once, and check that nobody disturbs them.
fn take_turns(prefer: Prefer, wants: &[Want]) {
    let lock = Arc::new(RwLock::new(prefer));
    let sum = Arc::new(AtomicU64::new(0));
    let section = |me, want| {
        let (lock, sum) = (Arc::clone(&lock), Arc::clone(&sum));
        move || {
            let number = acquire(&lock, want, me, None).expect("it waits for ever");
            if want == Want::Write {
                add_one_in_two_steps(&sum);
                add_one_in_two_steps(&sum);
                release(&lock, Access::Write, number);
            } else {
                check_unchanged(&sum);
                let access = if want == Want::Read { Access::Read } else { Access::Upgradable };
                release(&lock, access, number);
            }
        }
    };
    let [own, others @ ..] = wants else { panic!("nobody comes") };
    let rivals: Vec<_> = (2..).zip(others).map(|(me, want)| thread::spawn(section(me, *want))).collect();

    section(1, *own)();

    for rival in rivals {
        rival.join().expect("no panic");
    }
    let writers = wants.iter().filter(|want| **want == Want::Write).count();
    assert_eq!(sum.load(Ordering::Relaxed), 2 * writers as u64);
    assert_eq!((lock.standing().waiting, lock.standing().readers), (0, 0));
}

/// Fails without `self.writer.is_some()` in `may_share`, without `self.readers.is_empty()` in `is_free`, and without
/// `pass_on` in `release`.
#[test]
fn a_writer_is_alone_and_everybody_has_a_turn() {
    explore(4, || take_turns(Prefer::Fair, &[Want::Write, Want::Read]));
    explore(4, || take_turns(Prefer::Fair, &[Want::Write, Want::Write]));
    explore(2, || take_turns(Prefer::Fair, &[Want::Write, Want::Read, Want::Read]));
    explore(2, || take_turns(Prefer::Fair, &[Want::Read, Want::Write, Want::Write]));
}

/// The same whoever is preferred; fails without the last line of `turn`.
#[test]
fn whoever_is_preferred_nobody_is_forgotten() {
    for prefer in [Prefer::Readers, Prefer::Writers] {
        explore(2, move || take_turns(prefer, &[Want::Write, Want::Read, Want::Read]));
        explore(2, move || take_turns(prefer, &[Want::Read, Want::Write, Want::Write]));
    }
}

/// Fails without `self.upgradable.is_none()` in `may_enter`, and without `tell_first` of the upgradable in `tell_shared`.
#[test]
fn one_upgradable_reader_at_a_time() {
    explore(2, || take_turns(Prefer::Fair, &[Want::Upgradable, Want::Upgradable, Want::Write]));
}

/// A writer that waits keeps new readers out. When its time is over they come in, though nobody has left the lock.
///
/// Fails without `pass_on` in `resume`.
#[test]
fn readers_behind_a_writer_that_gives_up_come_in() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = read(&lock, 1);
        let hasty = thread::spawn({
            let lock = Arc::clone(&lock);
            move || acquire(&lock, Want::Write, 2, Some(Instant::now())).is_none()
        });
        let reader = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Read, read(&lock, 3))
        });

        assert!(hasty.join().expect("no panic"), "a reader was there all the time");
        reader.join().expect("no panic");
        release(&lock, Access::Read, held);
    });
}

/// A waiter that was told may give up all the same; the next is told.
///
/// Fails without `pass_on` in `resume`.
#[test]
fn who_was_told_and_gives_up_passes_it_on() {
    explore(2, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = write(&lock, 1);
        let fickle = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                let (me, waiter) = (Owner::thread(2), Waiter::new());
                let number = match lock.lock(Want::Write, me, &waiter) {
                    Lock::Wait(ticket) => {
                        waiter.wait(None);
                        let (next, wakes) = lock.resume(Want::Write, me, ticket, &waiter, Claim::Cancelled);
                        wakes.wake();
                        next
                    }
                    acquired => Some(acquired),
                };
                // Handed over already: then there is nothing to give up.
                if let Some(Lock::Acquired(number)) = number {
                    release(&lock, Access::Write, number);
                }
            }
        });
        let patient = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Write, write(&lock, 3))
        });

        release(&lock, Access::Write, held);

        fickle.join().expect("no panic");
        patient.join().expect("no panic");
        assert_eq!(lock.standing().waiting, 0);
    });
}

/// A thread comes for the lock again and again while another waits for it; how many acquisitions passed that one over.
fn passed_over(waits: Want, comes: Want) {
    let access = |want| if want == Want::Read { Access::Read } else { Access::Write };
    let lock = Arc::new(RwLock::new(Prefer::Fair));
    let held = write(&lock, 1);
    let waiting = thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let (me, waiter) = (Owner::thread(2), Waiter::new());
            let mut state = lock.lock(waits, me, &waiter);
            let standing = lock.standing();
            loop {
                match state {
                    Lock::Acquired(number) => {
                        release(&lock, access(waits), number);
                        break (standing.reads + standing.writes, number.get());
                    }
                    Lock::Wait(ticket) => {
                        let (next, wakes) = lock.resume(waits, me, ticket, &waiter, waiter.wait(None));
                        wakes.wake();
                        state = next.expect("it did not give up");
                    }
                    other => panic!("found {other:?}"),
                }
            }
        }
    });

    release(&lock, Access::Write, held);
    for _ in 0..3 {
        let number = acquire(&lock, comes, 1, None).expect("it waits for ever");
        release(&lock, access(comes), number);
    }

    let (enqueued_at, acquired) = waiting.join().expect("no panic");
    assert!(acquired <= enqueued_at + u64::from(PASSES) + 1, "{acquired}, enqueued at {enqueued_at}");
}

/// Fails without `hand_over` in `pass_on`, and without `self.passed += 1` in `is_overdue`.
#[test]
fn a_waiter_is_passed_over_a_bounded_number_of_times() {
    for (waits, comes) in [(Want::Write, Want::Write), (Want::Write, Want::Read), (Want::Read, Want::Write)] {
        explore(2, move || passed_over(waits, comes));
    }
}

/// Two threads end one acquisition while a third waits: it ends once, and nobody else's with it.
///
/// Fails without the comparison of numbers in `leave`.
#[test]
fn an_acquisition_ends_once_whoever_ends_it() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let sum = Arc::new(AtomicU64::new(0));
        let held = write(&lock, 1);
        let end = {
            let lock = Arc::clone(&lock);
            move || lock.release(Access::Write, held).map(|wakes| wakes.wake()).is_ok()
        };
        let rival = thread::spawn(end.clone());
        let third = thread::spawn({
            let (lock, sum) = (Arc::clone(&lock), Arc::clone(&sum));
            move || {
                let number = write(&lock, 2);
                add_one_in_two_steps(&sum);
                release(&lock, Access::Write, number);
            }
        });

        let ended = usize::from(end());

        assert_eq!(ended + usize::from(rival.join().expect("no panic")), 1);
        let number = write(&lock, 1);
        add_one_in_two_steps(&sum);
        release(&lock, Access::Write, number);
        third.join().expect("no panic");
        assert_eq!(sum.load(Ordering::Relaxed), 2);
    });
}

/// A thread that leaves its wait for a moment (to run a signal handler) claims its own waiter first. It keeps its place,
/// but nobody gives it the lock meanwhile: here the handler waits for the thread behind it in the queue.
///
/// Fails if `tell_first` stops at the first that it cannot claim.
#[test]
fn a_thread_that_looks_around_holds_nobody_up() {
    explore(2, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = write(&lock, 1);
        let (me, away) = (Owner::thread(2), Waiter::new());
        let Lock::Wait(ticket) = lock.lock(Want::Write, me, &away) else { panic!("it is held") };
        let come = Waiter::new();
        let behind = thread::spawn({
            let (lock, come) = (Arc::clone(&lock), Arc::clone(&come));
            move || {
                release(&lock, Access::Write, write(&lock, 3));
                come.claim(Claim::Ready(0));
                come.wake();
            }
        });
        let holder = thread::spawn({
            let lock = Arc::clone(&lock);
            move || {
                release(&lock, Access::Write, held);
                // Twice, so that the first in the queue was passed over as often as it may be.
                release(&lock, Access::Write, write(&lock, 1));
            }
        });
        if away.claim(Claim::Ready(0)) {
            come.wait(None);
        }

        let mut claim = away.wait(None);
        loop {
            let (next, wakes) = lock.resume(Want::Write, me, ticket, &away, claim);
            wakes.wake();
            match next.expect("it did not give up") {
                Lock::Acquired(number) => break release(&lock, Access::Write, number),
                _ => claim = away.wait(None),
            }
        }

        holder.join().expect("no panic");
        behind.join().expect("no panic");
    });
}

/// All the readers that waited for a writer come in when it leaves: the first stays until the second is there.
///
/// Fails if `tell_shared` ends with the first.
#[test]
fn readers_that_waited_come_in_together() {
    explore(3, || {
        let lock = Arc::new(RwLock::new(Prefer::Fair));
        let held = write(&lock, 1);
        let come = Waiter::new();
        let second = thread::spawn({
            let (lock, come) = (Arc::clone(&lock), Arc::clone(&come));
            move || {
                let number = read(&lock, 2);
                come.claim(Claim::Ready(0));
                come.wake();
                release(&lock, Access::Read, number);
            }
        });
        let waiter = Waiter::new();
        let Lock::Wait(ticket) = lock.lock(Want::Read, Owner::thread(3), &waiter) else { panic!("it is held") };
        let owner = thread::spawn({
            let lock = Arc::clone(&lock);
            move || release(&lock, Access::Write, held)
        });
        let (entered, wakes) = lock.resume(Want::Read, Owner::thread(3), ticket, &waiter, waiter.wait(None));
        wakes.wake();
        let Some(Lock::Acquired(number)) = entered else { panic!("found {entered:?}") };

        come.wait(None);

        release(&lock, Access::Read, number);
        owner.join().expect("no panic");
        second.join().expect("no panic");
    });
}
