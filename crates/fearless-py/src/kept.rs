//! Objects that are made once and kept, without a lock that a fork could leave locked.
//!
//! PyO3's own once-cell detaches before it runs its initializer, so another thread can fork while the cell is half
//! made; in the child whoever needs it waits for ever. Here the object is made first, by whoever comes, and put in its
//! place afterwards in one step that cannot be interrupted; of two that race, one is dropped. Not here: what is kept.

use std::sync::OnceLock;

use pyo3::prelude::*;

/// A place for one object.
pub(crate) struct Kept<T> {
    place: OnceLock<Py<T>>,
}

impl<T> Kept<T> {
    pub(crate) const fn new() -> Kept<T> {
        Kept { place: OnceLock::new() }
    }

    /// The object, if it was made.
    pub(crate) fn made<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, T>> {
        self.place.get().map(|kept| kept.bind(py))
    }

    /// The object; made by `make` if it is the first time.
    pub(crate) fn get<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, T>>,
    ) -> PyResult<&Bound<'py, T>> {
        if let Some(kept) = self.made(py) {
            return Ok(kept);
        }
        let made = make()?.unbind();
        Ok(self.place.get_or_init(|| made).bind(py))
    }
}

/// A name as an interned string, made once.
macro_rules! name {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::kept::Kept<pyo3::types::PyString> = $crate::kept::Kept::new();
        NAME.get($py, || Ok(pyo3::types::PyString::intern($py, $text)))
    }};
}
pub(crate) use name;
