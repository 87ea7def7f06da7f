//! A call that waits as a coroutine: `recv_async`, `send_async`, `select_async`, and the step of an `async for`.
//!
//! The same operations as those of a thread's select, with another way to sleep: the loop's. It does nothing before it is
//! awaited. Woken, it acts when its task runs; cancelled, it has done nothing and passes on what it was told. One
//! exception cannot be avoided: on a rendezvous the item may have been taken when asyncio cancels.
//!
//! Not here: the operations (`source.rs`) and the loops (`_loops.py`, `loop_queue.rs`).

use std::{mem, time::Instant};

use fearless_core::{
    scope::Scope,
    select::{Select, Standing},
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration},
    prelude::*,
    types::PyTuple,
};

use crate::{
    cell::Cell,
    kept::{Kept, name},
    loop_queue::{self, LoopQueue},
    python, scope,
    select::{self, Selected, random},
    source::Source,
    wait,
};

mod turn;

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

/// How the task goes on.
#[derive(Default)]
enum Input {
    #[default]
    None,
    Value(Py<PyAny>),
    Error(PyErr),
}

struct State {
    sources: Vec<Source>,
    select: Select,
    /// The scope of the task, if its cancellation ends the wait.
    scope: Option<std::sync::Arc<Scope>>,
    /// What is iterated: the pause that others get, or the wait.
    inner: Option<Py<PyAny>>,
    /// The waiter, while `inner` is the wait.
    waiter: Option<Arc<Waiter>>,
    /// What the loop wakes.
    parked: Option<Py<PyAny>>,
    /// Whether others have had their turn.
    paused: bool,
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

impl State {
    /// Leaves all places; the notice goes to the next.
    fn leave(&mut self) {
        if let Some(waiter) = &self.waiter {
            self.select.abandon(&mut self.sources, waiter);
            self.detach(waiter);
        }
    }

    /// Before the waiter is let go of: then the scope never drops its last reference.
    fn detach(&self, waiter: &Arc<Waiter>) {
        if let Some(scope) = &self.scope {
            scope.detach(waiter);
        }
    }

    /// Raises `Cancelled` if the scope is cancelled.
    fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        self.scope.as_ref().map_or(Ok(()), |scope| wait::checkpoint_in(py, scope))
    }

    /// The first step: the scope of the task decides whether there are more.
    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        self.paused = true;
        if scope::may_be_inside_task() && self.sources.iter().all(Source::is_point) {
            self.scope = scope::current_of_task(py)?;
            self.checkpoint(py)?;
        }
        self.sources.iter_mut().try_for_each(|source| source.begin(py))
    }

    /// As `leave`, if the wait has ended. The loop may have run since it was found standing: this may be another wait, which
    /// nobody was told of, and nobody would wake afterwards.
    fn pass_on(&mut self) {
        if self.waiter.as_ref().is_some_and(|waiter| waiter.claimed().is_some()) {
            self.leave();
        }
    }

    fn give_up(&mut self, py: Python<'_>) {
        self.leave();
        loop_queue::send(py);
        select::give_back(py, &mut self.sources);
    }

    fn may_give_up(&self) -> bool {
        let Some(waiter) = &self.waiter else { return true };
        match waiter.claimed() {
            Some(Claim::Ready(operation)) => self.sources.get(operation).is_none_or(|source| !source.is_handed_over()),
            Some(_) => true,
            None => waiter.claim(Claim::Cancelled) || self.may_give_up(),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.sources.iter().try_for_each(|source| source.traverse(visit))?;
        visit.call(&self.inner)?;
        visit.call(&self.parked)
    }

    /// Goes on with what is iterated: what it yields, or `None` when it has come to its end.
    fn go_on(&mut self, py: Python<'_>, input: Input) -> PyResult<Option<Py<PyAny>>> {
        let Some(inner) = &self.inner else {
            return if let Input::Error(error) = input { Err(error) } else { Ok(None) };
        };
        let inner = inner.bind(py);
        let yielded = match input {
            Input::None => python::next(inner.cast()?),
            Input::Value(value) => unless_ended(py, python::method_with(inner, name!(py, "send")?, value.bind(py))),
            Input::Error(error) => unless_ended(py, python::method_with(inner, name!(py, "throw")?, error.value(py))),
        };
        let yielded = yielded?;
        if yielded.is_none() {
            self.inner = None;
        }
        Ok(yielded.map(Bound::unbind))
    }

    /// Parks the task, unless an operation turns out to be ready; whether there is something to iterate.
    fn park(&mut self, slf: &Bound<'_, Operation>, event_loop: &Bound<'_, PyAny>) -> PyResult<Standing> {
        let py = slf.py();
        let deadline = self.scope.as_ref().and_then(|scope| scope.deadline());
        let due = self.sources.iter().filter_map(Source::due).chain(deadline).min();
        let seconds = due.map(|due| due.saturating_duration_since(Instant::now()).as_secs_f64());
        let queue = event_loop.getattr(name!(py, "queue")?)?.cast_into::<LoopQueue>()?;
        let waiter = Waiter::for_loop(queue.get().notice(slf)?);
        let park = event_loop.getattr(name!(py, "park")?)?;
        let (inner, parked): (Py<PyAny>, Py<PyAny>) =
            python::call(&park, &(slf, seconds).into_pyobject(py)?, None)?.extract()?;
        for source in &mut self.sources {
            drop(source.set_hook(Some(slf.clone().into_any().unbind())));
        }
        let mut standing = self.select.start(&mut self.sources, &waiter);
        if standing == Standing::Wait
            && let Some(scope) = &self.scope
        {
            scope.attach(&waiter);
            if waiter.claimed() == Some(Claim::Cancelled) {
                // It was stopped already, and nobody was told.
                scope.detach(&waiter);
                standing = self.select.finish(&mut self.sources, &waiter);
            }
        }
        loop_queue::send(py);
        if standing == Standing::Wait {
            (self.inner, self.parked, self.waiter) = (Some(inner), Some(parked), Some(waiter));
        } else {
            close_inner(inner.bind(py))?;
        }
        Ok(standing)
    }
}

/// What an iterator yielded; `None` when it has come to its end.
fn unless_ended<'py>(py: Python<'py>, yielded: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match yielded {
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
        yielded => yielded.map(Some),
    }
}

/// Closes what was not iterated to its end; a future has nothing to close.
fn close_inner(inner: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(close) = inner.getattr_opt(name!(inner.py(), "close")?)? {
        python::call0(&close)?;
    }
    Ok(())
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

/// What to iterate before the call goes ahead: a turn for others when this task has had a long one; under trio a look
/// for cancellation.
fn pause(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    let is_over = Turn::is_over();
    if !is_over && !trio_is_loaded(py)? {
        return Ok(None);
    }
    let event_loop = current_loop(py)?;
    let pause = if is_over { name!(py, "pause")? } else { name!(py, "check")? };
    let pause = python::method0(&event_loop, pause)?;
    Ok(if pause.is_none() { None } else { Some(pause.unbind()) })
}

/// Whether the loop may be trio's.
fn trio_is_loaded(py: Python<'_>) -> PyResult<bool> {
    crate::event_loop::modules(py)?.contains(name!(py, "trio.lowlevel")?)
}

/// The object of `_loops.py` for the loop that runs on this thread.
fn current_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static CURRENT: Kept<PyAny> = Kept::new();
    python::call0(CURRENT.get(py, || python::import(py, "fearless._loops")?.getattr("current"))?)
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
