//! What selects and coroutines wait for beside channels and timers: an operation of the core on an object of ours.
//!
//! A type brings a `fearless_core::select::Source` over [`Of`] itself, and says in [`Gives`] what the call returns. Not here:
//! the choice among operations, and any waiting.

use std::ops::Deref;

use fearless_core::{select, sync::Arc, waiter::Waiter};
use pyo3::{PyClass, PyTraverseError, PyVisit, prelude::*, pyclass::boolean_struct::True};

use crate::hooks::Hooks;

/// A class around an object of the core that is waited for.
pub(crate) trait Object: PyClass<Frozen = True> + Sync {
    /// The object of the core.
    type Core;

    fn core(&self) -> &Self::Core;

    /// Where waiting coroutines are kept.
    fn hooks(&self) -> &Hooks;
}

/// Keeps an object for an operation of the core.
pub(crate) struct Of<T>(Py<T>);

impl<T: Object> Of<T> {
    pub(crate) fn new(object: &Bound<'_, T>) -> Of<T> {
        Of(object.clone().unbind())
    }

    pub(crate) fn get(&self) -> &T {
        self.0.get()
    }

    pub(crate) fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, T> {
        self.0.bind(py)
    }
}

impl<T: Object> Deref for Of<T> {
    type Target = T::Core;

    fn deref(&self) -> &T::Core {
        self.0.get().core()
    }
}

/// What an operation brings to the bindings.
pub(crate) trait Gives: select::Source + Send + Sync {
    type Object: Object;

    /// Where it keeps its object.
    fn holder(&self) -> &Of<Self::Object>;

    /// Whether a cancelled scope ends the wait.
    fn is_point(&self) -> bool {
        true
    }

    /// Called once, by the task that awaits, before the first attempt.
    fn begin(&mut self, _py: Python<'_>) -> PyResult<()> {
        Ok(())
    }

    /// What the call returns or raises, once the operation went ahead.
    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>>;

    /// Shows the references that it holds beside its object.
    fn traverse(&self, _visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        Ok(())
    }
}

/// An operation of any kind, for `source.rs`.
pub(crate) trait Waiting: select::Source + Send + Sync {
    /// What tells its object from others.
    fn address(&self) -> usize;
    /// See [`Gives::is_point`].
    fn is_point(&self) -> bool;
    /// See [`Gives::begin`].
    fn begin(&mut self, py: Python<'_>) -> PyResult<()>;
    /// See [`Gives::outcome`].
    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>>;
    /// Lets the object keep `hook` while the operation waits there; gives back the hook before.
    fn set_hook(&mut self, hook: Option<Py<PyAny>>) -> Option<Py<PyAny>>;
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}

/// An operation together with the hook that keeps its coroutine alive.
pub(crate) struct Waits<S> {
    source: S,
    /// While it is not with the object.
    hook: Option<Py<PyAny>>,
    /// Its key, while it is.
    kept: Option<usize>,
}

impl<S: Gives + 'static> Waits<S> {
    pub(crate) fn boxed(source: S) -> Box<dyn Waiting> {
        Box::new(Waits { source, hook: None, kept: None })
    }
}

impl<S: Gives> Waits<S> {
    fn take_hook(&mut self) {
        if let Some(key) = self.kept.take() {
            self.hook = self.source.holder().get().hooks().take(key);
        }
    }
}

impl<S: Gives> select::Source for Waits<S> {
    fn attempt(&mut self) -> bool {
        self.source.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let waits = self.source.enlist(waiter, operation);
        if waits && let Some(hook) = self.hook.take() {
            self.kept = Some(self.source.holder().get().hooks().keep(hook));
        }
        waits
    }

    fn act(&mut self) -> bool {
        self.take_hook();
        self.source.act()
    }

    fn withdraw(&mut self) -> bool {
        self.take_hook();
        self.source.withdraw()
    }
}

impl<S: Gives> Waiting for Waits<S> {
    fn address(&self) -> usize {
        std::ptr::from_ref(self.source.holder().get()).addr()
    }

    fn is_point(&self) -> bool {
        self.source.is_point()
    }

    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        self.source.begin(py)
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.source.outcome(py)
    }

    fn set_hook(&mut self, hook: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        std::mem::replace(&mut self.hook, hook)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source.holder().0)?;
        visit.call(&self.hook)?;
        self.source.traverse(visit)
    }
}
