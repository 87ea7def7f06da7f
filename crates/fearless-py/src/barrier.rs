//! `Barrier` over `fearless_core::barrier`: the action, errors, and the faces of an arrival.
//!
//! Not here: any algorithm.

use fearless_core::{
    barrier::{self as core, Arrival, Arriving, Phase},
    waiter::{Claim, Waiter},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    cell::Cell,
    counts::Count,
    errors,
    hooks::Hooks,
    loop_queue,
    operation::{Face, Operation},
    python,
    source::Source,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// A meeting point: whoever arrives waits until `n` have, and then all go on. It can be used again and again.
///
/// The last to arrive calls `action()`, if there is one, before the others go on. Who gives up while it waits (a timeout, a
/// cancellation, Ctrl-C), or an action that fails, breaks the barrier: all who wait, and all who come, get a
/// `BrokenBarrierError` until `reset()`.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Barrier {
    core: core::Barrier,
    /// `None` also after the collector took it.
    action: Cell<Option<Py<PyAny>>>,
    hooks: Hooks,
}

impl Object for Barrier {
    type Core = core::Barrier;

    fn core(&self) -> &core::Barrier {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

#[pymethods]
impl Barrier {
    /// A barrier for `n` threads and tasks.
    ///
    /// Raises: `TypeError` if `n` is not a whole number or `action` cannot be called, `ValueError` if `n` is less than 1.
    #[new]
    #[pyo3(signature = (n, action=None))]
    fn new(n: Count<1>, action: Option<Bound<'_, PyAny>>) -> PyResult<Barrier> {
        if let Some(action) = action.as_ref().filter(|action| !action.is_callable()) {
            return Err(PyTypeError::new_err(format!("action must be callable, got {}", python::repr(action)?)));
        }
        let parties = usize::try_from(n.0).unwrap_or(usize::MAX);
        Ok(Barrier {
            core: core::Barrier::new(parties, action.is_some()),
            action: Cell::new(action.map(Bound::unbind)),
            hooks: Hooks::default(),
        })
    }

    /// Arrive and wait for the others; return how many had arrived before, so that one of them, and only one, gets 0.
    ///
    /// With `timeout=0` it arrives only if it is the last.
    ///
    /// Blocks: until all have arrived; a cancellation point; Ctrl-C gets through.
    /// Raises: `BrokenBarrierError`; `Timeout` after `timeout` seconds, which breaks the barrier; `ValueError` if `timeout` is
    /// negative or NaN; what the action raised, for the one that called it.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<usize> {
        const NOT_ALL: &str = "not all parties arrived";
        let patience = Patience::from_timeout(timeout)?;
        wait::checkpoint(py)?;
        if patience == Patience::Once {
            let (arrival, wakes) = self.core.try_arrive();
            loop_queue::wake(py, wakes);
            return self.settle(py, "wait", arrival.ok_or_else(|| errors::timeout("wait", NOT_ALL))?);
        }
        let waiter = Waiter::new();
        let (arrived, wakes) = self.core.arrive(&waiter);
        loop_queue::wake(py, wakes);
        let ticket = match arrived {
            Ok(arrival) => return self.settle(py, "wait", arrival),
            Err(ticket) => ticket,
        };
        let ended = wait::wait(py, &waiter, Kind::Barrier, patience);
        let (arrival, wakes) = self.core.resume(ticket, ended.claim());
        loop_queue::wake(py, wakes);
        match (arrival, ended) {
            (Some(arrival), Ended::Ready(_)) => self.settle(py, "wait", arrival),
            // All had come when it gave up. That stands, and what a signal handler raised comes afterwards.
            (Some(Arrival::Passed(index)), ended) => {
                if let Ended::Failed(Claim::Interrupted, error) = ended {
                    wait::after_success(py, error);
                }
                Ok(index)
            }
            (_, ended) => Err(ended.error("wait", NOT_ALL)),
        }
    }

    /// Arrive and wait for the others, as a coroutine of asyncio or trio; see `wait`. Cancelled, it breaks the barrier.
    fn wait_async(slf: &Bound<'_, Self>) -> Operation {
        let arriving = Waits::boxed(Arriving::new(Of::new(slf)));
        Operation::new(Face::Object("wait_async"), vec![Source::Object(arriving)], None)
    }

    /// Break the barrier: all who wait, and all who come, get a `BrokenBarrierError` until `reset()`.
    fn abort(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.abort());
    }

    /// Make the barrier as it was at first. Those who wait get a `BrokenBarrierError`.
    fn reset(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.reset());
    }

    /// How many have to arrive.
    #[getter]
    fn parties(&self) -> usize {
        self.core.parties()
    }

    /// How many have arrived and wait for the others.
    #[getter]
    fn n_waiting(&self) -> usize {
        self.core.waiting()
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> bool {
        self.core.is_broken()
    }

    /// Return counts: `passed`, how often all had arrived, and `waiting`, the threads and tasks that wait now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("passed", self.core.passed())?;
        stats.set_item("waiting", self.core.waiting())?;
        Ok(stats)
    }

    fn __repr__(&self) -> String {
        let broken = if self.core.is_broken() { "broken, " } else { "" };
        format!("<Barrier {broken}{} of {} waiting>", self.core.waiting(), self.core.parties())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Barrier"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.action.visit(|action| visit.call(action))?;
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        let action = self.action.with(py, Option::take);
        drop(action);
        self.hooks.clear();
    }
}

impl Barrier {
    /// What `call` returns or raises for `arrival`.
    fn settle(&self, py: Python<'_>, call: &str, arrival: Arrival) -> PyResult<usize> {
        match arrival {
            Arrival::Passed(index) => Ok(index),
            Arrival::Lead(index, phase) => self.lead(py, call, phase).map(|()| index),
            Arrival::Broken => Err(broken(call)),
        }
    }

    /// Calls the action and lets the others pass.
    fn lead(&self, py: Python<'_>, call: &str, phase: Phase) -> PyResult<()> {
        let action = self.action.with(py, |action| action.as_ref().map(|action| action.clone_ref(py)));
        let done = action.map(|action| python::call(action.bind(py), &PyTuple::empty(py), None).map(drop));
        let done = done.unwrap_or(Ok(()));
        let (has_passed, wakes) = self.core.conclude(phase, done.is_ok());
        loop_queue::wake(py, wakes);
        done.and_then(|()| if has_passed { Ok(()) } else { Err(broken(call)) })
    }
}

fn broken(call: &str) -> PyErr {
    errors::BrokenBarrierError::new_err(format!(
        "{call}: the barrier is broken, as a party gave up or somebody called abort() or reset()"
    ))
}

impl Gives for Arriving<Of<Barrier>> {
    type Object = Barrier;

    fn holder(&self) -> &Of<Barrier> {
        &self.holder
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let Some(arrival) = self.outcome.take() else { unreachable!("it went ahead") };
        let index = self.holder.get().settle(py, "wait_async", arrival)?;
        Ok(index.into_pyobject(py)?.into_any().unbind())
    }
}
