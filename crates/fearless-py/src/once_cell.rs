//! `OnceCell` over `fearless_core::once`: the value, whoever makes it, and the steps of a task that does.
//!
//! `Once` and `Lazy` are built on it. Not here: any algorithm, and how a task calls what makes the value (`fearless/_once.py`).

use std::sync::atomic::{AtomicBool, Ordering};

use fearless_core::{
    once::{Begin, Beginning, Once as Core},
    select::Source,
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*};

use crate::{
    cell::Cell,
    errors,
    hooks::Hooks,
    kept::Kept,
    loop_queue,
    operation::{Face, Operation},
    owner::Holder,
    python,
    source::Source as Operand,
    thread,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// A value that is set once.
///
/// Of several that want to initialize it one does, and the others wait for what comes of it. When that one fails its error is
/// raised where it was called, and the next in the queue tries.
///
/// Thread safety: internally synchronized; any thread may call any method.
///
/// Example:
///     >>> import fearless as fl
///     >>> config = fl.OnceCell()
///     >>> config.get_or_init(lambda: {"colour": "green"})
///     {'colour': 'green'}
///     >>> config.get_or_init(dict)
///     {'colour': 'green'}
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct OnceCell {
    core: Core,
    value: Cell<Option<Py<PyAny>>>,
    hooks: Hooks,
}

impl Object for OnceCell {
    type Core = Core;

    fn core(&self) -> &Core {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

impl OnceCell {
    pub(crate) fn empty() -> OnceCell {
        OnceCell { core: Core::new(), value: Cell::new(None), hooks: Hooks::default() }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.core.is_done()
    }

    pub(crate) fn value(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        if !self.core.is_done() {
            return None;
        }
        self.value.with(py, |value| value.as_ref().map(|value| value.clone_ref(py)))
    }

    /// The value, which `make` makes if nobody has; and whether it did.
    pub(crate) fn get_or(
        &self,
        py: Python<'_>,
        call: &str,
        patience: Patience,
        make: impl FnOnce() -> PyResult<Py<PyAny>>,
    ) -> PyResult<(Py<PyAny>, bool)> {
        wait::checkpoint(py)?;
        if let Some(value) = self.value(py) {
            return Ok((value, false));
        }
        if !self.begin(py, call, patience)? {
            return Ok((self.value(py).unwrap_or_else(|| py.None()), false));
        }
        let running = Running { py, cell: self, is_done: AtomicBool::new(false) };
        let value = make()?;
        running.finish(value.clone_ref(py));
        drop(running);
        Ok((value, true))
    }

    /// Whether the caller is to make the value, once nobody else does; else it is there.
    #[cold]
    fn begin(&self, py: Python<'_>, call: &str, patience: Patience) -> PyResult<bool> {
        const RUNS: &str = "who initializes it did not end";
        let (me, waiter) = (thread::owner(), Waiter::new());
        let mut begun = match self.core.begin_now(me) {
            None if patience == Patience::Once => return Err(errors::timeout(call, RUNS)),
            None => self.core.begin(me, &waiter),
            Some(begun) => begun,
        };
        loop {
            match begun {
                Begin::Done => return Ok(false),
                Begin::Mine => return Ok(true),
                Begin::Deadlock => return Err(deadlock(call)),
                Begin::Wait(ticket) => {
                    let mut ended = wait::wait(py, &waiter, Kind::Once, patience);
                    if matches!(ended, Ended::Ready(_))
                        && let Err(error) = wait::last_look(py)
                    {
                        ended = Ended::Failed(Claim::Interrupted, error);
                    }
                    let (next, wakes) = self.core.resume(me, ticket, &waiter, ended.claim());
                    loop_queue::wake(py, wakes);
                    begun = match next {
                        Some(next) => next,
                        None => return Err(ended.error(call, RUNS)),
                    };
                }
            }
        }
    }

    fn end(&self, py: Python<'_>, is_done: bool) {
        loop_queue::wake(py, self.core.end(is_done));
    }
}

/// Ends the initialization, also when a panic passes.
struct Running<'a> {
    py: Python<'a>,
    cell: &'a OnceCell,
    is_done: AtomicBool,
}

impl Running<'_> {
    fn finish(&self, value: Py<PyAny>) {
        let before = self.cell.value.with(self.py, |place| place.replace(value));
        debug_assert!(before.is_none(), "only who began sets the value, once");
        self.is_done.store(true, Ordering::Relaxed);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.cell.end(self.py, self.is_done.load(Ordering::Relaxed));
    }
}

fn deadlock(call: &str) -> PyErr {
    errors::DeadlockError::new_err(format!("{call}: this thread, or a task of it, is initializing it already"))
}

/// How tasks initialize: `fearless._once.initialize`.
pub(crate) fn initialize_async<'py>(
    cell: &Bound<'py, OnceCell>,
    function: &Bound<'py, PyAny>,
    call: &str,
) -> PyResult<Bound<'py, PyAny>> {
    static INITIALIZE: Kept<PyAny> = Kept::new();
    let py = cell.py();
    let initialize = INITIALIZE.get(py, || python::import(py, "fearless._once")?.getattr("initialize"))?;
    python::call(initialize, &(cell, function, call).into_pyobject(py)?, None)
}

#[pymethods]
impl OnceCell {
    #[new]
    fn new() -> OnceCell {
        OnceCell::empty()
    }

    /// Return the value, or `default` if none is set yet.
    #[pyo3(signature = (default=None))]
    fn get(&self, py: Python<'_>, default: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        self.value(py).or(default)
    }

    /// Return the value; if none is set yet, that which `function()` returns, which is set.
    ///
    /// Blocks: while another thread or task initializes it; a cancellation point; Ctrl-C gets through.
    /// Raises: what `function` raises, and then nothing is set; `Timeout` after `timeout` seconds of waiting; `DeadlockError`
    /// if it is this thread that initializes it; `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (function, timeout=None))]
    fn get_or_init(
        &self,
        py: Python<'_>,
        function: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let patience = Patience::from_timeout(timeout)?;
        let make = || python::call0(function).map(Bound::unbind);
        self.get_or(py, "get_or_init", patience, make).map(|(value, _)| value)
    }

    /// As `get_or_init`, for a task; `function` may be a coroutine function.
    fn get_or_init_async<'py>(slf: &Bound<'py, Self>, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        initialize_async(slf, function, "get_or_init_async")
    }

    /// Set the value.
    ///
    /// Blocks: while another thread or task initializes it; a cancellation point; Ctrl-C gets through.
    /// Raises: `ValueError` if a value is set already, with the new one as `.item`; `Timeout`; `DeadlockError`.
    #[pyo3(signature = (value, timeout=None))]
    fn set(&self, py: Python<'_>, value: Py<PyAny>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let patience = Patience::from_timeout(timeout)?;
        let is_set = self.get_or(py, "set", patience, || Ok(value.clone_ref(py)))?.1;
        if is_set {
            return Ok(());
        }
        Err(errors::with_item(py, PyValueError::new_err("set: the cell has a value already"), value))
    }

    /// Whether a value is set.
    #[getter]
    fn is_set(&self) -> bool {
        self.is_done()
    }

    /// The first step of a task: whether it is to make the value, once nobody else does.
    fn _begin(slf: &Bound<'_, Self>) -> PyResult<Operation> {
        let beginning = Begins { beginning: Beginning::new(Of::new(slf)) };
        Ok(Operation::new(Face::Object("get_or_init_async"), vec![Operand::Object(Waits::boxed(beginning))], None))
    }

    /// The last step of a task that was to make the value.
    fn _finish(&self, py: Python<'_>, value: Py<PyAny>) {
        Running { py, cell: self, is_done: AtomicBool::new(false) }.finish(value);
    }

    /// The last step of a task that failed to make it.
    fn _fail(&self, py: Python<'_>) {
        self.end(py, false);
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a OnceCell"))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<OnceCell {}>", self.standing(py)?))
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

impl OnceCell {
    /// For `repr`.
    pub(crate) fn standing(&self, py: Python<'_>) -> PyResult<String> {
        match self.value(py) {
            Some(value) => Ok(format!("set to {}", python::repr(value.bind(py))?)),
            None => Ok(self.progress("set", "initializing").to_owned() + &self.queue()),
        }
    }

    /// How far it is: `done`, or not.
    pub(crate) fn progress(&self, done: &'static str, running: &'static str) -> &'static str {
        if self.core.is_done() {
            done
        } else if self.core.is_running() {
            running
        } else {
            "empty"
        }
    }

    /// How many wait, for `repr`.
    pub(crate) fn queue(&self) -> String {
        match self.core.waiting() {
            0 => String::new(),
            waiting => format!(", {waiting} waiting"),
        }
    }
}

/// A task that wants to initialize; the outcome says whether it is to.
struct Begins {
    beginning: Beginning<Of<OnceCell>>,
}

impl Source for Begins {
    fn attempt(&mut self) -> bool {
        self.beginning.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.beginning.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.beginning.act()
    }

    fn withdraw(&mut self) -> bool {
        self.beginning.withdraw()
    }
}

impl Gives for Begins {
    type Object = OnceCell;

    fn holder(&self) -> &Of<OnceCell> {
        &self.beginning.holder
    }

    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        self.beginning.owner = Holder::task(py, "get_or_init_async")?.owner;
        Ok(())
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.beginning.outcome {
            Some(Begin::Deadlock) => Err(deadlock("get_or_init_async")),
            outcome => Ok((outcome == Some(Begin::Mine)).into_pyobject(py)?.to_owned().into_any().unbind()),
        }
    }
}
