//! `_core.Cursor` and `_core.Chunk`: a sequence handed out in ranges, over `fearless_core::par`.
//!
//! A chunk is an iterator, so that stages are chained in C around it (`map(f, chunk)`), and it is where a run stops:
//! between two items it looks at the cursor and at the scope of its thread, and now and then at signals.
//!
//! Not here: threads, stages and results; `fearless.parallel` has them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use fearless_core::{
    par::{self as core, Schedule},
    scope::Scope,
    sync::Arc,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyIndexError,
    prelude::*,
    types::{PyList, PyRange, PyTuple},
};

use crate::{scope, wait};

/// Items between two looks at what else the interpreter has to do.
const LOOK_AROUND: usize = 64;

/// Where a run over a sequence stands.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, module = "fearless._core")]
pub(crate) struct Cursor {
    core: core::Cursor,
    items: Py<PyAny>,
}

#[pymethods]
impl Cursor {
    /// Hand out `total` items of a sequence: in ranges of `chunk`, or, with `workers`, in shares that shrink to `chunk`.
    #[new]
    #[pyo3(signature = (items, total, chunk, workers=None))]
    fn new(items: Py<PyAny>, total: usize, chunk: usize, workers: Option<usize>) -> Cursor {
        let schedule = match workers {
            Some(workers) => Schedule::Guided { workers, least: chunk },
            None => Schedule::Static { size: chunk },
        };
        Cursor { core: core::Cursor::new(total, schedule), items }
    }

    /// Return the next range of items, or `None`.
    fn take(slf: &Bound<'_, Self>) -> Option<Chunk> {
        let cursor = slf.get();
        let range = cursor.core.take()?;
        Some(Chunk::new(slf, cursor.items.bind(slf.py()), 0, range.start, range.end))
    }

    /// Return a chunk of a list whose first item has the number `base` in the run.
    fn chunk(slf: &Bound<'_, Self>, items: &Bound<'_, PyList>, base: usize) -> Chunk {
        Chunk::new(slf, items.as_any(), base, 0, items.len())
    }

    /// Hand out nothing more, also of the chunks that are out.
    fn stop(&self) {
        self.core.stop();
    }

    /// Whether `stop` was called.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.is_stopped()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.items)
    }
}

/// Some items of a run, in order.
///
/// Thread safety: externally synchronized; one worker has it.
#[pyclass(frozen, module = "fearless._core")]
pub(crate) struct Chunk {
    cursor: Py<Cursor>,
    items: Items,
    /// The number in the run of the first item of `items`.
    base: usize,
    first: usize,
    next: AtomicUsize,
    end: usize,
    /// Whether somebody has asked for an item after the last.
    finished: AtomicBool,
    /// That of the worker, who took the chunk: here it costs less to ask than where the thread keeps it.
    scope: Option<Arc<Scope>>,
}

/// A sequence. Some kinds have a shorter way to their items.
enum Items {
    List(Py<PyList>),
    Tuple(Py<PyTuple>),
    Range { start: i64, step: i64 },
    Other(Py<PyAny>),
}

impl Items {
    fn of(items: &Bound<'_, PyAny>) -> Items {
        if let Ok(list) = items.cast_exact::<PyList>() {
            Items::List(list.clone().unbind())
        } else if let Ok(tuple) = items.cast_exact::<PyTuple>() {
            Items::Tuple(tuple.clone().unbind())
        } else if let Some((start, step)) = range_of(items) {
            Items::Range { start, step }
        } else {
            Items::Other(items.clone().unbind())
        }
    }

    fn get<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Items::List(list) => list.bind(py).get_item(place),
            Items::Tuple(tuple) => tuple.bind(py).get_item(place),
            Items::Range { start, step } => {
                let place = i64::try_from(place).map_err(|_| PyIndexError::new_err("range too long"))?;
                // Two that may overflow give a number of the range, which does not.
                Ok(start.wrapping_add(place.wrapping_mul(*step)).into_pyobject(py)?.into_any())
            }
            Items::Other(items) => items.bind(py).get_item(place),
        }
    }
}

/// Start and step of a `range` all of whose numbers fit 64 bits.
fn range_of(items: &Bound<'_, PyAny>) -> Option<(i64, i64)> {
    let range = items.cast_exact::<PyRange>().ok()?;
    let start = range.getattr("start").ok()?.extract().ok()?;
    let step: i64 = range.getattr("step").ok()?.extract().ok()?;
    range.getattr("stop").ok()?.extract::<i64>().ok()?;
    Some((start, step))
}

impl Chunk {
    fn new(cursor: &Bound<'_, Cursor>, items: &Bound<'_, PyAny>, base: usize, first: usize, end: usize) -> Chunk {
        let (cursor, items, next) = (cursor.clone().unbind(), Items::of(items), first.into());
        Chunk { cursor, items, base, first, next, end, finished: false.into(), scope: scope::of_thread() }
    }
}

#[pymethods]
impl Chunk {
    /// The number in the run of the first item.
    #[getter]
    fn start(&self) -> usize {
        self.base + self.first
    }

    /// The number in the run after the last item.
    #[getter]
    fn stop(&self) -> usize {
        self.base + self.end
    }

    /// The number in the run of the next item.
    #[getter]
    fn position(&self) -> usize {
        self.base + self.next.load(Ordering::Relaxed)
    }

    /// Whether it was iterated to its end.
    #[getter]
    fn finished(&self) -> bool {
        self.finished.load(Ordering::Relaxed)
    }

    /// Return the item that was handed out last.
    fn last<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let next = self.next.load(Ordering::Relaxed);
        if next == self.first {
            return Err(PyIndexError::new_err("no item of the chunk was handed out"));
        }
        self.items.get(py, next - 1)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.next.load(Ordering::Relaxed);
        if next >= self.end || self.cursor.get().core.is_stopped() {
            self.finished.store(next >= self.end, Ordering::Relaxed);
            return Ok(None);
        }
        if self.scope.as_ref().is_some_and(|scope| scope.is_stopped() || scope.deadline().is_some()) {
            wait::checkpoint(py)?;
        }
        if next.is_multiple_of(LOOK_AROUND) {
            // Stages that are written in C give Ctrl-C, and with the GIL other threads, no other chance.
            wait::look_around(py)?;
        }
        // A load and a store: the chunk is one worker's, and an atomic addition would cost more than all the rest.
        self.next.store(next + 1, Ordering::Relaxed);
        self.items.get(py, next).map(Some)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cursor)?;
        match &self.items {
            Items::List(items) => visit.call(items),
            Items::Tuple(items) => visit.call(items),
            Items::Range { .. } => Ok(()),
            Items::Other(items) => visit.call(items),
        }
    }
}
