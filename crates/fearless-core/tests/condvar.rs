//! Who is notified, one step at a time. Not here: threads that meet (`model_condvar.rs`).
#![cfg(not(loom))]

use std::sync::Arc;

use fearless_core::{
    condvar::Condvar,
    waiter::{Claim, Waiter},
};

fn enlist(condvar: &Condvar, count: usize) -> Vec<Arc<Waiter>> {
    let waiters: Vec<_> = (0..count).map(|_| Waiter::new()).collect();
    for waiter in &waiters {
        condvar.start(waiter);
    }
    waiters
}

fn notified(waiters: &[Arc<Waiter>]) -> Vec<bool> {
    waiters.iter().map(|waiter| waiter.claimed() == Some(Claim::Ready(0))).collect()
}

#[test]
fn those_who_came_first_are_notified_and_nobody_more() {
    let condvar = Condvar::default();
    let waiters = enlist(&condvar, 3);

    condvar.notify(2).wake();

    assert_eq!(notified(&waiters), [true, true, false]);
    assert_eq!(condvar.waiting(), 1);
}

#[test]
fn more_than_wait_can_be_notified() {
    let condvar = Condvar::default();
    let waiters = enlist(&condvar, 2);

    condvar.notify(usize::MAX).wake();

    assert_eq!(notified(&waiters), [true, true]);
}

#[test]
fn nobody_who_comes_later_is_notified() {
    let condvar = Condvar::default();
    condvar.notify(1).wake();

    let waiters = enlist(&condvar, 1);

    assert_eq!(notified(&waiters), [false]);
}

#[test]
fn who_has_given_up_uses_no_notice_up() {
    let condvar = Condvar::default();
    let waiters = enlist(&condvar, 2);
    assert!(waiters[0].claim(Claim::TimedOut));

    condvar.notify(1).wake();

    assert_eq!(notified(&waiters), [false, true]);
}
