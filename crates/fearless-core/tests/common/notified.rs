//! Calls that wait as coroutines do, each in a thread of the model that stands for its loop.

#![allow(dead_code, reason = "not every model uses all")]

use fearless_core::{
    select::{Select, Source, Standing},
    sync::Arc,
    waiter::{Notice, Waiter},
};

/// An event loop with one task.
#[derive(Debug)]
struct Loop(Arc<loom::sync::Notify>);

impl Notice for Loop {
    fn claimed(&self) {
        self.0.notify();
    }
}

/// A waiter for a coroutine, and what its loop sleeps on.
pub(crate) fn waiter() -> (Arc<Waiter>, Arc<loom::sync::Notify>) {
    let wake = Arc::new(loom::sync::Notify::new());
    (Waiter::for_loop(Box::new(Loop(Arc::clone(&wake)))), wake)
}

/// Waits until the operation has gone ahead.
pub(crate) fn run<S: Source>(source: S) -> S {
    go_ahead(source, || {
        let (waiter, wake) = waiter();
        (waiter, Some(wake))
    })
}

/// The same as a select of a thread.
pub(crate) fn select<S: Source>(source: S) -> S {
    go_ahead(source, || (Waiter::for_select(), None))
}

fn go_ahead<S: Source>(source: S, waiter: impl Fn() -> (Arc<Waiter>, Option<Arc<loom::sync::Notify>>)) -> S {
    let (mut select, mut sources) = (Select::default(), [source]);
    loop {
        if select.attempt(&mut sources, || 0).is_some() {
            break;
        }
        let (waiter, wake) = waiter();
        let mut standing = select.start(&mut sources, &waiter);
        if standing == Standing::Wait {
            while waiter.claimed().is_none() {
                match &wake {
                    Some(wake) => wake.wait(),
                    None => drop(waiter.wait(None)),
                }
            }
            standing = select.finish(&mut sources, &waiter);
        }
        match standing {
            Standing::Done(_) => break,
            Standing::Again => {}
            Standing::GaveUp | Standing::Wait => panic!("{standing:?}"),
        }
    }
    let [source] = sources;
    source
}

/// Waits once, and is cancelled in the turn in which it is woken; false when it need not wait.
pub(crate) fn is_cancelled_when_woken<S: Source>(source: S) -> (bool, S) {
    let (waiter, wake) = waiter();
    let (mut select, mut sources) = (Select::default(), [source]);
    let waits = sources[0].enlist(&waiter, 0);
    if waits {
        while waiter.claimed().is_none() {
            wake.wait();
        }
        assert_eq!(select.abandon(&mut sources, &waiter), None, "who is only told has done nothing");
    }
    let [source] = sources;
    (waits, source)
}
