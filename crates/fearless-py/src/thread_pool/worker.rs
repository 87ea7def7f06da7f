//! What a thread knows of itself as a worker: its pool, and the run it is in.
//!
//! A run is one call of a task, or of the initializer, on a worker. It has a number from the first time that it submits a
//! task to its own pool: by that number the task is known as its own, which it may run itself when it waits for it. Nothing
//! else is ever run inside a wait.
//!
//! Not here: the loop of a worker, and waiting.

use std::{
    cell::{Cell, RefCell},
    ptr,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use fearless_core::{
    fork,
    sync::Arc,
    waiter::{Ticket, Waiter},
};
use pyo3::prelude::*;

use super::Queue;
use crate::{errors, loop_queue, scope, thread};

thread_local! {
    /// The queue that the calling thread works for; compared, never followed.
    static MINE: Cell<*const Queue> = const { Cell::new(ptr::null()) };
    /// The same, to be followed; and the fork generation in which the thread became its worker.
    static WORKS_FOR: RefCell<Option<(Py<Queue>, u64)>> = const { RefCell::new(None) };
    /// The number of the run; 0 while it has none.
    static RUN: Cell<u64> = const { Cell::new(0) };
}

/// Odd numbers, so that a run is not taken for the ident of a thread.
static NEXT_RUN: AtomicU64 = AtomicU64::new(1);

/// A number for a pool. Never 0; one comes again after four billion pools.
pub(super) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    match NEXT.fetch_add(1, Ordering::Relaxed) {
        0 => NEXT.fetch_add(1, Ordering::Relaxed),
        number => number,
    }
}

/// Whether the calling thread is a worker of `queue`.
pub(super) fn works_for(queue: &Queue) -> bool {
    MINE.get() == ptr::from_ref(queue) && is_of(queue.number)
}

/// While it lives, the calling thread is a worker.
pub(super) struct Works {
    outside: (*const Queue, Option<(Py<Queue>, u64)>),
}

impl Works {
    pub(super) fn begin(queue: &Bound<'_, Queue>) -> Works {
        let works_for = Some((queue.clone().unbind(), fork::generation()));
        Works { outside: (MINE.replace(queue.get()), WORKS_FOR.replace(works_for)) }
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        MINE.set(self.outside.0);
        // Dropped outside the borrow: the last reference to a queue drops tasks.
        let ended = WORKS_FOR.replace(self.outside.1.take());
        drop(ended);
    }
}

/// Calls `run`, which makes the call of a task or of an initializer, as a run of its own.
pub(crate) fn in_a_run<R>(run: impl FnOnce() -> R) -> R {
    struct Outside(u64);
    impl Drop for Outside {
        fn drop(&mut self) {
            RUN.set(self.0);
        }
    }
    let outside = Outside(RUN.replace(0));
    let result = run();
    drop(outside);
    result
}

/// The number of the calling thread's run.
pub(super) fn run() -> u64 {
    if RUN.get() == 0 {
        RUN.set(NEXT_RUN.fetch_add(2, Ordering::Relaxed));
    }
    RUN.get()
}

/// Whether `number` is a run's.
pub(crate) fn is_run(number: u64) -> bool {
    number % 2 == 1
}

/// Whether `number` is that of the calling thread's run.
pub(crate) fn is_own(number: u64) -> bool {
    is_run(number) && RUN.get() == number
}

/// Whether the calling thread is a worker of the pool numbered `pool`.
pub(crate) fn is_of(pool: u32) -> bool {
    WORKS_FOR.with_borrow(|works_for| {
        // A worker that forked is none in the child.
        works_for.as_ref().is_some_and(|(queue, at)| queue.get().number == pool && *at == fork::generation())
    })
}

/// While it lives, the pool knows that its worker waits for one of its tasks.
pub(crate) struct Stall {
    queue: Py<Queue>,
    ticket: Ticket,
}

impl Stall {
    /// Tells the pool numbered `pool`, if the calling thread is its worker. `waiter` is enlisted with the task, or with
    /// what its end brings; the pool may refuse it, unless the wait is firm, or that of another worker.
    pub(crate) fn begin(py: Python<'_>, pool: u32, waiter: &Arc<Waiter>, is_firm: bool) -> Option<Stall> {
        if !is_of(pool) {
            return None;
        }
        let queue = WORKS_FOR.with_borrow(|works_for| works_for.as_ref().map(|(queue, _)| queue.clone_ref(py)))?;
        let (ticket, wakes) = queue.get().core.stall(waiter, thread::ident(), is_firm);
        loop_queue::wake(py, wakes);
        Some(Stall { queue, ticket })
    }

    /// The same for a wait of a thread without a timeout; the deadline of its scope bounds it, and then the pool is not told.
    pub(crate) fn unbounded(py: Python<'_>, pool: u32, waiter: &Arc<Waiter>) -> Option<Stall> {
        let is_bounded = scope::is_of_thread(|scope| scope.deadline().is_some());
        if is_bounded { None } else { Stall::begin(py, pool, waiter, false) }
    }

    /// What a call raises whose wait was refused.
    pub(crate) fn refusal(call: &str) -> PyErr {
        let text = "every worker of the pool would wait for a task of the pool, and none is left to run one";
        errors::DeadlockError::new_err(format!("{call}: {text}; give it more workers"))
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.queue.get().core.go_on(self.ticket);
    }
}
