//! `Owned` over `fearless_core::owned`: a value that is handed from one owner to the next.
//!
//! Handing on makes a new handle and leaves the old one empty, so that whoever kept it finds out. Not here: who hands on;
//! `send`, `select`, and the calls of tasks do.

use fearless_core::owned;
use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyTuple};

use crate::{cell::Cell, errors, kept::Kept};

/// A value with one owner. Handing it on leaves this handle without it.
///
/// `send`, `spawn`, `submit` and `move` hand it on: the receiver gets a handle of its own, and this one raises `MovedError`
/// from then on. `take` unwraps the value. Nothing stops Python code from keeping a second reference to the value itself.
///
/// Thread safety: internally synchronized; of two threads that hand it on at once, one gets `MovedError`.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Owned {
    value: owned::Owned<Py<PyAny>>,
    /// Where it was handed on, if Python traces allocations.
    place: Cell<Option<String>>,
}

#[pymethods]
impl Owned {
    /// Own `value`.
    #[new]
    fn new(value: Py<PyAny>) -> Owned {
        Owned { value: owned::Owned::new(value), place: Cell::new(None) }
    }

    /// Return the value, which belongs to nobody's handle after it.
    ///
    /// Raises: `MovedError` if it was handed on or taken.
    fn take(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let value = self.value.take().ok_or_else(|| self.refusal(py, "take"))?;
        self.remember(py);
        Ok(value)
    }

    /// Hand the value on: return a new handle, after which this one raises `MovedError`.
    #[pyo3(name = "move")]
    fn move_(&self, py: Python<'_>) -> PyResult<Owned> {
        self.hand_on(py, "move")
    }

    /// Whether the value was handed on or taken.
    #[getter]
    fn is_moved(&self) -> bool {
        !self.value.is_here()
    }

    fn __repr__(&self) -> &'static str {
        if self.value.is_here() { "<Owned>" } else { "<Owned moved>" }
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(pyo3::exceptions::PyTypeError::new_err(
            "an Owned cannot be pickled, as its copy would be a second owner: pickle what take() returns",
        ))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.value.visit(|value| value.map_or(Ok(()), |value| visit.call(value)))
    }

    fn __clear__(&self) {
        drop(self.value.take());
    }
}

impl Owned {
    /// The handle of the next owner.
    pub(crate) fn hand_on(&self, py: Python<'_>, call: &str) -> PyResult<Owned> {
        let value = self.value.take().ok_or_else(|| self.refusal(py, call))?;
        self.remember(py);
        Ok(Owned::new(value))
    }

    /// Takes the value back from `next`, the handle that could not be handed on after all.
    pub(crate) fn take_back(&self, next: &Owned) {
        if let Some(value) = next.value.take() {
            self.value.put_back(value);
        }
    }

    fn refusal(&self, py: Python<'_>, call: &str) -> PyErr {
        let place = self.place.with(py, |place| place.clone());
        let place = place.map_or(String::new(), |place| format!(", at {place}"));
        errors::MovedError::new_err(format!("{call}: the value was handed on or taken{place}"))
    }

    /// Keeps the line that is running, while `tracemalloc` traces: it costs too much to keep it always.
    fn remember(&self, py: Python<'_>) {
        if let Ok(Some(place)) = running_line(py) {
            self.place.with(py, |kept| *kept = Some(place));
        }
    }
}

fn running_line(py: Python<'_>) -> PyResult<Option<String>> {
    static IS_TRACING: Kept<PyAny> = Kept::new();
    let is_tracing = IS_TRACING.get(py, || crate::python::import(py, "_tracemalloc")?.getattr("is_tracing"))?;
    if !is_tracing.call0()?.is_truthy()? {
        return Ok(None);
    }
    let frame = crate::python::import(py, "sys")?.call_method1("_getframe", (0,))?;
    let file = frame.getattr("f_code")?.getattr("co_filename")?;
    Ok(Some(format!("{file}:{}", frame.getattr("f_lineno")?)))
}

/// An item on its way, by default a plain object: an `Owned` goes as the handle of its next owner.
#[derive(Default)]
pub(crate) struct OnItsWay {
    /// The handle to give the value back to.
    from: Option<Py<Owned>>,
}

impl OnItsWay {
    /// `item`, or the next owner's handle of it.
    #[inline]
    pub(crate) fn of(py: Python<'_>, item: Py<PyAny>, call: &str) -> PyResult<(Py<PyAny>, OnItsWay)> {
        match item.bind(py).cast_exact::<Owned>() {
            Err(_) => Ok((item, OnItsWay { from: None })),
            Ok(owned) => OnItsWay::of_owned(owned, call),
        }
    }

    #[inline(never)]
    fn of_owned(owned: &Bound<'_, Owned>, call: &str) -> PyResult<(Py<PyAny>, OnItsWay)> {
        let next = Py::new(owned.py(), owned.get().hand_on(owned.py(), call)?)?.into_any();
        Ok((next, OnItsWay { from: Some(owned.clone().unbind()) }))
    }

    /// `item` as it was given: it did not get there.
    pub(crate) fn back(&self, py: Python<'_>, item: Py<PyAny>) -> Py<PyAny> {
        let Some(from) = &self.from else { return item };
        if let Ok(next) = item.bind(py).cast_exact::<Owned>() {
            from.get().take_back(next.get());
        }
        from.clone_ref(py).into_any()
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.from)
    }
}

/// The arguments of a task, each `Owned` among them handed on; `None` when there is none.
pub(crate) fn hand_on_all<'py>(args: &Bound<'py, PyTuple>, call: &str) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let py = args.py();
    if !args.iter().any(|argument| argument.is_exact_instance_of::<Owned>()) {
        return Ok(None);
    }
    let mut handed: Vec<(Py<PyAny>, OnItsWay)> = Vec::with_capacity(args.len());
    for argument in args.iter() {
        match OnItsWay::of(py, argument.unbind(), call) {
            Ok(pair) => handed.push(pair),
            Err(error) => {
                handed.into_iter().for_each(|(item, way)| drop(way.back(py, item)));
                return Err(error);
            }
        }
    }
    PyTuple::new(py, handed.into_iter().map(|(item, _)| item)).map(Some)
}
