//! The guards of a `RwLock`: what each lets do with the value, and what it can become.
//!
//! Not here: the acquisition behind a guard (`hold.rs`), and what guards forward (`forwarding.rs`).

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyAttributeError, PyTypeError},
    prelude::*,
};

use super::{awaited, hold::Hold};
use crate::{
    acquiring::Acquiring,
    forwarding::{Guards, guard_methods},
    wait::Patience,
};

/// What reading a `RwLock` gives: its value, beside other readers.
///
/// `guard.value` reads. Item access, iteration, `len` and `in` go to the value; whatever would change it is refused.
///
/// Thread safety: only the thread that took the lock, or the task that awaited it, may use a guard; any thread may release
/// it.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct ReadGuard {
    hold: Hold,
}

/// What reading a `RwLock` gives to one who may write later: its value, beside readers.
///
/// As a `ReadGuard`; `upgrade()` lets it write.
///
/// Thread safety: only the thread that took the lock, or the task that awaited it, may use a guard; any thread may release
/// it.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct UpgradableGuard {
    hold: Hold,
}

/// What writing a `RwLock` gives: its value, alone.
///
/// `guard.value` reads and `guard.value = x` writes. Item access, iteration, `len`, `in` and in-place operators go to the
/// value; nothing else does (`guard + 1` and `if guard:` are a `TypeError` that names `guard.value`).
///
/// Thread safety: only the thread that took the lock, or the task that awaited it, may use a guard; any thread may release
/// it.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct WriteGuard {
    hold: Hold,
}

/// What is the same for all three.
macro_rules! made_of_a_hold {
    ($guard:ident) => {
        impl $guard {
            pub(super) fn make(py: Python<'_>, hold: Hold) -> PyResult<Py<$guard>> {
                // On failure (no memory) dropping the hold ends the acquisition.
                Py::new(py, $guard { hold })
            }

            pub(super) fn hold(&self) -> &Hold {
                &self.hold
            }
        }
    };
}

/// What a guard passes on to its hold.
macro_rules! by_the_hold {
    () => {
        fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            self.hold.get(py)
        }

        fn is_held(&self) -> bool {
            self.hold.number().is_some()
        }

        fn end(&self, py: Python<'_>) {
            self.hold.end(py);
        }

        fn leave(&self, error: &Bound<'_, PyAny>) {
            self.hold.leave(error);
        }

        fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
            self.hold.traverse(visit)
        }
    };
}

/// How a guard that only reads refuses what would change the value; `hint` says what to do instead.
macro_rules! refusing_changes {
    ($hint:literal) => {
        fn to_change<'py>(&self, _py: Python<'py>, what: &str) -> PyResult<Bound<'py, PyAny>> {
            Err(PyTypeError::new_err(format!("a {} refuses {what}; {}", Self::NAME, $hint)))
        }

        fn set(&self, _py: Python<'_>, _value: Py<PyAny>) -> PyResult<()> {
            Err(PyAttributeError::new_err(format!("a {} refuses assignment; {}", Self::NAME, $hint)))
        }
    };
}

made_of_a_hold!(ReadGuard);
made_of_a_hold!(UpgradableGuard);
made_of_a_hold!(WriteGuard);

impl Guards for ReadGuard {
    const NAME: &'static str = "ReadGuard";
    by_the_hold!();
    refusing_changes!("take write() to change the value");
}

impl Guards for UpgradableGuard {
    const NAME: &'static str = "UpgradableGuard";
    by_the_hold!();
    refusing_changes!("upgrade() it, or take write(), to change the value");
}

impl Guards for WriteGuard {
    const NAME: &'static str = "WriteGuard";
    by_the_hold!();

    fn set(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.hold.set(py, value)
    }
}

guard_methods!(ReadGuard {
    /// Return a second guard for the same owner. Never waits, also when a writer does.
    ///
    /// Raises: `GuardReleased`.
    fn clone(&self, py: Python<'_>) -> PyResult<Py<ReadGuard>> {
        ReadGuard::make(py, self.hold.duplicate(py)?)
    }
});

guard_methods!(UpgradableGuard {
    /// Wait for the readers to leave, and return a guard that writes. It takes the place of this one, whose use is over.
    /// New readers are kept out meanwhile. When it fails this guard stays as it was.
    ///
    /// Blocks: until nobody reads beside it; not a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds, `DeadlockError` if it was upgraded already or its thread also reads,
    /// `GuardReleased`, `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (timeout=None))]
    fn upgrade(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<WriteGuard>> {
        WriteGuard::make(py, self.hold.upgrade(py, Patience::from_timeout(timeout)?)?)
    }

    /// Return a guard that writes, in place of this one, if nobody reads beside it; or `None`.
    ///
    /// Raises: `GuardReleased`.
    fn try_upgrade(&self, py: Python<'_>) -> PyResult<Option<Py<WriteGuard>>> {
        self.hold.try_upgrade(py)?.map(|hold| WriteGuard::make(py, hold)).transpose()
    }

    /// Upgrade as a coroutine: await it for the guard, or use it in `async with`. See `upgrade`.
    fn upgrade_async(slf: &Bound<'_, Self>) -> PyResult<Acquiring> {
        awaited::upgrading(slf)
    }

    /// Return a guard that reads, in place of this one: it can no longer be upgraded, so another may come to be.
    ///
    /// Raises: `GuardReleased`.
    fn downgrade(&self, py: Python<'_>) -> PyResult<Py<ReadGuard>> {
        ReadGuard::make(py, self.hold.downgrade(py)?)
    }
});

guard_methods!(WriteGuard {
    /// Return a guard that reads, in place of this one. Readers that wait come in; no writer comes between.
    ///
    /// Raises: `GuardReleased`.
    fn downgrade(&self, py: Python<'_>) -> PyResult<Py<ReadGuard>> {
        ReadGuard::make(py, self.hold.downgrade(py)?)
    }
});
