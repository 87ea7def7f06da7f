//! Models of the scope: a cancellation reaches every wait inside, and the end of the last task is never missed.
#![cfg(loom)]

mod common;

use std::{mem, sync::Arc};

use common::{explore, notified};
use fearless_core::{
    channel::{Channel, Recv, Send},
    scope::{Joining, Scope},
    select::Source,
    sync::{self, thread},
    waiter::{Claim, Waiter},
};

/// Waits in `scope` for something that never comes but a cancellation.
fn wait_in(scope: &Scope) -> Claim {
    let waiter = Waiter::new();
    scope.attach(&waiter);
    let claim = waiter.wait(None);
    scope.detach(&waiter);
    claim
}

/// Fails without the look at `is_stopped` in `attach`, and without the claim in `stop_into`.
#[test]
fn a_cancellation_meets_a_wait_that_begins() {
    explore(3, || {
        let scope = Scope::new(None, None);
        let waiting = [(); 2].map(|()| {
            let scope = Arc::clone(&scope);
            thread::spawn(move || wait_in(&scope))
        });

        scope.cancel().wake();

        let claims = waiting.map(|waiting| waiting.join().expect("no panic"));
        assert_eq!(claims, [Claim::Cancelled; 2]);
    });
}

/// Fails without the look at `parent.is_stopped()` in `Scope::new`, without the registration before it, and without the
/// way down to the children in `stop`.
#[test]
fn a_cancellation_meets_a_scope_that_begins_inside() {
    explore(3, || {
        let outer = Scope::new(None, None);
        let inside = thread::spawn({
            let outer = Arc::clone(&outer);
            move || {
                let inner = Scope::new(Some(outer), None);
                let claim = wait_in(&inner);
                let origin = inner.origin().expect("it is stopped");
                inner.leave();
                (claim, origin)
            }
        });

        outer.cancel().wake();

        let (claim, origin) = inside.join().expect("no panic");
        assert_eq!(claim, Claim::Cancelled);
        assert!(Arc::ptr_eq(&origin, &outer), "a cancellation belongs to the scope that was cancelled");
    });
}

/// Who finds a scope stopped also finds the scope that was cancelled.
///
/// Fails if `Scope::cancel` stops before it says that it is cancelled, and without the release in `stop_into`.
#[test]
fn a_stopped_scope_knows_whom_the_cancellation_belongs_to() {
    explore(3, || {
        let outer = Scope::new(None, None);
        let inner = Scope::new(Some(Arc::clone(&outer)), None);
        let onlooker = thread::spawn({
            let inner = Arc::clone(&inner);
            move || assert!(!inner.is_stopped() || inner.origin().is_some())
        });

        outer.cancel().wake();

        onlooker.join().expect("no panic");
        inner.leave();
    });
}

/// Two tasks end while the owner joins.
///
/// Fails without `joiners.claim_all` in `task_ended`, and without the look at `running` in `join`.
#[test]
fn the_end_of_the_last_task_meets_the_join() {
    explore(3, || {
        let scope = Scope::new(None, None);
        let tasks = [(); 2].map(|()| {
            scope.task_started();
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.task_ended().wake())
        });

        loop {
            let waiter = Waiter::new();
            let Some(ticket) = scope.join(&waiter) else { break };
            assert_eq!(waiter.wait(None), Claim::Ready(0));
            scope.leave_join(ticket);
        }

        assert_eq!(scope.running(), 0);
        for task in tasks {
            task.join().expect("no panic");
        }
    });
}

/// A task starts another before it ends; the owner waits for both.
///
/// Fails without the look at `running` in `task_ended`.
#[test]
fn a_task_that_starts_another_keeps_the_owner_waiting() {
    explore(3, || {
        let scope = Scope::new(None, None);
        scope.task_started();
        let first = thread::spawn({
            let scope = Arc::clone(&scope);
            move || {
                scope.task_started();
                let second = thread::spawn({
                    let scope = Arc::clone(&scope);
                    move || scope.task_ended().wake()
                });
                scope.task_ended().wake();
                second.join().expect("no panic");
            }
        });

        while let (waiter, Some(ticket)) = {
            let waiter = Waiter::new();
            let ticket = scope.join(&waiter);
            (waiter, ticket)
        } {
            waiter.wait(None);
            assert_eq!(scope.running(), 0, "woken before the last task ended");
            scope.leave_join(ticket);
        }

        first.join().expect("no panic");
    });
}

/// A task is submitted for the owner to run while it begins to join: it looks at its tasks again.
///
/// Fails (the owner sleeps beside it) without `state.has_news = true;` in `look_again`, and without the claim there.
#[test]
fn a_late_submission_meets_the_join() {
    explore(3, || {
        let scope = Scope::new(None, None);
        let queued = sync::Arc::new(sync::Mutex::new(false));
        scope.task_started();
        let task = thread::spawn({
            let (scope, queued) = (Arc::clone(&scope), sync::Arc::clone(&queued));
            move || {
                scope.task_started();
                *queued.lock().expect("no panic") = true;
                scope.look_again().wake();
                scope.task_ended().wake();
            }
        });

        while scope.running() > 0 {
            if mem::take(&mut *queued.lock().expect("no panic")) {
                scope.task_ended().wake();
            }
            let waiter = Waiter::new();
            if let Some(ticket) = scope.join(&waiter) {
                assert_eq!(waiter.wait(None), Claim::Ready(0));
                scope.leave_join(ticket);
            }
        }

        task.join().expect("no panic");
    });
}

/// A thread cleans up in a shielded scope while the scope around it is cancelled: what it waits for there comes, and after
/// it the cancellation is found.
///
/// Fails (the clean-up is cancelled) without `filter(|_| !is_shielded)` in `enter`.
#[test]
fn a_cancellation_stays_out_of_a_shield_and_is_found_after_it() {
    explore(3, || {
        let outer = Scope::new(None, None);
        let cleaned = sync::Arc::new(Channel::new(None));
        let inside = thread::spawn({
            let (outer, cleaned) = (Arc::clone(&outer), sync::Arc::clone(&cleaned));
            move || {
                let shield = Scope::enter(Some(&outer), None, true);
                let waiter = Waiter::new();
                let received = match cleaned.recv(&waiter) {
                    Recv::Wait(ticket) => {
                        shield.attach(&waiter);
                        let claim = waiter.wait(None);
                        shield.detach(&waiter);
                        cleaned.resume_recv(ticket, claim)
                    }
                    settled => settled,
                };
                assert!(!shield.is_stopped());
                shield.leave();
                (matches!(received, Recv::Item(7, _)), wait_in(&outer))
            }
        });

        outer.cancel().wake();
        let Send::Sent(wakes) = cleaned.try_send(7) else { panic!("it is unbounded") };
        wakes.wake();

        assert_eq!(inside.join().expect("no panic"), (true, Claim::Cancelled));
    });
}

/// A cancellation meets the delivery of an item: it was received, or it is still in the channel.
///
/// Fails if `WaitList::claim_first` takes an entry that it could not claim.
#[test]
fn a_cancelled_receive_has_taken_nothing() {
    explore(3, || {
        let scope = Scope::new(None, None);
        let channel = sync::Arc::new(Channel::new(None));
        let receiver = thread::spawn({
            let (scope, channel) = (Arc::clone(&scope), sync::Arc::clone(&channel));
            move || {
                let waiter = Waiter::new();
                match channel.recv(&waiter) {
                    Recv::Wait(ticket) => {
                        scope.attach(&waiter);
                        let claim = waiter.wait(None);
                        scope.detach(&waiter);
                        channel.resume_recv(ticket, claim)
                    }
                    settled => settled,
                }
            }
        });
        let canceller = thread::spawn({
            let scope = Arc::clone(&scope);
            move || scope.cancel().wake()
        });
        let Send::Sent(wakes) = channel.try_send(7) else { panic!("it is unbounded") };
        wakes.wake();

        canceller.join().expect("no panic");
        let received = matches!(receiver.join().expect("no panic"), Recv::Item(7, _));

        assert!(received != matches!(channel.try_recv(), Recv::Item(7, _)), "received: {received}");
    });
}

/// Two tasks end while a coroutine joins.
///
/// Fails without the look at `running` in `join_at`.
#[test]
fn the_end_of_the_last_task_meets_a_coroutine_that_joins() {
    explore(3, || {
        let scope = Scope::new(None, None);
        let tasks = [(); 2].map(|()| {
            scope.task_started();
            let scope = Arc::clone(&scope);
            thread::spawn(move || scope.task_ended().wake())
        });

        notified::run(Joining::new(Arc::clone(&scope)));

        assert_eq!(scope.running(), 0);
        for task in tasks {
            task.join().expect("no panic");
        }
    });
}

/// A coroutine begins to wait as its scope is cancelled. It looks once after it has attached its waiter, and then sleeps
/// until its loop is told.
///
/// Fails without the look at `is_stopped` in `attach`.
#[test]
fn a_cancellation_meets_a_coroutine_that_begins_to_wait() {
    explore(3, || {
        let scope = Scope::new(None, None);
        scope.task_started();
        let waiting = thread::spawn({
            let scope = Arc::clone(&scope);
            move || {
                let (waiter, wake) = notified::waiter();
                let mut joining = Joining::new(Arc::clone(&scope));
                assert!(joining.enlist(&waiter, 0), "a task runs");
                scope.attach(&waiter);
                while waiter.claimed().is_none() {
                    wake.wait();
                }
                scope.detach(&waiter);
                joining.withdraw();
                waiter.claimed()
            }
        });

        scope.cancel().wake();

        assert_eq!(waiting.join().expect("no panic"), Some(Claim::Cancelled));
        assert!(scope.task_ended().is_empty(), "somebody still joins");
    });
}
