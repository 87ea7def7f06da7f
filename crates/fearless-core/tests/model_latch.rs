//! Models of the latch: the last arrival lets all go on, and arrivals are counted once.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    latch::{Latch, TooMany},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Waits as a blocking call does.
fn wait(latch: &Latch) {
    if latch.gate().is_open() {
        return;
    }
    let waiter = Waiter::new();
    let Some(ticket) = latch.gate().wait(&waiter) else { return };
    assert_eq!(waiter.wait(None), Claim::Ready(0));
    latch.gate().leave(ticket);
}

fn arrive(latch: &Latch, times: u64) -> Result<u64, TooMany> {
    latch.arrive(times).map(|(left, wakes)| {
        wakes.wake();
        left
    })
}

/// Two arrive while a third waits, who sees what both did before.
///
/// Fails without `gate.open()` in `arrive`, with a relaxed order there, and without the look at `is_open` in `enlist`.
#[test]
fn the_last_arrival_meets_those_who_wait() {
    explore(3, || {
        let latch = Arc::new(Latch::new(2));
        let written = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let waits = thread::spawn({
            let (latch, written) = (Arc::clone(&latch), Arc::clone(&written));
            move || {
                wait(&latch);
                written.iter().map(|written| written.load(Ordering::Relaxed)).sum::<u64>()
            }
        });
        let arrives = thread::spawn({
            let (latch, written) = (Arc::clone(&latch), Arc::clone(&written));
            move || {
                written[0].store(1, Ordering::Relaxed);
                arrive(&latch, 1).expect("it is awaited")
            }
        });

        written[1].store(1, Ordering::Relaxed);
        let left = arrive(&latch, 1).expect("it is awaited");

        assert_eq!(left + arrives.join().expect("no panic"), 1);
        assert_eq!(waits.join().expect("no panic"), 2);
        assert_eq!((latch.left(), latch.gate().waiting()), (0, 0));
    });
}

/// More arrive than are awaited: those who are refused have not arrived.
///
/// Fails without the compare-exchange of `arrive` (a load and a store).
#[test]
fn arrivals_are_counted_once() {
    explore(3, || {
        let latch = Arc::new(Latch::new(2));
        let double = thread::spawn({
            let latch = Arc::clone(&latch);
            move || arrive(&latch, 2)
        });

        let single = arrive(&latch, 1);

        match (single, double.join().expect("no panic")) {
            (Ok(1), Err(TooMany(1))) => assert!(!latch.gate().is_open()),
            (Err(TooMany(0)), Ok(0)) => assert!(latch.gate().is_open()),
            outcome => panic!("{outcome:?}"),
        }
    });
}
