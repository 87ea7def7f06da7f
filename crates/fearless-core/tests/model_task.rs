//! Every interleaving of a task's life: joining, watching from outside, and cancelling against beginning.
//!
//! Each model was seen to fail without one line of `task.rs`, which its comment names.
#![cfg(loom)]

use fearless_core::{
    sync::{Arc, Mutex, thread},
    task::{Pass, Refusal, State, Step, Task},
    waiter::{Claim, Waiter},
};

/// Whoever joins is woken, or finds the task done; the outcome is then in place.
///
/// Fails (a thread sleeps for ever) without the look at the state in `enlist`: `let is_open = !self.state().is_done();`.
#[test]
fn joining_meets_the_end() {
    loom::model(|| {
        let task = Arc::new(Task::new(0));
        let ending = Arc::clone(&task);
        let end = thread::spawn(move || {
            let (_, wakes) = ending.advance(Pass::Unshared, Step::Finish, |content| *content = 7).expect("pending");
            wakes.wake();
        });

        let waiter = Waiter::new();
        if let Some(ticket) = task.join(&waiter) {
            assert_eq!(waiter.wait(None), Claim::Ready(0));
            task.leave(ticket);
        }

        assert_eq!((task.state(), task.with(|content| *content)), (State::Finished, 7));
        end.join().expect("no panic");
    });
}

/// Whoever watches under a lock of his own is told of the end, or finds it. This is how `concurrent.futures.wait` does.
///
/// Fails (the watcher is not told) without the refusal in `advance`: `return Err(Refusal::Shared);`.
#[test]
fn a_watcher_is_told_or_finds_the_task_done() {
    loom::model(|| {
        let task = Arc::new(Task::new(()));
        let watchers = Arc::new(Mutex::new(Vec::new()));
        let ending = (Arc::clone(&task), Arc::clone(&watchers));
        let end = thread::spawn(move || {
            let (task, watchers) = ending;
            if let Err(refusal) = task.advance(Pass::Unshared, Step::Finish, |()| ()) {
                assert_eq!(refusal, Refusal::Shared);
                let mut watchers = watchers.lock().expect("no panic");
                task.advance(Pass::Holding, Step::Finish, |()| ()).expect("pending").1.wake();
                watchers.iter_mut().for_each(|told| *told = true);
            }
        });

        task.share(|()| ());
        let seen = {
            let mut watchers = watchers.lock().expect("no panic");
            let done = task.state().is_done();
            if !done {
                watchers.push(false);
            }
            done
        };

        end.join().expect("no panic");
        assert!(seen || *watchers.lock().expect("no panic") == [true]);
    });
}

/// A call is either begun or cancelled, never both, and what it was goes to the one that won.
///
/// Fails (both get it) without the table in `advance`: `return Err(Refusal::State(State::of(word)));`.
#[test]
fn a_call_is_begun_or_cancelled() {
    loom::model(|| {
        let task = Arc::new(Task::new(true));
        let running = Arc::clone(&task);
        let runner = thread::spawn(move || running.advance(Pass::Unshared, Step::Begin, |call| *call).is_ok());

        let cancelled = task.advance(Pass::Unshared, Step::Cancel, |call| *call).is_ok();

        assert_ne!(cancelled, runner.join().expect("no panic"));
    });
}
