//! Which threads are blocked now, and in what: for tests that may go on only when a thread waits.
//!
//! The door notes a thread just before it sleeps, with the waiter it sleeps on, so that a thread whose wait was won but
//! which has not run yet does not count. Each thread has a place of its own, so those that wait do not meet here; a lock
//! of a place is held for a few instructions, attached. In the child of a fork every thread takes a new place: a lock may
//! have been held at the fork, and places of threads that are gone are given away again.
//!
//! Not here: waiting for a thread to block (`fearless/testing.py`).

use std::{
    cell::Cell,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
};

use fearless_core::{fork, sync::Arc, waiter::Waiter};
use pyo3::prelude::*;

use crate::{
    thread,
    wait::{KINDS, Kind},
};

/// Threads that can be seen at a time; what others do is not noted.
const PLACES: usize = 4096;

struct Place(Mutex<State>);

struct State {
    /// Whose place it is; 0 while it is nobody's.
    ident: u64,
    /// The fork generation in which it was taken.
    generation: u64,
    wait: Option<Wait>,
}

/// What a thread sleeps on.
type Wait = (Kind, Arc<Waiter>);

static TABLE: [Place; PLACES] = [const { Place(Mutex::new(State { ident: 0, generation: 0, wait: None })) }; PLACES];
/// No place beyond was ever taken.
static USED: AtomicUsize = AtomicUsize::new(0);

impl Place {
    /// Its state, unless somebody holds it at the moment, or held it at a fork.
    fn peek(&self) -> Option<MutexGuard<'_, State>> {
        match self.0.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(broken)) => Some(broken.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Sets what the owner waits for; gives back what it waited for before. Only readers compete, for a few instructions.
    fn note(&self, wait: Option<Wait>) -> Option<Wait> {
        mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).wait, wait)
    }
}

/// The place of the calling thread, given back when the thread ends.
struct Own(Cell<Option<(&'static Place, u64)>>);

thread_local! {
    static OWN: Own = const { Own(Cell::new(None)) };
}

impl Own {
    fn place(&self) -> Option<&'static Place> {
        let generation = fork::generation();
        if let Some((place, taken)) = self.0.get()
            && taken == generation
        {
            return Some(place);
        }
        let place = take_place(thread::ident(), generation)?;
        self.0.set(Some((place, generation)));
        Some(place)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some((place, taken)) = self.0.get()
            && taken == fork::generation()
            && let Some(mut state) = place.peek()
        {
            state.ident = 0;
        }
    }
}

fn take_place(ident: u64, generation: u64) -> Option<&'static Place> {
    for (number, place) in TABLE.iter().enumerate() {
        let Some(mut state) = place.peek() else { continue };
        // A place of this very thread from before a fork, or from a life before with the same ident, will do.
        if state.ident == 0 || state.ident == ident || state.generation != generation {
            *state = State { ident, generation, wait: None };
            USED.fetch_max(number + 1, Ordering::Relaxed);
            return Some(place);
        }
    }
    None
}

/// The note that the calling thread is blocked, taken back when this is dropped.
pub(crate) struct Noted {
    place: Option<&'static Place>,
    /// The wait in the middle of which a signal handler waits.
    outer: Option<Wait>,
}

/// Notes that the calling thread goes to sleep on `waiter`. Called attached.
pub(crate) fn note(kind: Kind, waiter: &Arc<Waiter>) -> Noted {
    // A thread that is being taken down has no place any more.
    let place = OWN.try_with(Own::place).ok().flatten();
    let outer = place.and_then(|place| place.note(Some((kind, waiter.clone()))));
    Noted { place, outer }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            drop(place.note(self.outer.take()));
        }
    }
}

/// Return what the thread `ident` is blocked in, as a word; `None` if it does not wait in a call of ours.
#[pyfunction]
pub(crate) fn blocked_in(ident: u64) -> Option<&'static str> {
    let generation = fork::generation();
    TABLE[..USED.load(Ordering::Relaxed)].iter().find_map(|place| {
        let state = place.peek()?;
        if state.ident != ident || state.generation != generation {
            return None;
        }
        let (kind, waiter) = state.wait.as_ref()?;
        waiter.claimed().is_none().then(|| KINDS[*kind as usize].1)
    })
}
