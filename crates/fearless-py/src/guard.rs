//! `Guard`: the value of a held `Mutex`, and what a type checker can follow of it.
//!
//! A guard is an acquisition's number. Every use compares it, so a kept guard is dead for ever once the acquisition has
//! ended, whoever ended it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fearless_core::{mutex::Number, owner::Owner};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyAttributeError, PyTypeError},
    prelude::*,
    pyclass::CompareOp,
    types::PyAnyMethods,
};

use crate::{acquiring::Entered, errors, mutex::Mutex, owner::Holder, wait::Patience};

/// What holding a `Mutex` gives: its value.
///
/// `guard.value` reads and `guard.value = x` writes. Item access, iteration, `len`, `in` and in-place operators go to the
/// value; nothing else does (`guard + 1` and `if guard:` are a `TypeError` that names `guard.value`).
///
/// Thread safety: only the thread that took the lock, or the task that awaited it, may use a guard; any thread may release
/// it.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct Guard {
    mutex: Py<Mutex>,
    /// A wait for a condition variable ends one acquisition and begins the next.
    number: AtomicU64,
    holder: Holder,
    block: Block,
}

/// What ends the acquisition, if not the guard.
pub(crate) enum Block {
    /// Nothing else.
    None,
    /// The `__exit__` of the mutex.
    With,
    /// The `__aexit__` of what was awaited.
    Async(Arc<Entered>),
}

impl Guard {
    pub(crate) fn make(mutex: &Bound<'_, Mutex>, number: Number, holder: Holder, block: Block) -> PyResult<Py<Guard>> {
        let guard = Guard { mutex: mutex.clone().unbind(), number: AtomicU64::new(number.get()), holder, block };
        // On failure (no memory) dropping the guard ends the acquisition: an error is in flight.
        Py::new(mutex.py(), guard)
    }

    /// The acquisition.
    fn number(&self) -> Number {
        Number::of(self.number.load(Ordering::Relaxed))
    }

    pub(crate) fn mutex(&self) -> &Py<Mutex> {
        &self.mutex
    }

    pub(crate) fn owner(&self) -> Owner {
        self.holder.owner
    }

    pub(crate) fn is_of_task(&self) -> bool {
        self.holder.owner.task != 0
    }

    pub(crate) fn is_held(&self) -> bool {
        self.mutex.get().is_held_by(self.number())
    }

    /// Raises: `GuardReleased` unless it is the caller's and holds the lock.
    pub(crate) fn check_held(&self, py: Python<'_>) -> PyResult<()> {
        self.check_owner(py)?;
        if self.is_held() { Ok(()) } else { Err(released()) }
    }

    /// Ends the acquisition for a wait.
    pub(crate) fn let_go(&self, py: Python<'_>) {
        self.mutex.get().release(py, self.number());
    }

    /// Takes the lock again after a wait, for the thread that holds the guard.
    pub(crate) fn lock_again(&self, py: Python<'_>, call: &str) -> PyResult<()> {
        let number = self.mutex.get().acquire(py, call, Patience::Forever, false)?;
        self.go_on(number);
        Ok(())
    }

    /// Goes on with acquisition `number`, unless the mutex was poisoned meanwhile.
    pub(crate) fn renew(&self, py: Python<'_>, call: &str, number: Number) -> PyResult<()> {
        self.go_on(self.mutex.get().refuse_poison(py, call, number, false)?);
        Ok(())
    }

    fn go_on(&self, number: Number) {
        self.number.store(number.get(), Ordering::Relaxed);
        match &self.block {
            Block::None => {}
            // Another block may have entered and left meanwhile.
            Block::With => self.mutex.get().enter(number),
            Block::Async(entered) => entered.number.store(number.get(), Ordering::Relaxed),
        }
    }

    /// Whether the acquisition has to end with the guard.
    ///
    /// `with mutex:` drops the guard before the block begins, and a block may drop its own; `__exit__` then still comes.
    /// With an exception in flight the guard may have been dropped on the way into the block, which is never entered.
    fn is_last_hope(&self) -> bool {
        matches!(self.block, Block::None) || Python::try_attach(PyErr::occurred) == Some(true)
    }

    fn check_owner(&self, py: Python<'_>) -> PyResult<()> {
        if self.holder.is_caller(py)? {
            return Ok(());
        }
        Err(errors::GuardReleased::new_err("only the thread or task that took the lock may use its guard"))
    }

    pub(crate) fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check_owner(py)?;
        self.mutex.get().get(py, self.number()).map(|value| value.into_bound(py)).ok_or_else(released)
    }

    fn set(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.check_owner(py)?;
        let displaced = self.mutex.get().set(py, self.number(), value).map_err(|_| released())?;
        drop(displaced);
        Ok(())
    }

    /// Stores what `operator.<name>(value, other)` returns.
    fn in_place(&self, other: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
        let py = other.py();
        let value = self.get(py)?;
        let new = py.import("operator")?.getattr(name)?.call1((value, other))?;
        self.set(py, new.unbind())
    }
}

fn released() -> PyErr {
    errors::GuardReleased::new_err("the guard was released")
}

fn not_forwarded(what: &str) -> PyErr {
    PyTypeError::new_err(format!("a guard has no {what}; use guard.value"))
}

#[pymethods]
impl Guard {
    /// The value that the mutex owns.
    ///
    /// Raises: `GuardReleased` after the release, and in another thread.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.get(py)
    }

    #[setter]
    fn set_value(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.set(py, value)
    }

    /// End the acquisition. Any thread may; again is harmless.
    fn release(&self, py: Python<'_>) {
        self.mutex.get().release(py, self.number());
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        if self.mutex.get().is_held_by(self.number()) {
            self.mutex.get().note(py, error);
            self.release(py);
        }
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.get(key.py())?.get_item(key)
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>) -> PyResult<()> {
        self.get(key.py())?.set_item(key, item)
    }

    fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        self.get(key.py())?.del_item(key)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.get(py)?.len()
    }

    fn __contains__(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.get(item.py())?.contains(item)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.get(py)?.try_iter()?.into_any())
    }

    fn __iadd__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "iadd")
    }

    fn __isub__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "isub")
    }

    fn __imul__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "imul")
    }

    fn __imatmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "imatmul")
    }

    fn __itruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "itruediv")
    }

    fn __ifloordiv__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "ifloordiv")
    }

    fn __imod__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "imod")
    }

    fn __ipow__(&self, other: &Bound<'_, PyAny>, modulo: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = modulo;
        self.in_place(other, "ipow")
    }

    fn __ilshift__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "ilshift")
    }

    fn __irshift__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "irshift")
    }

    fn __iand__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "iand")
    }

    fn __ior__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "ior")
    }

    fn __ixor__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
        self.in_place(other, "ixor")
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(not_forwarded("truth value"))
    }

    fn __richcmp__(&self, _other: &Bound<'_, PyAny>, _operator: CompareOp) -> PyResult<bool> {
        Err(not_forwarded("comparison"))
    }

    fn __add__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator +"))
    }

    fn __radd__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator +"))
    }

    fn __sub__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator -"))
    }

    fn __rsub__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator -"))
    }

    fn __mul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator *"))
    }

    fn __rmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator *"))
    }

    fn __matmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator @"))
    }

    fn __rmatmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator @"))
    }

    fn __truediv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator /"))
    }

    fn __rtruediv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator /"))
    }

    fn __floordiv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator //"))
    }

    fn __rfloordiv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator //"))
    }

    fn __mod__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator %"))
    }

    fn __rmod__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator %"))
    }

    fn __lshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator <<"))
    }

    fn __rlshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator <<"))
    }

    fn __rshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator >>"))
    }

    fn __rrshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator >>"))
    }

    fn __and__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator &"))
    }

    fn __rand__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator &"))
    }

    fn __or__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator |"))
    }

    fn __ror__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator |"))
    }

    fn __xor__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator ^"))
    }

    fn __rxor__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator ^"))
    }

    fn __pow__(&self, _other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator **"))
    }

    fn __rpow__(&self, _other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator **"))
    }

    fn __neg__(&self) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("operator -"))
    }

    fn __int__(&self) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("integer value"))
    }

    fn __float__(&self) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("float value"))
    }

    #[pyo3(signature = (*_arguments, **_keywords))]
    fn __call__(&self, _arguments: &Bound<'_, PyAny>, _keywords: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        Err(not_forwarded("call"))
    }

    fn __getattr__(&self, name: &str) -> PyResult<Py<PyAny>> {
        Err(PyAttributeError::new_err(format!("a guard has no attribute '{name}'; use guard.value.{name}")))
    }

    fn __hash__(slf: &Bound<'_, Self>) -> isize {
        slf.as_ptr().addr().cast_signed() >> 4
    }

    fn __repr__(&self) -> &'static str {
        if self.mutex.get().is_held_by(self.number()) { "<Guard held>" } else { "<Guard released>" }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.mutex)?;
        self.holder.traverse(&visit)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nearly always it has been released: a look is cheaper than an attempt.
        let mutex = self.mutex.get();
        if mutex.is_held_by(self.number()) && self.is_last_hope() && mutex.release_in_drop(self.number()) {
            errors::warn_dropped(c"a Guard was dropped without release(), which freed its mutex; use `with`");
        }
    }
}
