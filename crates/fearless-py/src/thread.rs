//! Threads as CPython names them, the fork hook, and exceptions that come after a call.
//!
//! Not here: starting threads; they are `threading.Thread`s, made in Python.

use std::{
    ffi::{c_int, c_ulong, c_void},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use fearless_core::owner::Owner;
use pyo3::{exceptions::PyImportError, ffi, prelude::*};

unsafe extern "C" {
    fn PyThread_get_thread_ident() -> c_ulong;
}

static MAIN: AtomicU64 = AtomicU64::new(0);

/// The ident of the calling thread, as `threading.get_ident()` gives it.
#[allow(clippy::useless_conversion, reason = "c_ulong has 32 bits on Windows")]
pub(crate) fn ident() -> u64 {
    // SAFETY: the function takes nothing, needs no attached thread and only reads the thread's own handle.
    u64::from(unsafe { PyThread_get_thread_ident() })
}

/// The calling thread as a holder of locks.
pub(crate) fn owner() -> Owner {
    Owner::thread(ident())
}

/// Whether signal handlers run on the calling thread.
pub(crate) fn is_main() -> bool {
    ident() == MAIN.load(Ordering::Relaxed)
}

/// Remembers the main thread and hooks the fork. Called when the module is made, once in each interpreter.
pub(crate) fn init(py: Python<'_>) -> PyResult<()> {
    refuse_subinterpreter()?;
    let main = crate::python::import(py, "threading")?.call_method0("main_thread")?.getattr("ident")?;
    if MAIN.swap(main.extract()?, Ordering::Relaxed) == 0 {
        hook_fork();
    }
    Ok(())
}

/// What the module keeps for its whole life would be shared by interpreters, which must not share objects. CPython itself
/// refuses only isolated subinterpreters.
fn refuse_subinterpreter() -> PyResult<()> {
    const MAIN_INTERPRETER: i64 = 0;
    // SAFETY: called attached, so there is an interpreter.
    let interpreter = unsafe { ffi::PyInterpreterState_Get() };
    // SAFETY: it lives while this thread is attached to it.
    let number = unsafe { ffi::PyInterpreterState_GetID(interpreter) };
    if number == MAIN_INTERPRETER {
        return Ok(());
    }
    Err(PyImportError::new_err("the module does not load in a subinterpreter"))
}

/// Runs in the child, on its only thread, before any Python does.
#[cfg(unix)]
extern "C" fn in_child() {
    MAIN.store(ident(), Ordering::Relaxed);
    fearless_core::fork::forked(ident());
}

#[cfg(unix)]
fn hook_fork() {
    // SAFETY: `in_child` only stores to atomics, which is allowed between fork and exec.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

#[cfg(not(unix))]
fn hook_fork() {}

/// Names the thread `ident` for a message; its number when it is not a thread of Python's.
pub(crate) fn name(py: Python<'_>, ident: u64) -> String {
    let find = || -> PyResult<Option<String>> {
        for thread in crate::python::import(py, "threading")?.call_method0("enumerate")?.try_iter()? {
            let thread = thread?;
            if thread.getattr("ident")?.extract::<Option<u64>>()? == Some(ident) {
                return thread.getattr("name")?.extract().map(Some);
            }
        }
        Ok(None)
    };
    match find() {
        Ok(Some(name)) => format!("'{name}'"),
        _ => format!("thread {ident}"),
    }
}

/// Exceptions of signal handlers whose call had succeeded already.
static LATER: Mutex<Vec<PyErr>> = Mutex::new(Vec::new());

/// Raises `error` on the main thread as soon as the running call has returned.
///
/// A signal handler raised while the wait had already been won by somebody else: the operation stands, so the call
/// returns its value, and the exception comes just after it, as if the signal had.
pub(crate) fn raise_later(py: Python<'_>, error: PyErr) {
    LATER.lock().unwrap_or_else(PoisonError::into_inner).push(error);
    // SAFETY: `raise_pending` is a C function that lives as long as the module, which is never unloaded.
    let full = unsafe { ffi::Py_AddPendingCall(Some(raise_pending), std::ptr::null_mut()) } != 0;
    if full {
        let error = LATER.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(error) = error {
            error.write_unraisable(py, None);
        }
    }
}

/// Takes an error out of those that are still to be raised, for a call that can raise it itself.
pub(crate) fn take_later() -> Option<PyErr> {
    LATER.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

extern "C" fn raise_pending(_argument: *mut c_void) -> c_int {
    take_later().map_or(0, |error| {
        // The interpreter runs pending calls on an attached thread, so this never waits.
        Python::attach(|py| error.restore(py));
        -1
    })
}
