//! `LockAll`: several mutexes for one block, always taken in the order of their addresses.
//!
//! Not here: one mutex (`mutex.rs`), and how a task takes them one after the other (`_lock_all.py`).

use fearless_core::mutex::Number;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    prelude::*,
    types::PyTuple,
};

use crate::{
    acquiring::Done,
    cell::Cell,
    errors,
    forwarding::Guards,
    guard::{Block, Guard},
    kept::Kept,
    mutex::Mutex,
    owner::Holder,
    thread,
    wait::Patience,
};

const CALL: &str = "lock_all";

/// What `lock_all` returns: a block to enter, once or again and again.
///
/// Thread safety: internally synchronized; each block belongs to who entered it.
#[pyclass(frozen, generic, module = "fearless.mutexes")]
pub(crate) struct LockAll {
    mutexes: Vec<Py<Mutex>>,
    /// Their places, by address: the order of the taking, the same for every caller.
    order: Vec<usize>,
    timeout: Option<Py<PyAny>>,
    /// The blocks that are entered, oldest first.
    blocks: Cell<Vec<Entered>>,
}

/// A block that somebody has entered, with the guards that end with it, in the order of the arguments.
struct Entered {
    holder: Holder,
    guards: Py<PyTuple>,
}

/// What was taken so far. Dropped, it is released. Not by a guard: nothing was done to the values, so nothing is poisoned.
struct Taken<'a, 'py> {
    py: Python<'py>,
    mutexes: &'a [Py<Mutex>],
    numbers: Vec<(usize, Number)>,
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        while let Some((place, number)) = self.numbers.pop() {
            self.mutexes[place].get().release(self.py, number);
        }
    }
}

impl<'py> Taken<'_, 'py> {
    fn take(&mut self, place: usize, patience: Patience) -> PyResult<()> {
        let taken = self.mutexes[place].get().acquire(self.py, CALL, thread::owner(), patience, false);
        let number = taken.map_err(|error| {
            if !errors::Timeout::is(self.py, &error) {
                return error;
            }
            let late = errors::timeout(CALL, &format!("mutex {place} was not released"));
            late.set_cause(self.py, Some(error));
            late
        })?;
        self.numbers.push((place, number));
        Ok(())
    }

    /// Their guards, in the order of the arguments.
    fn into_guards(mut self) -> PyResult<Bound<'py, PyTuple>> {
        let numbers = &mut self.numbers;
        numbers.sort_unstable_by_key(|&(place, _)| std::cmp::Reverse(place));
        let mut guards = Vec::with_capacity(self.mutexes.len());
        while let Some((place, number)) = self.numbers.pop() {
            guards.push(Guard::make(self.mutexes[place].bind(self.py), number, Holder::thread(), Block::None)?);
        }
        PyTuple::new(self.py, guards)
    }
}

impl LockAll {
    fn enter(&self, guards: &Bound<'_, PyTuple>, holder: Holder) {
        let entered = Entered { holder, guards: guards.clone().unbind() };
        self.blocks.with(guards.py(), |blocks| blocks.push(entered));
    }

    /// The caller's innermost block, which it leaves.
    ///
    /// Another's can be there too, once somebody has released a guard early or waits for a condition variable. A block that
    /// is left elsewhere than it was entered, as that of an async generator may be, is the latest.
    fn leave(&self, py: Python<'_>) -> PyResult<Option<Entered>> {
        let only = self.blocks.with(py, |blocks| if blocks.len() > 1 { None } else { blocks.pop() });
        if only.is_some() {
            return Ok(only);
        }
        let me = Holder::caller(py)?.owner;
        Ok(self.blocks.with(py, |blocks| {
            let own = blocks.iter().rposition(|block| block.holder.owner == me);
            own.or(blocks.len().checked_sub(1)).map(|place| blocks.remove(place))
        }))
    }
}

#[pymethods]
impl LockAll {
    #[new]
    #[pyo3(signature = (mutexes, timeout=None))]
    fn new(mutexes: &Bound<'_, PyTuple>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<LockAll> {
        let mut found = Vec::with_capacity(mutexes.len());
        for mutex in mutexes.iter() {
            let Ok(mutex) = mutex.cast::<Mutex>() else {
                return Err(PyTypeError::new_err(format!("lock_all takes mutexes, got {}", mutex.repr()?)));
            };
            found.push(mutex.clone().unbind());
        }
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|&place| found[place].as_ptr().addr());
        if let Some(twice) = order.windows(2).find(|pair| found[pair[0]].is(&found[pair[1]])) {
            return Err(PyValueError::new_err(format!(
                "lock_all must get each mutex once, got the same as arguments {} and {}",
                twice[0], twice[1]
            )));
        }
        Patience::from_timeout(timeout)?;
        let timeout = timeout.map(|timeout| timeout.clone().unbind());
        Ok(LockAll { mutexes: found, order, timeout, blocks: Cell::new(Vec::new()) })
    }

    /// Take all mutexes.
    ///
    /// Blocks: until all are free; not a cancellation point; Ctrl-C gets through.
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let patience = Patience::from_timeout(self.timeout.as_ref().map(|timeout| timeout.bind(py)))?;
        let holder = Holder::caller(py)?;
        let mut taken = Taken { py, mutexes: &self.mutexes, numbers: Vec::with_capacity(self.mutexes.len()) };
        for &place in &self.order {
            taken.take(place, patience)?;
        }
        let guards = taken.into_guards()?;
        self.enter(&guards, holder);
        Ok(guards)
    }

    /// Release all.
    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = error.py();
        let Some(block) = self.leave(py)? else {
            return Err(PyRuntimeError::new_err("lock_all: a block was left that nobody has entered"));
        };
        for guard in block.guards.bind(py).iter().rev() {
            guard.cast::<Guard>()?.get().leave(error);
        }
        Ok(())
    }

    /// Take all mutexes for this task.
    fn __aenter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        static ENTER: Kept<PyAny> = Kept::new();
        let py = slf.py();
        ENTER.get(py, || crate::python::import(py, "fearless._lock_all")?.getattr("enter"))?.call1((slf,))
    }

    /// Release all.
    fn __aexit__(
        &self,
        kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        traceback: &Bound<'_, PyAny>,
    ) -> PyResult<Done> {
        self.__exit__(kind, error, traceback)?;
        Ok(Done)
    }

    /// The mutexes in the order of the taking, each with its place among the arguments.
    fn _in_turn(&self, py: Python<'_>) -> Vec<(usize, Py<Mutex>)> {
        self.order.iter().map(|&place| (place, self.mutexes[place].clone_ref(py))).collect()
    }

    /// Says that the calling task has entered a block with `guards`.
    fn _enter(&self, guards: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.enter(guards, Holder::caller(guards.py())?);
        Ok(())
    }

    /// Takes back what `_enter` said, if it did.
    fn _forget(&self, guards: &Bound<'_, PyTuple>) {
        let block = self.blocks.with(guards.py(), |blocks| {
            let place = blocks.iter().position(|block| block.guards.is(guards))?;
            Some(blocks.remove(place))
        });
        drop(block);
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let reprs: PyResult<Vec<String>> = self.mutexes.iter().map(|mutex| mutex.bind(py).repr()?.extract()).collect();
        Ok(format!("lock_all({})", reprs?.join(", ")))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.timeout)?;
        self.mutexes.iter().try_for_each(|mutex| visit.call(mutex))?;
        self.blocks.visit(|blocks| {
            blocks.iter().try_for_each(|block| {
                visit.call(&block.guards)?;
                block.holder.traverse(&visit)
            })
        })
    }

    fn __clear__(&self, py: Python<'_>) {
        let blocks = self.blocks.with(py, std::mem::take);
        drop(blocks);
    }
}
