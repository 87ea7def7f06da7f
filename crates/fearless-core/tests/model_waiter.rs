//! Models of the waiter: one claim wins, and no wake-up is lost.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
    waiter::{Claim, Waiter, Wakes},
};

/// Three claims race; one wins, and it is the one that the wait returns.
///
/// Fails without the compare-exchange of `Waiter::claim` (a store instead).
#[test]
fn one_claim_wins() {
    explore(3, || {
        let waiter = Waiter::new();
        let rivals = [Claim::Ready(0), Claim::Cancelled].map(|claim| {
            let waiter = Arc::clone(&waiter);
            thread::spawn(move || {
                let won = waiter.claim(claim);
                waiter.wake();
                won.then_some(claim)
            })
        });
        let mine = waiter.claim(Claim::TimedOut).then_some(Claim::TimedOut);

        let ended = waiter.wait(None);

        let won: Vec<_> =
            rivals.map(|rival| rival.join().expect("no panic")).into_iter().chain([mine]).flatten().collect();
        assert_eq!(won, [ended]);
    });
}

/// The claim and the wake-up may both come before the sleep.
///
/// Fails without `waiter.wake()` in `Wakes::wake`.
#[test]
fn a_wake_up_before_the_sleep_is_kept() {
    explore(3, || {
        let waiter = Waiter::new();
        let rival = thread::spawn({
            let waiter = Arc::clone(&waiter);
            move || {
                let mut wakes = Wakes::default();
                if waiter.claim(Claim::Ready(2)) {
                    wakes.add(waiter);
                }
                wakes.wake();
            }
        });

        assert_eq!(waiter.wait(None), Claim::Ready(2));

        rival.join().expect("no panic");
    });
}

/// What was done before the claim is seen after the wait, also when the wait finds the claim and does not sleep.
///
/// Fails without the release ordering of `Waiter::claim`, and without the acquire of `Waiter::claimed`.
#[test]
fn what_came_before_the_claim_is_seen_after_the_wait() {
    explore(3, || {
        let waiter = Waiter::new();
        let work = Arc::new(AtomicUsize::new(0));
        let rival = thread::spawn({
            let (waiter, work) = (Arc::clone(&waiter), Arc::clone(&work));
            move || {
                work.store(1, Ordering::Relaxed);
                waiter.claim(Claim::Ready(0));
                waiter.wake();
            }
        });

        waiter.wait(None);

        assert_eq!(work.load(Ordering::Relaxed), 1);
        rival.join().expect("no panic");
    });
}

/// A deadline is a claim like any other: it loses to one that came first, and then the wait says so.
///
/// Fails if `Waiter::wait` returns `TimedOut` when the deadline passes instead of claiming it.
#[test]
fn a_deadline_and_a_claim_agree_on_who_won() {
    explore(3, || {
        let waiter = Waiter::new();
        let rival = thread::spawn({
            let waiter = Arc::clone(&waiter);
            move || {
                let won = waiter.claim(Claim::Ready(0));
                waiter.wake();
                won
            }
        });

        let ended = waiter.wait(Some(Instant::now()));

        assert_eq!(rival.join().expect("no panic"), ended == Claim::Ready(0));
    });
}

/// A waiter that was woken for nothing waits again, and the next claim is not taken for the old one.
///
/// Fails without the store of `Waiter::rearm`.
#[test]
fn a_rearmed_waiter_waits_for_the_next_claim() {
    explore(3, || {
        let waiter = Waiter::new();
        assert!(waiter.claim(Claim::Ready(0)));
        waiter.rearm();
        let rival = thread::spawn({
            let waiter = Arc::clone(&waiter);
            move || {
                assert!(waiter.claim(Claim::Ready(1)));
                waiter.wake();
            }
        });

        assert_eq!(waiter.wait(None), Claim::Ready(1));

        rival.join().expect("no panic");
    });
}
