//! Which scopes a thread is in, from the outside in.
//!
//! Blocks need not end in the reverse order: a generator that waits in the middle of one may end after the block that it was
//! begun in, or on another thread. So a scope is taken out wherever it stands, and one that was left elsewhere is passed
//! over by the thread that finds it last in its list.
//!
//! Not here: the scopes of tasks of an event loop (`scope.rs`).

use std::{
    cell::{Cell, RefCell},
    mem,
};

use fearless_core::{scope::Scope, sync::Arc};

/// A scope that the thread is in.
pub(super) struct Place {
    scope: Arc<Scope>,
    /// As its block runs here. The thread of a task stays in the scope of that task until the task ends, also when the
    /// scope was left by force.
    is_block: bool,
}

impl Place {
    fn was_left(&self) -> bool {
        self.is_block && self.scope.is_left()
    }
}

thread_local! {
    static INSIDE: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
    /// Whether tasks of a loop on this thread may have scopes.
    static HAS_TASKS: Cell<bool> = const { Cell::new(false) };
    /// Whether `INSIDE` holds any or `HAS_TASKS` is set: every send and receive asks, and most threads have neither.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller may be in a scope; false nearly always.
#[inline]
pub(crate) fn may_be_inside() -> bool {
    IS_INSIDE.get()
}

/// Changes the list, and says what came of it. What `change` takes out it has to return: nothing is dropped in here.
fn change<R>(change: impl FnOnce(&mut Vec<Place>) -> R) -> Option<R> {
    INSIDE
        .try_with(|inside| {
            let mut inside = inside.borrow_mut();
            let changed = change(&mut inside);
            IS_INSIDE.set(!inside.is_empty() || HAS_TASKS.get());
            changed
        })
        .ok()
}

/// Whether `look` is true of the innermost scope of the calling thread, which may have been left elsewhere. `look` must not
/// run Python. Borrows rather than clones: all threads of a scope would meet on its reference count.
pub(crate) fn is_of_thread(look: impl FnOnce(&Arc<Scope>) -> bool) -> bool {
    INSIDE.try_with(|inside| inside.borrow().last().is_some_and(|place| look(&place.scope))).unwrap_or(false)
}

/// The scope of the calling thread.
pub(crate) fn of_thread() -> Option<Arc<Scope>> {
    let (innermost, left) = change(|inside| {
        let open = inside.iter().rposition(|place| !place.was_left());
        let left = inside.split_off(open.map_or(0, |place| place + 1));
        (inside.last().map(|place| Arc::clone(&place.scope)), left)
    })?;
    drop(left);
    innermost
}

/// Puts the calling thread into `scope`, which is inside the one that it is in.
pub(super) fn put_in(scope: Arc<Scope>) {
    change(|inside| inside.push(Place { scope, is_block: true }));
}

/// Takes the calling thread out of `scope`, if it is in it, and out of those inside that were stopped: their cancellation may
/// be that of `scope`, and would now meet nobody to end at. Returns what is to be dropped.
pub(super) fn take_out(scope: &Arc<Scope>) -> Vec<Place> {
    let taken = change(|inside| {
        let Some(place) = inside.iter().rposition(|place| Arc::ptr_eq(&place.scope, scope)) else { return Vec::new() };
        let (mut taken, open): (Vec<_>, Vec<_>) =
            inside.split_off(place + 1).into_iter().partition(|place| place.scope.is_stopped());
        taken.extend(inside.pop());
        inside.extend(open);
        taken
    });
    taken.unwrap_or_default()
}

/// Whether tasks on this thread may have scopes.
pub(crate) fn has_tasks() -> bool {
    HAS_TASKS.get()
}

pub(super) fn put_has_tasks(has_tasks: bool) {
    HAS_TASKS.set(has_tasks);
    change(|_| ());
}

/// While it lives, the calling thread is in the given scope alone, and not in that of a task that may run below.
pub(crate) struct Entered {
    outside: Vec<Place>,
    had_tasks: bool,
}

impl Entered {
    /// `None` is outside every scope.
    pub(crate) fn enter(scope: Option<Arc<Scope>>) -> Entered {
        let had_tasks = HAS_TASKS.replace(false);
        let inside = scope.into_iter().map(|scope| Place { scope, is_block: false }).collect();
        Entered { outside: change(|scopes| mem::replace(scopes, inside)).unwrap_or_default(), had_tasks }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        HAS_TASKS.set(self.had_tasks);
        let outside = mem::take(&mut self.outside);
        drop(change(|scopes| mem::replace(scopes, outside)));
    }
}
