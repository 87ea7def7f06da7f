//! A call that waits as a coroutine: `recv_async`, `send_async`, `select_async`, and the step of an `async for`.
//!
//! The same operations as those of a thread's select, with another way to sleep: the loop's. It does nothing before it is
//! awaited. Woken, it acts when its task runs; cancelled, it has done nothing and passes on what it was told. One
//! exception cannot be avoided: on a rendezvous the item may have been taken when asyncio cancels.
//!
//! Not here: what is kept between two steps (`operation/state.rs`), the operations (`source.rs`) and the loops (`_loops.py`, `loop_queue.rs`).

use std::mem;

use fearless_core::select::{Select, Standing};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration},
    prelude::*,
    types::PyTuple,
};

use crate::{
    cell::Cell,
    kept::name,
    loop_queue, python,
    select::{self, Selected, random},
    source::Source,
};

mod state;
mod turn;

use state::{Input, State, close_inner, current_loop, pause};
use turn::Turn;

/// The name of the call that selects as a coroutine.
pub(crate) const SELECT_ASYNC: &str = "select_async";

/// What the call returns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Recv,
    /// A step of an iteration, which ends with the channel.
    Next,
    Send,
    Select,
    /// Of the object, which names the call and says what it returns.
    Object(&'static str),
}

/// A call that waits as a coroutine.
///
/// Thread safety: externally synchronized; it belongs to the task that awaits it.
#[pyclass(frozen, weakref, name = "_Operation", module = "fearless._core")]
pub(crate) struct Operation {
    /// `None` while it takes a step, and after the last one.
    state: Cell<Option<Box<State>>>,
    face: Face,
    /// The arguments of a select.
    channels: Option<Py<PyTuple>>,
}

#[pymethods]
impl Operation {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        step(slf, Input::None)
    }

    /// Go on with what the loop has to say.
    fn send(slf: &Bound<'_, Self>, value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        step(slf, if value.is_none() { Input::None } else { Input::Value(value.clone().unbind()) })
    }

    /// Go on with an exception.
    #[pyo3(signature = (kind, value=None, traceback=None))]
    fn throw(
        slf: &Bound<'_, Self>,
        kind: &Bound<'_, PyAny>,
        value: Option<&Bound<'_, PyAny>>,
        traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let error = match value {
            Some(value) if value.is_instance_of::<pyo3::exceptions::PyBaseException>() => value.clone(),
            Some(value) => python::call_with(kind, value)?,
            None if kind.is_instance_of::<pyo3::exceptions::PyBaseException>() => kind.clone(),
            None => python::call0(kind)?,
        };
        if let Some(traceback) = traceback {
            error.setattr(name!(slf.py(), "__traceback__")?, traceback)?;
        }
        step(slf, Input::Error(PyErr::from_value(error)))
    }

    /// End it: it has done nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(mut state) = self.state.with(py, Option::take) else { return Ok(()) };
        state.give_up(py);
        match state.inner.take() {
            Some(inner) => close_inner(inner.bind(py)),
            None => Ok(()),
        }
    }

    /// Whether a cancellation may end the wait: not once the other side of a rendezvous took the item.
    fn _may_give_up(&self, py: Python<'_>) -> bool {
        self.state.with(py, |state| state.as_ref().is_none_or(|state| state.may_give_up()))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let name = match self.face {
            Face::Recv | Face::Next => "recv_async",
            Face::Send => "send_async",
            Face::Select => SELECT_ASYNC,
            Face::Object(name) => name,
        };
        let waits = self.state.with(py, |state| state.as_ref().map(|state| state.waiter.is_some()));
        let standing = match waits {
            Some(true) => "waiting",
            Some(false) => "not waiting",
            None => "running or done",
        };
        format!("<{name} {standing}>")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.channels)?;
        self.state.visit(|state| state.as_ref().map_or(Ok(()), |state| state.traverse(&visit)))
    }

    fn __clear__(&self, py: Python<'_>) {
        if let Some(mut state) = self.state.with(py, Option::take) {
            state.leave();
            select::give_back(py, &mut state.sources);
        }
    }
}

impl Operation {
    pub(crate) fn new(face: Face, sources: Vec<Source>, channels: Option<Py<PyTuple>>) -> Operation {
        let state = State {
            sources,
            select: Select::default(),
            scope: None,
            inner: None,
            waiter: None,
            parked: None,
            paused: false,
        };
        Operation { state: Cell::new(Some(Box::new(state))), face, channels }
    }

    /// What the loop has to wake, if it waits.
    pub(crate) fn parked(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.state.with(py, |state| state.as_ref()?.parked.as_ref().map(|parked| parked.clone_ref(py)))
    }

    /// Leaves its places: its loop does not run, and others may be served.
    pub(crate) fn pass_on(&self, py: Python<'_>) {
        self.state.with(py, |state| {
            if let Some(state) = state {
                state.pass_on();
            }
        });
    }

    /// The last step: what became of the call.
    fn end(&self, py: Python<'_>, state: &mut State, chosen: usize) -> PyErr {
        loop_queue::send(py);
        let Some(source) = state.sources.get_mut(chosen) else { unreachable!("a chosen operation is one of them") };
        let outcome = match source.outcome(py) {
            Ok(outcome) => outcome,
            Err(error) => return error,
        };
        match self.face {
            Face::Select => {
                let channel = self.channels.as_ref().and_then(|all| all.bind(py).get_item(chosen).ok());
                let channel = channel.map_or_else(|| py.None(), Bound::unbind);
                select::give_back(py, &mut state.sources);
                match Py::new(py, Selected::new(chosen, channel, outcome)) {
                    Ok(selected) => stop(selected.into_any()),
                    Err(error) => error,
                }
            }
            Face::Next if outcome.closed => PyStopAsyncIteration::new_err(()),
            Face::Recv if outcome.closed => source.refusal(py, "recv_async", None),
            Face::Send if outcome.closed => source.refusal(py, "send_async", outcome.value),
            Face::Send => stop(py.None()),
            Face::Recv | Face::Next | Face::Object(_) => stop(outcome.value.unwrap_or_else(|| py.None())),
        }
    }
}

fn stop(value: Py<PyAny>) -> PyErr {
    PyStopIteration::new_err((value,))
}

/// Goes on to the next thing to yield, or to the end, which is an exception as for any iterator.
fn step(slf: &Bound<'_, Operation>, input: Input) -> PyResult<Py<PyAny>> {
    let py = slf.py();
    let operation = slf.get();
    let Some(mut state) = operation.state.with(py, Option::take) else {
        let text = "an async call of fearless can be awaited once, and by one task";
        return Err(if let Input::Error(error) = input { error } else { PyRuntimeError::new_err(text) });
    };
    match run(slf, &mut state, input) {
        Ok(Step::Yield(yielded)) => {
            operation.state.with(py, |place| *place = Some(state));
            Ok(yielded)
        }
        Ok(Step::Chosen(chosen)) => Err(operation.end(py, &mut state, chosen)),
        Err(error) => {
            state.give_up(py);
            Err(error)
        }
    }
}

enum Step {
    Yield(Py<PyAny>),
    Chosen(usize),
}

fn run(slf: &Bound<'_, Operation>, state: &mut State, mut input: Input) -> PyResult<Step> {
    let py = slf.py();
    loop {
        if let Some(yielded) = state.go_on(py, mem::take(&mut input))? {
            return Ok(Step::Yield(yielded));
        }
        if let Some(waiter) = state.waiter.take() {
            state.parked = None;
            Turn::begin();
            state.detach(&waiter);
            if let Standing::Done(chosen) = state.select.finish(&mut state.sources, &waiter) {
                return Ok(Step::Chosen(chosen));
            }
        } else if !state.paused {
            state.begin(py)?;
            if let Some(pause) = pause(py)? {
                state.inner = Some(pause);
                continue;
            }
        }
        state.checkpoint(py)?;
        if let Some(chosen) = state.select.attempt(&mut state.sources, random) {
            return Ok(Step::Chosen(chosen));
        }
        if let Standing::Done(chosen) = state.park(slf, &current_loop(py)?)? {
            return Ok(Step::Chosen(chosen));
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(state) = self.state.get_mut() {
            state.leave();
            // What was handed on when it was made has its owner again. A drop of an object of Python's is attached.
            Python::try_attach(|py| select::give_back(py, &mut state.sources));
            loop_queue::send_in_drop();
        }
    }
}

/// Wait, as a coroutine, for the first of several operations that can go ahead, and do it. See `select`.
///
/// Await it in a task of asyncio or trio; it does nothing before. Cancelled, it has done nothing.
///
/// Raises: as `select` does; there is no timeout, as the library has its own.
#[pyfunction]
#[pyo3(signature = (*channels))]
pub(crate) fn select_async(channels: &Bound<'_, PyTuple>) -> PyResult<Operation> {
    let sources = select::sources(channels, SELECT_ASYNC)?;
    Ok(Operation::new(Face::Select, sources, Some(channels.clone().unbind())))
}
