//! Models of the lock for readers and writers: exclusion, no lost wake-up, phases, and the changes of access.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, Locking, Number, PASSES, Prefer, RwLock, Want},
    select::{Select, Standing},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Takes the lock as a blocking call does. `None`: it gave up when `deadline` passed, or what it wanted to upgrade has ended.
fn acquire(lock: &RwLock, want: Want, me: u64, deadline: Option<Instant>) -> Option<Number> {
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
fn acquire_notified(lock: &Arc<RwLock>, want: Want, me: u64) -> Number {
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

fn release(lock: &RwLock, access: Access, number: Number) {
    lock.release(access, number).expect("it lasts").wake();
}

fn read(lock: &RwLock, me: u64) -> Number {
    acquire(lock, Want::Read, me, None).expect("it waits for ever")
}

fn write(lock: &RwLock, me: u64) -> Number {
    acquire(lock, Want::Write, me, None).expect("it waits for ever")
}

/// Adds one in two steps, which tells if another writer came between, or if its writes are not seen.
fn add_one_in_two_steps(sum: &AtomicU64) {
    sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// A number that only a writer changes, and does twice.
fn check_unchanged(sum: &AtomicU64) {
    let first = sum.load(Ordering::Relaxed);
    thread::yield_now();
    assert_eq!((first % 2, sum.load(Ordering::Relaxed)), (0, first), "a reader met a writer");
}

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
