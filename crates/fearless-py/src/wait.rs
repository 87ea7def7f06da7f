//! The one door through which every thread of ours waits.
//!
//! A caller has enqueued a waiter with some object and comes here attached, with no lock held. The door lets go of the
//! interpreter while the thread sleeps, lets a cancellation claim the waiter, and on the main thread looks at signals
//! every [`SLICE`] without giving up the place in the queue. It keeps the clock of all waiting.
//!
//! Not here: what is waited for. After the door the caller settles its operation with the claim that won.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use fearless_core::{
    scope::Scope,
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    prelude::*,
    types::PyDict,
};

use crate::{blocked, errors, event_loop, kept::Kept, loop_queue, python, thread};

mod cancellation;

use cancellation::{cancellation, expire, scope_of};
pub(crate) use cancellation::{checkpoint, checkpoint_in};

/// How long the main thread sleeps between two looks at signals.
const SLICE: Duration = Duration::from_millis(50);
/// Looks at a lock before the thread gets in its queue: a few microseconds, and only where threads run in parallel.
pub(crate) const SPINS: u32 = if cfg!(Py_GIL_DISABLED) { 40 } else { 0 };
/// Looks at the waiter before the thread parks.
const LAST_LOOKS: u32 = if cfg!(Py_GIL_DISABLED) { 100 } else { 0 };

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A lock. Not a cancellation point, so that `finally` can clean up.
    Lock,
    /// The other end of a channel.
    Channel,
    /// A notification of a condition variable.
    Condvar,
    /// A permit.
    Semaphore,
    /// The other parties of a barrier.
    Barrier,
    /// A latch to open.
    Latch,
    /// An event to be set.
    Event,
    /// Another thread that initializes.
    Once,
    /// An atomic to take a certain value.
    Atomic,
    /// A worker for a task, or a submitter for room.
    Pool,
    /// The end of a task.
    Join,
    /// The end of a scope's tasks, shielded from cancellation.
    Scope,
    /// Time.
    Sleep,
}

pub(crate) const KINDS: [(Kind, &str); 13] = [
    (Kind::Lock, "lock"),
    (Kind::Channel, "channel"),
    (Kind::Condvar, "condvar"),
    (Kind::Semaphore, "semaphore"),
    (Kind::Barrier, "barrier"),
    (Kind::Latch, "latch"),
    (Kind::Event, "event"),
    (Kind::Once, "once"),
    (Kind::Atomic, "atomic"),
    (Kind::Pool, "pool"),
    (Kind::Join, "join"),
    (Kind::Scope, "scope"),
    (Kind::Sleep, "sleep"),
];

static WAITED: [AtomicU64; KINDS.len()] = [const { AtomicU64::new(0) }; KINDS.len()];

impl Kind {
    fn is_cancellable(self) -> bool {
        !matches!(self, Kind::Lock | Kind::Scope)
    }
}

/// How long a call is ready to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Forever,
    Until(Instant),
    /// Try, and do not wait.
    Once,
}

impl Patience {
    /// Reads a `timeout` argument: seconds, or `None`.
    pub(crate) fn from_timeout(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Patience> {
        match timeout {
            Some(timeout) => Patience::from_seconds(timeout, "timeout must be None or a number of seconds"),
            None => Ok(Patience::Forever),
        }
    }

    /// Reads a number of seconds; `rule` says what it has to be.
    pub(crate) fn from_seconds(number: &Bound<'_, PyAny>, rule: &str) -> PyResult<Patience> {
        let seconds = match number.extract::<f64>() {
            Ok(seconds) => seconds,
            // A whole number beyond every float: more than the clock can hold, or less than nothing.
            Err(error) if error.is_instance_of::<PyOverflowError>(number.py()) => {
                if number.lt(0)? {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }
            }
            Err(error) if error.is_instance_of::<PyTypeError>(number.py()) => {
                return Err(PyTypeError::new_err(format!("{rule} >= 0, got {}", python::repr(number)?)));
            }
            Err(error) => return Err(error),
        };
        if seconds.is_nan() || seconds < 0.0 {
            return Err(PyValueError::new_err(format!("{rule} >= 0, got {}", python::str(number)?)));
        }
        if seconds == 0.0 {
            return Ok(Patience::Once);
        }
        // What the clock cannot hold is for ever.
        let until = Duration::try_from_secs_f64(seconds).ok().and_then(|wait| Instant::now().checked_add(wait));
        Ok(until.map_or(Patience::Forever, Patience::Until))
    }

    /// This patience, but no longer than to `due`.
    pub(crate) fn earlier(self, due: Option<Instant>) -> Patience {
        match (self, due) {
            (Patience::Forever, Some(due)) => Patience::Until(due),
            (Patience::Until(until), Some(due)) => Patience::Until(until.min(due)),
            (patience, _) => patience,
        }
    }

    /// Whether it has come to its end.
    pub(crate) fn is_over(self) -> bool {
        self.until().is_some_and(|until| until <= Instant::now())
    }

    fn until(self) -> Option<Instant> {
        match self {
            Patience::Forever => None,
            Patience::Until(until) => Some(until),
            Patience::Once => Some(Instant::now()),
        }
    }
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Somebody made progress, or refuses the wait.
    Ready(Claim),
    TimedOut,
    /// A cancellation or a signal won: settle the operation with this claim, then raise.
    Failed(Claim, PyErr),
}

impl Ended {
    pub(crate) fn claim(&self) -> Claim {
        match self {
            Ended::Ready(claim) | Ended::Failed(claim, _) => *claim,
            Ended::TimedOut => Claim::TimedOut,
        }
    }

    /// The error to raise; `Timeout` says that `call` did not see `what` within the timeout.
    pub(crate) fn error(self, call: &str, what: &str) -> PyErr {
        match self {
            Ended::Failed(_, error) => error,
            Ended::Ready(_) | Ended::TimedOut => errors::timeout(call, what),
        }
    }
}

/// Waits until `waiter` is claimed, whatever signal handlers raise: for who has to take a lock back before anything else.
/// What they raise is raised after the call. The waiter must have been enqueued with a lock.
pub(crate) fn wait_regardless(py: Python<'_>, waiter: &Arc<Waiter>) -> Claim {
    match wait_for(py, waiter, Kind::Lock, Patience::Forever) {
        Ended::Failed(_, error) => {
            after_success(py, error);
            // The thread had claimed its waiter to look around, and competes again from its place.
            Claim::Ready(0)
        }
        ended => ended.claim(),
    }
}

/// Waits until `waiter` is claimed.
pub(crate) fn wait(py: Python<'_>, waiter: &Arc<Waiter>, kind: Kind, patience: Patience) -> Ended {
    warned(py, waiter).unwrap_or_else(|| wait_for(py, waiter, kind, patience))
}

/// The same, until `scope` is stopped or its time is over; whatever scope the caller is in.
pub(crate) fn wait_inside(py: Python<'_>, waiter: &Arc<Waiter>, kind: Kind, scope: &Arc<Scope>) -> Ended {
    warned(py, waiter).unwrap_or_else(|| wait_noted(py, waiter, kind, Some(scope), Patience::Forever))
}

/// Warns who would stop an event loop; `Some` if the warning was raised.
fn warned(py: Python<'_>, waiter: &Waiter) -> Option<Ended> {
    let error = event_loop::warn_if_running(py).err()?;
    if waiter.claim(Claim::Interrupted) {
        return Some(Ended::Failed(Claim::Interrupted, error));
    }
    after_success(py, error);
    None
}

fn wait_for(py: Python<'_>, waiter: &Arc<Waiter>, kind: Kind, patience: Patience) -> Ended {
    let scope = match scope_of(py, kind) {
        Ok(scope) => scope,
        Err(error) if waiter.claim(Claim::Interrupted) => return Ended::Failed(Claim::Interrupted, error),
        Err(error) => {
            after_success(py, error);
            None
        }
    };
    wait_noted(py, waiter, kind, scope.as_ref(), patience)
}

fn wait_noted(
    py: Python<'_>,
    waiter: &Arc<Waiter>,
    kind: Kind,
    scope: Option<&Arc<Scope>>,
    patience: Patience,
) -> Ended {
    let started = Instant::now();
    if let Some(scope) = scope {
        scope.attach(waiter); // claims it at once if the scope is stopped already: then it is not noted as blocked
    }
    let _noted = blocked::note(kind, waiter);
    let ended = wait_in(py, waiter, kind, scope, patience.until());
    if let Some(scope) = scope {
        scope.detach(waiter);
    }
    let waited = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
    WAITED[kind as usize].fetch_add(waited, Ordering::Relaxed);
    ended
}

fn wait_in(
    py: Python<'_>,
    waiter: &Arc<Waiter>,
    kind: Kind,
    scope: Option<&Arc<Scope>>,
    until: Option<Instant>,
) -> Ended {
    let deadline = scope.and_then(|scope| scope.deadline());
    let is_main = thread::is_main();
    loop {
        let slice = is_main.then(|| Instant::now() + SLICE);
        let wake_at = [until, deadline, slice].into_iter().flatten().min();
        if let Some(claim) = py.detach(|| sleep(waiter, wake_at)) {
            return settle(py, claim, scope);
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| deadline <= now)
            && let Some(scope) = scope
        {
            expire(scope);
            loop_queue::send(py);
        }
        if until.is_some_and(|until| until <= now) {
            waiter.claim(Claim::TimedOut);
        } else if is_main && let Some(ended) = look_around_in(py, waiter, kind) {
            return ended;
        }
    }
}

/// Lets signal handlers run in the middle of a wait; `Some` if that ends it.
fn look_around_in(py: Python<'_>, waiter: &Waiter, kind: Kind) -> Option<Ended> {
    if kind == Kind::Lock {
        // A handler may itself need the lock, or wait for a thread that does, so meanwhile nobody may give the lock to
        // this thread: it claims itself, and afterwards competes again from its place in the queue.
        let own = Claim::Ready(0);
        return waiter.claim(own).then(|| match look_around(py) {
            Ok(()) => Ended::Ready(own),
            Err(error) => Ended::Failed(Claim::Interrupted, error),
        });
    }
    let error = look_around(py).err()?;
    if waiter.claim(Claim::Interrupted) {
        return Some(Ended::Failed(Claim::Interrupted, error));
    }
    after_success(py, error);
    None
}

/// An error that came up while somebody else had ended the wait with success.
pub(crate) fn after_success(py: Python<'_>, error: PyErr) {
    if thread::is_main() {
        thread::raise_later(py, error);
    } else {
        error.write_unraisable(py, None);
    }
}

/// What signal handlers raised while the wait was being won, or raise now. For a call that can still give back what the
/// wait gave it: raised any later, the error would meet a result that nobody has assigned yet.
pub(crate) fn last_look(py: Python<'_>) -> PyResult<()> {
    if !thread::is_main() {
        return Ok(());
    }
    match thread::take_later() {
        Some(error) => Err(error),
        None => py.check_signals(),
    }
}

/// Stops the calling thread until the process ends. It must hold nothing that others need.
pub(crate) fn for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

/// Sleeps, detached, until a claim or `wake_at`.
fn sleep(waiter: &Waiter, wake_at: Option<Instant>) -> Option<Claim> {
    for _ in (0..LAST_LOOKS).take_while(|_| waiter.claimed().is_none()) {
        std::hint::spin_loop();
    }
    loop {
        if let Some(claim) = waiter.claimed() {
            return Some(claim);
        }
        if wake_at.is_some_and(|wake_at| wake_at <= Instant::now()) {
            return None;
        }
        waiter.park_until(wake_at);
    }
}

fn settle(py: Python<'_>, claim: Claim, scope: Option<&Arc<Scope>>) -> Ended {
    match claim {
        Claim::TimedOut => Ended::TimedOut,
        Claim::Cancelled => Ended::Failed(claim, cancellation(py, scope)),
        Claim::Ready(_) | Claim::Interrupted | Claim::Refused => Ended::Ready(claim),
    }
}

/// Runs signal handlers, and one empty Python function: only a call lets a free-threaded interpreter drop what other
/// threads have released meanwhile.
pub(crate) fn look_around(py: Python<'_>) -> PyResult<()> {
    static EMPTY: Kept<PyAny> = Kept::new();
    py.check_signals()?;
    EMPTY.get(py, || py.eval(c"lambda: None", None, None))?.call0()?;
    Ok(())
}

/// Sleep for a number of seconds.
///
/// Blocks: for `seconds`; a cancellation point; Ctrl-C gets through.
/// Raises: `ValueError` if `seconds` is negative or NaN.
#[pyfunction]
pub(crate) fn sleep_for(py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<()> {
    let patience = Patience::from_seconds(seconds, "seconds must be a number")?;
    checkpoint(py)?;
    if patience == Patience::Once {
        return Ok(());
    }
    match wait(py, &Waiter::new(), Kind::Sleep, patience) {
        Ended::Failed(_, error) => Err(error),
        Ended::Ready(_) | Ended::TimedOut => Ok(()),
    }
}

/// Raise `Cancelled` if the scope of the caller is cancelled.
#[pyfunction(name = "checkpoint")]
pub(crate) fn checkpoint_now(py: Python<'_>) -> PyResult<()> {
    checkpoint(py)
}

/// Return the seconds that threads of this process have waited, by what they waited for.
#[pyfunction]
pub(crate) fn waiting(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let waited = PyDict::new(py);
    for (kind, name) in KINDS {
        let nanoseconds = WAITED[kind as usize].load(Ordering::Relaxed);
        waited.set_item(name, Duration::from_nanos(nanoseconds).as_secs_f64())?;
    }
    Ok(waited)
}
