//! The end of a `with scope()` block, which no signal handler keeps from being one.
//!
//! A handler can raise in a function of Python between its beginning and its first `try`. So the function that `with` calls is
//! native, and sees to it that the block is left.
//!
//! Not here: what leaving it means; `_leave` of `fearless._scope` knows.

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::Scope;
use crate::{kept::name, python};

/// The native half of `fearless.Scope`.
///
/// Thread safety: internally synchronized.
#[pyclass(subclass, frozen, module = "fearless._core")]
pub(crate) struct ScopeBlock;

#[pymethods]
impl ScopeBlock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> ScopeBlock {
        ScopeBlock
    }

    /// Join every task, then raise what went wrong.
    ///
    /// Blocks: until the last task ends; Ctrl-C gets through.
    #[pyo3(signature = (_kind, error, _traceback, /))]
    fn __exit__<'py>(
        slf: &Bound<'py, Self>,
        _kind: &Bound<'py, PyAny>,
        error: &Bound<'py, PyAny>,
        _traceback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let leave = slf.getattr(name!(slf.py(), "_leave")?)?;
        let nothing = slf.py().None().into_bound(slf.py());
        match (leave_by(&leave, error, &nothing), entered(slf)?) {
            // Struck out of reach of the function's own handlers: as any first interrupt it cancels, and the join goes on.
            (Err(struck), Some(native)) if !native.get().core().is_left() => {
                let left = leave_by(&leave, error, struck.value(slf.py()).as_any());
                if !native.get().core().is_left() {
                    native.get().cancel(slf.py()); // struck again: as by any second interrupt, the tasks are left behind
                    native.get().exit();
                }
                left
            }
            (left, _) => left,
        }
    }
}

fn leave_by<'py>(
    leave: &Bound<'py, PyAny>,
    error: &Bound<'py, PyAny>,
    struck: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    python::call(leave, &(error, struck).into_pyobject(leave.py())?, None)
}

/// The scope of the block, once it was entered.
fn entered<'py>(block: &Bound<'py, ScopeBlock>) -> PyResult<Option<Bound<'py, Scope>>> {
    Ok(block.getattr(name!(block.py(), "_native")?)?.extract()?)
}
