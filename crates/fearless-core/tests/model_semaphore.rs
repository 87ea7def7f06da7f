//! Models of the semaphore: no permit is lent twice, none is lost, and nobody waits for one that is free.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::{
    explore,
    notified::{is_cancelled_when_woken, run, waiter},
};
use fearless_core::{
    select::{Select, Source, Standing},
    semaphore::{Acquiring, Semaphore},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Takes permits as a blocking call does. False: it gave up when `deadline` passed.
fn acquire(semaphore: &Semaphore, permits: u64, deadline: Option<Instant>) -> bool {
    let waiter = Waiter::new();
    let Some(ticket) = semaphore.acquire(permits, &waiter) else { return true };
    let (acquired, wakes) = semaphore.resume(ticket, waiter.wait(deadline));
    wakes.wake();
    acquired
}

fn release(semaphore: &Semaphore, permits: u64) {
    semaphore.release(permits).expect("they are taken").wake();
}

fn semaphore(permits: u64, taken: u64) -> Arc<Semaphore> {
    let semaphore = Arc::new(Semaphore::new(permits, true));
    assert!(taken == 0 || semaphore.try_acquire(taken));
    semaphore
}

/// All permits are back, and nobody is enqueued.
fn assert_idle(semaphore: &Semaphore, permits: u64) {
    assert_eq!((semaphore.free(), semaphore.waiting()), (permits, 0));
}

/// Threads take the one permit for a section; none is lost, all end.
fn take_turns(others: u64) {
    let semaphore = semaphore(1, 0);
    let sum = Arc::new(AtomicU64::new(0));
    let section = || {
        let (semaphore, sum) = (Arc::clone(&semaphore), Arc::clone(&sum));
        move || {
            assert!(acquire(&semaphore, 1, None));
            // In two steps, which tells if another thread came between, or if its writes are not seen.
            sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            release(&semaphore, 1);
        }
    };
    let rivals: Vec<_> = (0..others).map(|_| thread::spawn(section())).collect();

    section()();

    for rival in rivals {
        rival.join().expect("no panic");
    }
    assert_eq!(sum.load(Ordering::Relaxed), others + 1);
    assert_idle(&semaphore, 1);
}

/// Fails without the announcement `fetch_or(WAITERS)` in `acquire`, without `take_in_turn` after it, without `serve` in
/// `release`, and with a relaxed order in `take_quickly` or `release`.
#[test]
fn one_permit_is_lent_to_one_at_a_time() {
    explore(3, || take_turns(1));
}

/// Fails without the look at the queue in `forget_flag`.
#[test]
fn who_is_second_in_the_queue_has_his_turn_too() {
    explore(2, || take_turns(2));
}

/// One permit is free. A request for two holds up one for one; it runs out of time, and the other goes ahead.
///
/// Fails without `serve` in `resume`.
#[test]
fn who_gives_up_lets_the_smaller_ones_behind_it_go() {
    explore(2, || {
        let semaphore = semaphore(2, 1);
        let hasty = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || acquire(&semaphore, 2, Some(Instant::now()))
        });
        let patient = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || {
                assert!(acquire(&semaphore, 1, None));
                release(&semaphore, 1);
            }
        });

        assert!(!hasty.join().expect("no panic"));
        patient.join().expect("no panic");
        release(&semaphore, 1);
        assert_idle(&semaphore, 2);
    });
}

/// A request for both permits meets two releases of one.
///
/// Fails without `take` in `serve`.
#[test]
fn a_large_request_is_served_by_small_releases() {
    explore(3, || {
        let semaphore = semaphore(2, 2);
        let large = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || {
                assert!(acquire(&semaphore, 2, None));
                release(&semaphore, 2);
            }
        });
        let other = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || release(&semaphore, 1)
        });

        release(&semaphore, 1);

        other.join().expect("no panic");
        large.join().expect("no panic");
        assert_idle(&semaphore, 2);
    });
}

/// A deadline meets the hand-over: the permit is taken, or it is free.
///
/// Fails if `serve` takes no heed of the claim that it failed to make.
#[test]
fn a_deadline_meets_the_hand_over() {
    explore(3, || {
        let semaphore = semaphore(1, 1);
        let hasty = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || {
                if acquire(&semaphore, 1, Some(Instant::now())) {
                    release(&semaphore, 1);
                }
            }
        });

        release(&semaphore, 1);

        hasty.join().expect("no panic");
        assert_idle(&semaphore, 1);
    });
}

/// A coroutine that was told of the permit is cancelled before it runs; the one behind it is told.
///
/// Fails without `serve` in `leave`, and without its decrement of `promised`.
#[test]
fn a_cancelled_coroutine_passes_the_notice_on() {
    explore(2, || {
        let semaphore = semaphore(1, 1);
        let fickle = thread::spawn({
            let operation = Acquiring::for_coroutine(Arc::clone(&semaphore), 1);
            move || is_cancelled_when_woken(operation).0
        });
        let patient = thread::spawn({
            let operation = Acquiring::for_coroutine(Arc::clone(&semaphore), 1);
            move || release(&run(operation).holder, 1)
        });

        release(&semaphore, 1);

        fickle.join().expect("no panic");
        patient.join().expect("no panic");
        assert_idle(&semaphore, 1);
    });
}

/// A coroutine was told of both permits, but its loop is busy: with waiting for a thread that needs one. The thread gets it,
/// and who comes by gets the other; the coroutine comes too late and keeps its place.
///
/// Fails if `serve` leaves what is promised to threads, too, and without the `told` in `holds_up`.
#[test]
fn a_thread_does_not_wait_for_what_is_promised() {
    explore(2, || {
        let semaphore = semaphore(2, 2);
        let (waiter, _) = waiter();
        let (mut select, mut sources) = (Select::default(), [Acquiring::for_coroutine(Arc::clone(&semaphore), 2)]);
        assert!(sources[0].enlist(&waiter, 0));
        let behind = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || {
                assert!(acquire(&semaphore, 1, None));
                semaphore
            }
        });

        release(&semaphore, 2);
        let thread_has_it = behind.join().expect("no panic");
        assert!(semaphore.try_acquire(1));

        assert_eq!(select.finish(&mut sources, &waiter), Standing::Again);
        let rival = thread::spawn(move || release(&thread_has_it, 1));
        release(&semaphore, 1);
        let [operation] = sources;
        release(&run(operation).holder, 2);
        rival.join().expect("no panic");
        assert_idle(&semaphore, 2);
    });
}

/// The same with a thread that selects, which is told beside the coroutine.
///
/// Fails if `leaves` takes what is promised to coroutines from selects, too, or `enlist` looks at promises for a thread.
#[test]
fn a_select_does_not_wait_for_what_is_promised() {
    explore(2, || {
        let semaphore = semaphore(1, 1);
        let (waiter, _) = waiter();
        let (mut select, mut sources) = (Select::default(), [Acquiring::for_coroutine(Arc::clone(&semaphore), 1)]);
        assert!(sources[0].enlist(&waiter, 0));
        let behind = thread::spawn({
            let operation = Acquiring::for_select(Arc::clone(&semaphore), 1);
            move || release(&common::notified::select(operation).holder, 1)
        });

        release(&semaphore, 1);
        behind.join().expect("no panic");

        let standing = select.finish(&mut sources, &waiter);
        let [operation] = sources;
        let operation = if standing == Standing::Again { run(operation) } else { operation };
        release(&operation.holder, 1);
        assert_idle(&semaphore, 1);
    });
}

/// A coroutine that came too late, as a thread behind it was faster, stands again before a large request that came later,
/// and is not held up by it.
///
/// Fails without `serve` in `enlist`.
#[test]
fn who_came_too_late_stands_where_it_stood() {
    explore(2, || {
        let semaphore = semaphore(2, 2);
        let (told, _) = waiter();
        let (mut select, mut sources) = (Select::default(), [Acquiring::for_coroutine(Arc::clone(&semaphore), 1)]);
        assert!(sources[0].enlist(&told, 0));
        let (faster, large) = (Waiter::new(), Waiter::new());
        semaphore.acquire(1, &faster).expect("it has to wait");
        let ticket = semaphore.acquire(2, &large).expect("it has to wait");
        release(&semaphore, 1);
        assert_eq!(faster.wait(None), Claim::Ready(0));
        let gives_back = thread::spawn({
            let semaphore = Arc::clone(&semaphore);
            move || release(&semaphore, 1)
        });

        let standing = select.finish(&mut sources, &told);
        let [operation] = sources;
        let operation = if standing == Standing::Again { run(operation) } else { operation };

        gives_back.join().expect("no panic");
        release(&operation.holder, 1);
        release(&semaphore, 1);
        assert!(semaphore.resume(ticket, large.wait(None)).0);
        release(&semaphore, 2);
        assert_idle(&semaphore, 2);
    });
}

/// Permits cannot be given back twice, whoever does.
///
/// Fails without the look at the limit in `release`.
#[test]
fn permits_are_given_back_once() {
    explore(3, || {
        let semaphore = semaphore(1, 1);
        let give_back = {
            let semaphore = Arc::clone(&semaphore);
            move || semaphore.release(1).map(|wakes| wakes.wake()).is_ok()
        };
        let rival = thread::spawn(give_back.clone());

        let given = usize::from(give_back());

        assert_eq!(given + usize::from(rival.join().expect("no panic")), 1);
        assert_idle(&semaphore, 1);
    });
}
