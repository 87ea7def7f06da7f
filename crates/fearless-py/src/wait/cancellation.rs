//! What a scope has to do with waiting: the look at it on entry, its deadline, and the error of a cancelled wait.
//!
//! Not here: which scope the caller is in (`scope.rs`).

use std::time::Instant;

use fearless_core::{scope::Scope, sync::Arc};
use pyo3::prelude::*;

use super::Kind;
use crate::{errors, loop_queue, scope};

/// Raises `Cancelled` if the scope of the caller is cancelled. On entry of every cancellation point.
#[inline]
pub(crate) fn checkpoint(py: Python<'_>) -> PyResult<()> {
    if scope::may_be_inside() { look_at_scope(py) } else { Ok(()) }
}

#[inline(never)]
fn look_at_scope(py: Python<'_>) -> PyResult<()> {
    if !scope::has_tasks() && !scope::is_of_thread(is_over) {
        return Ok(());
    }
    scope::current(py)?.map_or(Ok(()), |scope| checkpoint_in(py, &scope))
}

/// Raises `Cancelled` if `scope`, that of the caller, is cancelled.
pub(crate) fn checkpoint_in(py: Python<'_>, scope: &Arc<Scope>) -> PyResult<()> {
    if !is_over(scope) {
        return Ok(());
    }
    loop_queue::send(py);
    Err(cancellation(py, Some(scope)))
}

/// Whether the scope is cancelled, expiring it first if its time has come.
fn is_over(scope: &Arc<Scope>) -> bool {
    if !scope.is_stopped() && scope.deadline().is_some() {
        expire(scope);
    }
    scope.is_stopped()
}

pub(super) fn expire(scope: &Arc<Scope>) {
    // One look at the clock: with two, a scope could be found expired just after the one around it was not.
    let now = Instant::now();
    if let Some(expired) = scope.expired(now) {
        expired.expire().wake();
    }
    // A scope that was left is out of reach of those around it; its own deadline ends it all the same.
    if !scope.is_stopped() && scope.deadline().is_some_and(|deadline| deadline <= now) {
        scope.expire().wake();
    }
}

/// The `Cancelled` of the caller's scope, which belongs to the outermost one that is cancelled.
#[cold]
pub(super) fn cancellation(py: Python<'_>, scope: Option<&Arc<Scope>>) -> PyErr {
    match scope.and_then(|scope| scope.origin()) {
        Some(origin) => errors::cancelled(py, scope::Scope::of(origin)),
        None => unreachable!("a stopped scope has a cancelled one at or above it"),
    }
}

/// The scope whose cancellation ends a wait of the caller.
pub(super) fn scope_of(py: Python<'_>, kind: Kind) -> PyResult<Option<Arc<Scope>>> {
    if kind.is_cancellable() && scope::may_be_inside() { scope::current(py) } else { Ok(None) }
}
