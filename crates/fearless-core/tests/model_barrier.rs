//! Models of the barrier: all parties of a phase go on together, or all are told that it is broken.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::{
    explore,
    notified::{is_cancelled_when_woken, run},
};
use fearless_core::{
    barrier::{Arrival, Arriving, Barrier},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::Waiter,
};

/// Arrives as a blocking call does, with an action that does nothing. `None`: it gave up when `deadline` passed.
fn arrive(barrier: &Barrier, deadline: Option<Instant>) -> Option<Arrival> {
    let waiter = Waiter::new();
    let (arrived, wakes) = barrier.arrive(&waiter);
    wakes.wake();
    let arrival = match arrived {
        Ok(arrival) => Some(arrival),
        Err(ticket) => {
            let (arrival, wakes) = barrier.resume(ticket, waiter.wait(deadline));
            wakes.wake();
            arrival
        }
    };
    let Some(Arrival::Lead(index, phase)) = arrival else { return arrival };
    let (passed, wakes) = barrier.conclude(phase, true);
    wakes.wake();
    Some(if passed { Arrival::Passed(index) } else { Arrival::Broken })
}

fn index(arrival: Option<Arrival>) -> usize {
    match arrival {
        Some(Arrival::Passed(index)) => index,
        other => panic!("{other:?}"),
    }
}

/// Two threads meet twice. Each phase has one first and one second, and each sees what the other did before.
///
/// Fails without the claim in `settle`, and without `begin_phase` in `count`.
#[test]
fn two_meet_again_and_again() {
    explore(3, || {
        let barrier = Arc::new(Barrier::new(2, false));
        let written = Arc::new(AtomicU64::new(0));
        let other = thread::spawn({
            let (barrier, written) = (Arc::clone(&barrier), Arc::clone(&written));
            move || {
                written.store(1, Ordering::Relaxed);
                [index(arrive(&barrier, None)), index(arrive(&barrier, None))]
            }
        });

        let first = index(arrive(&barrier, None));
        assert_eq!(written.load(Ordering::Relaxed), 1);
        let second = index(arrive(&barrier, None));

        let others = other.join().expect("no panic");
        assert_eq!([first + others[0], second + others[1]], [1, 1]);
        assert_eq!((barrier.waiting(), barrier.passed()), (0, 2));
    });
}

/// A deadline meets the last arrival: both go on, or neither.
///
/// Fails if `settle` notes nothing for those whom it cannot claim, and without `break_up` in `leave`.
#[test]
fn a_deadline_meets_the_last_arrival() {
    explore(3, || {
        let barrier = Arc::new(Barrier::new(2, false));
        let hasty = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || arrive(&barrier, Some(Instant::now()))
        });

        let mine = arrive(&barrier, None);

        match (mine, hasty.join().expect("no panic")) {
            (Some(Arrival::Passed(_)), Some(Arrival::Passed(_))) => assert!(!barrier.is_broken()),
            (Some(Arrival::Broken), None) => assert!(barrier.is_broken()),
            outcome => panic!("{outcome:?}"),
        }
        assert_eq!(barrier.waiting(), 0);
    });
}

/// An abort meets the last arrival, and a reset comes after it: the two parties agree, and can meet again.
///
/// Fails without the look at `broken` in `must_wait`, and if `break_up` settles what has passed.
#[test]
fn an_abort_meets_the_last_arrival() {
    explore(2, || {
        let barrier = Arc::new(Barrier::new(2, false));
        let party = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || arrive(&barrier, None)
        });
        let abort = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || barrier.abort().wake()
        });

        let mine = arrive(&barrier, None);

        let other = party.join().expect("no panic");
        abort.join().expect("no panic");
        match (mine, other) {
            (Some(Arrival::Passed(_)), Some(Arrival::Passed(_))) | (Some(Arrival::Broken), Some(Arrival::Broken)) => {}
            outcome => panic!("{outcome:?}"),
        }
        assert!(barrier.is_broken());
        barrier.reset().wake();
        assert_eq!((barrier.is_broken(), barrier.waiting()), (false, 0));
    });
}

/// More come by than there are parties, and each phase has an action: the second leader waits for the end of the first
/// action, and is then told to begin.
///
/// Fails without the lead in `pass`, if `pass` settles later phases, too, and without the look at `acting` in `must_wait`.
#[test]
fn actions_follow_each_other() {
    explore(2, || {
        let barrier = Arc::new(Barrier::new(1, true));
        let acting = Arc::new(AtomicU64::new(0));
        let meet = {
            let (barrier, acting) = (Arc::clone(&barrier), Arc::clone(&acting));
            move || {
                let waiter = Waiter::new();
                let (arrived, wakes) = barrier.arrive(&waiter);
                wakes.wake();
                let arrival = match arrived {
                    Ok(arrival) => Some(arrival),
                    Err(ticket) => barrier.resume(ticket, waiter.wait(None)).0,
                };
                let Some(Arrival::Lead(_, phase)) = arrival else { panic!("{arrival:?}") };
                assert_eq!(acting.fetch_add(1, Ordering::Relaxed), 0, "two actions at once");
                thread::yield_now();
                acting.fetch_sub(1, Ordering::Relaxed);
                let (passed, wakes) = barrier.conclude(phase, true);
                wakes.wake();
                assert!(passed);
            }
        };
        let others = [thread::spawn(meet.clone()), thread::spawn(meet.clone())];

        meet();

        for other in others {
            other.join().expect("no panic");
        }
        assert_eq!((barrier.waiting(), barrier.passed()), (0, 3));
    });
}

/// A party runs out of time while the leader is at its action: neither goes on.
///
/// Fails without the look at `acting` in `conclude`.
#[test]
fn a_deadline_meets_the_end_of_the_action() {
    explore(3, || {
        let barrier = Arc::new(Barrier::new(2, true));
        let hasty = thread::spawn({
            let barrier = Arc::clone(&barrier);
            move || arrive(&barrier, Some(Instant::now()))
        });

        let mine = arrive(&barrier, None);

        match (mine, hasty.join().expect("no panic")) {
            (Some(Arrival::Passed(_)), Some(Arrival::Passed(_))) | (Some(Arrival::Broken), None) => {}
            outcome => panic!("{outcome:?}"),
        }
    });
}

/// A coroutine meets a thread, whoever comes last.
///
/// Fails without the claim in `settle`.
#[test]
fn a_coroutine_meets_a_thread() {
    explore(3, || {
        let barrier = Arc::new(Barrier::new(2, false));
        let coroutine = thread::spawn({
            let operation = Arriving::new(Arc::clone(&barrier));
            move || index(run(operation).outcome)
        });

        let mine = index(arrive(&barrier, None));

        assert_eq!(mine + coroutine.join().expect("no panic"), 1);
        assert_eq!(barrier.waiting(), 0);
    });
}

/// A coroutine is cancelled when it is woken: it has passed, as its party has, or it had not arrived.
///
/// Fails if `leave` breaks the barrier also when the phase has passed.
#[test]
fn a_coroutine_that_is_cancelled_too_late_breaks_nothing() {
    explore(3, || {
        let barrier = Arc::new(Barrier::new(2, false));
        let coroutine = thread::spawn({
            let operation = Arriving::new(Arc::clone(&barrier));
            move || {
                let (arrived, operation) = is_cancelled_when_woken(operation);
                if !arrived {
                    // Somebody waits: it is the last.
                    index(run(operation).outcome);
                }
            }
        });

        index(arrive(&barrier, None));

        coroutine.join().expect("no panic");
        assert_eq!((barrier.is_broken(), barrier.waiting()), (false, 0));
    });
}
