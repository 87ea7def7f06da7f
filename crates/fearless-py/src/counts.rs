//! Whole numbers as arguments: how many.
//!
//! Not here: what is counted.

use pyo3::{
    exceptions::{PyOverflowError, PyTypeError, PyValueError},
    prelude::*,
    types::PyBool,
};

/// A whole number >= `LEAST`, in an argument named `n`. `True` is none.
#[derive(Clone, Copy)]
pub(crate) struct Count<const LEAST: u64>(pub(crate) u64);

impl<'py, const LEAST: u64> FromPyObject<'_, 'py> for Count<LEAST> {
    type Error = PyErr;

    fn extract(number: Borrowed<'_, 'py, PyAny>) -> PyResult<Count<LEAST>> {
        let rule = format_args!("n must be a whole number >= {LEAST}, got");
        let wrong = || PyTypeError::new_err(format!("{rule} {}", text(&number)));
        if number.is_instance_of::<PyBool>() {
            return Err(wrong());
        }
        match number.extract::<i64>() {
            Ok(count) => u64::try_from(count).ok().filter(|count| *count >= LEAST).map(Count),
            Err(error) if !error.is_instance_of::<PyOverflowError>(number.py()) => return Err(wrong()),
            Err(_) if number.lt(0)? => None,
            Err(_) => return Err(PyValueError::new_err(format!("n must be < 2**63, got {}", text(&number)))),
        }
        .ok_or_else(|| PyValueError::new_err(format!("{rule} {}", text(&number))))
    }
}

fn text(number: &Bound<'_, PyAny>) -> String {
    number.repr().map_or_else(|_| "something".to_owned(), |text| text.to_string())
}
