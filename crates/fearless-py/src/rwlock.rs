//! `RwLock` over `fearless_core::rwlock`: the value it owns, poison, errors, garbage collection.
//!
//! An acquisition is a number; a guard holds the number, never the other way round. Not here: any algorithm, the guards
//! (`rwlock/guards.rs`), and the acquisitions of threads (`rwlock/acquire.rs`) and of tasks (`rwlock/awaited.rs`).

mod acquire;
mod awaited;
mod guards;
mod hold;

pub(crate) use guards::{ReadGuard, UpgradableGuard, WriteGuard};

use fearless_core::rwlock::{self as core, Prefer, Want};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::PyDict,
};

use self::{acquire::Call, hold::Hold};
use crate::{acquiring::Acquiring, cell::Cell, hooks::Hooks, poison::Poison, python, thread};

/// A lock that owns its value, for many readers or one writer; a guard gives it.
///
/// `prefer` is "fair", "readers" or "writers". Fair: readers and writers take turns, so nobody starves. The others let
/// theirs in first, and the other side may starve. Reading what one reads already, or holds in any other way, raises
/// `DeadlockError`; `guard.clone()` gives a second guard. With `poison=True` an exception that leaves a writer's block
/// poisons the lock: later attempts raise `PoisonError` until `clear_poison()`.
///
/// A guard is a value: what it gave out (an inner list, an iterator) is no longer guarded after the release. And a reader that
/// changes what it read is not stopped: a read guard refuses assignment, not what methods of the value do.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct RwLock {
    core: core::RwLock,
    /// `None` only after the collector emptied it.
    value: Cell<Option<Py<PyAny>>>,
    /// Set by writers alone.
    poison: Poison,
    /// The tasks that wait.
    hooks: Hooks,
}

#[pymethods]
impl RwLock {
    /// A lock around `value`.
    #[new]
    #[pyo3(signature = (value, *, prefer="fair", poison=false))]
    fn new(value: Py<PyAny>, prefer: &str, poison: bool) -> PyResult<RwLock> {
        let prefer = match prefer {
            "fair" => Prefer::Fair,
            "readers" => Prefer::Readers,
            "writers" => Prefer::Writers,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "prefer must be 'fair', 'readers' or 'writers', got '{prefer}'"
                )));
            }
        };
        Ok(RwLock {
            core: core::RwLock::new(prefer),
            value: Cell::new(Some(value)),
            poison: Poison::new(poison),
            hooks: Hooks::default(),
        })
    }

    /// Take the lock to read, beside other readers, and return the guard. With `poisoned=True` also a poisoned one.
    ///
    /// Blocks: until no writer holds it or comes first; not a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds, `DeadlockError` if this thread holds it in any way, `PoisonError`,
    /// `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (timeout=None, *, poisoned=false))]
    fn read(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>, poisoned: bool) -> PyResult<Py<ReadGuard>> {
        let call = Call { name: "read", want: Want::Read, poisoned };
        ReadGuard::make(slf.py(), Hold::wait(slf, call, timeout)?)
    }

    /// Take the lock to write, alone, and return the guard. With `poisoned=True` also a poisoned one.
    ///
    /// Blocks: until nobody else holds it; not a cancellation point; Ctrl-C gets through.
    /// Raises: as `read`.
    #[pyo3(signature = (timeout=None, *, poisoned=false))]
    fn write(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>, poisoned: bool) -> PyResult<Py<WriteGuard>> {
        let call = Call { name: "write", want: Want::Write, poisoned };
        WriteGuard::make(slf.py(), Hold::wait(slf, call, timeout)?)
    }

    /// Take the lock to read and perhaps, by `guard.upgrade()`, to write. One at a time, beside readers.
    ///
    /// Blocks: until no writer and no other upgradable reader holds it; not a cancellation point; Ctrl-C gets through.
    /// Raises: as `read`.
    #[pyo3(signature = (timeout=None, *, poisoned=false))]
    fn upgradable(
        slf: &Bound<'_, Self>,
        timeout: Option<&Bound<'_, PyAny>>,
        poisoned: bool,
    ) -> PyResult<Py<UpgradableGuard>> {
        let call = Call { name: "upgradable", want: Want::Upgradable, poisoned };
        UpgradableGuard::make(slf.py(), Hold::wait(slf, call, timeout)?)
    }

    /// Take the lock to read if that needs no wait: return the guard, or `None`. Compare with `is not None`.
    ///
    /// Raises: `PoisonError`.
    fn try_read(slf: &Bound<'_, Self>) -> PyResult<Option<Py<ReadGuard>>> {
        let call = Call { name: "try_read", want: Want::Read, poisoned: false };
        Hold::attempt(slf, call)?.map(|hold| ReadGuard::make(slf.py(), hold)).transpose()
    }

    /// Take the lock to write if nobody holds it: return the guard, or `None`. Compare with `is not None`.
    ///
    /// Raises: `PoisonError`.
    fn try_write(slf: &Bound<'_, Self>) -> PyResult<Option<Py<WriteGuard>>> {
        let call = Call { name: "try_write", want: Want::Write, poisoned: false };
        Hold::attempt(slf, call)?.map(|hold| WriteGuard::make(slf.py(), hold)).transpose()
    }

    /// Take the lock as `upgradable` does if that needs no wait: return the guard, or `None`. Compare with `is not None`.
    ///
    /// Raises: `PoisonError`.
    fn try_upgradable(slf: &Bound<'_, Self>) -> PyResult<Option<Py<UpgradableGuard>>> {
        let call = Call { name: "try_upgradable", want: Want::Upgradable, poisoned: false };
        Hold::attempt(slf, call)?.map(|hold| UpgradableGuard::make(slf.py(), hold)).transpose()
    }

    /// Take the lock to read as a coroutine: await it for a guard, or use it in `async with`. See `read`.
    ///
    /// The task that awaits holds the lock. Cancelled, it has taken nothing; there is no timeout, as the library has its own.
    ///
    /// Raises: `DeadlockError` if this task or its thread holds it, `PoisonError`.
    #[pyo3(signature = (*, poisoned=false))]
    fn read_async(slf: &Bound<'_, Self>, poisoned: bool) -> PyResult<Acquiring> {
        awaited::acquiring(slf, Call { name: "read_async", want: Want::Read, poisoned }, None)
    }

    /// Take the lock to write as a coroutine. See `read_async`.
    #[pyo3(signature = (*, poisoned=false))]
    fn write_async(slf: &Bound<'_, Self>, poisoned: bool) -> PyResult<Acquiring> {
        awaited::acquiring(slf, Call { name: "write_async", want: Want::Write, poisoned }, None)
    }

    /// Take the lock to read and perhaps to write, as a coroutine. See `read_async` and `upgradable`.
    #[pyo3(signature = (*, poisoned=false))]
    fn upgradable_async(slf: &Bound<'_, Self>, poisoned: bool) -> PyResult<Acquiring> {
        awaited::acquiring(slf, Call { name: "upgradable_async", want: Want::Upgradable, poisoned }, None)
    }

    /// Return `function(value)`, called as a reader.
    ///
    /// Blocks: until no writer holds it or comes first; not a cancellation point; Ctrl-C gets through.
    fn read_with(&self, py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.holding(py, "read_with", Want::Read, |value| python::call_with(function, value).map(Bound::unbind))
    }

    /// Return `function(value)`, called as the writer; store nothing.
    ///
    /// Blocks: until nobody else holds it; not a cancellation point; Ctrl-C gets through.
    fn write_with(&self, py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.holding(py, "write_with", Want::Write, |value| python::call_with(function, value).map(Bound::unbind))
    }

    /// Store `function(value)` and return it.
    ///
    /// Blocks: until nobody else holds it; not a cancellation point; Ctrl-C gets through.
    fn update(&self, py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let (new, old) = self.holding(py, "update", Want::Write, |value| {
            let new = python::call_with(function, value)?.unbind();
            let old = self.store(py, new.clone_ref(py));
            Ok((new, old))
        })?;
        drop(old);
        Ok(new)
    }

    /// Store `value` and return the one before.
    ///
    /// Blocks: until nobody else holds it; not a cancellation point; Ctrl-C gets through.
    fn replace(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        self.holding(py, "replace", Want::Write, |_| Ok(self.store(py, value)))
    }

    /// Return a shallow copy of the value (`copy.copy`), made as a reader.
    ///
    /// Blocks: until no writer holds it or comes first; not a cancellation point; Ctrl-C gets through.
    fn copy(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.holding(py, "copy", Want::Read, |value| python::copy(value).map(Bound::unbind))
    }

    /// Whether anybody reads or writes at this moment.
    fn locked(&self) -> bool {
        let standing = self.core.standing();
        standing.writer.is_some() || standing.upgradable.is_some() || standing.readers > 0
    }

    /// Whether an exception, or a fork, has left the value in doubt.
    #[getter]
    fn is_poisoned(&self) -> bool {
        self.poison.is_set() || self.core.standing().is_lost
    }

    /// Declare the value sound again; frees a lock whose writer did not survive a fork.
    fn clear_poison(&self) {
        self.poison.clear();
        self.core.heal();
    }

    /// Return counts: `reads` and `writes`, how often it was taken; `readers`, who read now; `waiting`, who are queued now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let standing = self.core.standing();
        let stats = PyDict::new(py);
        stats.set_item("reads", standing.reads)?;
        stats.set_item("writes", standing.writes)?;
        stats.set_item("readers", standing.readers + usize::from(standing.upgradable.is_some()))?;
        stats.set_item("waiting", standing.waiting)?;
        Ok(stats)
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err(
            "an RwLock cannot be pickled, as a copy would guard nothing: pickle what copy() returns",
        ))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let standing = self.core.standing();
        let poisoned = if self.is_poisoned() { "poisoned, " } else { "" };
        let readers = standing.readers + usize::from(standing.upgradable.is_some());
        let state = match standing.writer {
            Some(owner) => format!("written by {}", thread::name(py, owner.thread)),
            None if readers > 0 => format!("read by {readers}"),
            None => "unlocked".to_owned(),
        };
        format!("<RwLock {poisoned}{state}, {} waiting>", standing.waiting)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.value.visit(|value| visit.call(value))?;
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        let value = self.value.with(py, Option::take);
        drop(value);
        self.hooks.clear();
    }
}
