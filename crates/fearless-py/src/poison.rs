//! Poison: that an error left the value of a lock in doubt. The first error is kept as text, so that nothing else of it is.
//!
//! Not here: when a lock refuses for it.

use std::sync::Mutex;

use fearless_core::sync;
use pyo3::prelude::*;

use crate::{errors, thread};

/// The poison of one lock, if it was made to have any.
pub(crate) struct Poison(Option<Box<Mutex<Option<String>>>>);

impl Poison {
    pub(crate) fn new(is_on: bool) -> Poison {
        Poison(is_on.then(Box::default))
    }

    /// Poisons if `error`, which is leaving a block, is one and not `None`.
    pub(crate) fn note(&self, py: Python<'_>, error: &Bound<'_, PyAny>) {
        if let Some(first) = &self.0
            && !error.is_none()
        {
            let thread = thread::name(py, thread::ident());
            let text =
                format!("{} in {thread}", error.repr().map_or("an exception".to_owned(), |text| text.to_string()));
            sync::lock(first).get_or_insert(text);
        }
    }

    /// The error of `call`, which found a `lock` that is poisoned.
    pub(crate) fn refusal(&self, call: &str, lock: &str) -> Option<PyErr> {
        let first = sync::lock(self.0.as_ref()?).clone()?;
        Some(errors::PoisonError::new_err(format!(
            "{call}: the {lock} was poisoned by {first}; clear_poison() heals it"
        )))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.as_ref().is_some_and(|first| sync::lock(first).is_some())
    }

    pub(crate) fn clear(&self) {
        if let Some(first) = &self.0 {
            *sync::lock(first) = None;
        }
    }
}
