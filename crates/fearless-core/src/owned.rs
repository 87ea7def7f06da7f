//! A value with one owner: it can be taken out once.
//!
//! Not here: who the owner is; the bindings hand the value from one handle to the next.

use crate::sync::{self, Mutex};

/// A place that holds a value until somebody takes it.
#[derive(Debug)]
pub struct Owned<T> {
    value: Mutex<Option<T>>,
}

impl<T> Owned<T> {
    /// A place that holds `value`.
    pub fn new(value: T) -> Owned<T> {
        Owned { value: Mutex::new(Some(value)) }
    }

    /// Takes the value; `None` when it was taken before.
    pub fn take(&self) -> Option<T> {
        sync::lock(&self.value).take()
    }

    /// Puts back a value that was taken from here and could not be handed on.
    pub fn put_back(&self, value: T) {
        *sync::lock(&self.value) = Some(value);
    }

    /// Whether the value is still here.
    pub fn is_here(&self) -> bool {
        sync::lock(&self.value).is_some()
    }

    /// Calls `visit` with the value, if it is here. `visit` must not come back here.
    pub fn visit<R>(&self, visit: impl FnOnce(Option<&T>) -> R) -> R {
        visit(sync::lock(&self.value).as_ref())
    }
}
