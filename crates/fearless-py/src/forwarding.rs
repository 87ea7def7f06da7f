//! What the guards of all locks have in common: what they forward to the value, what they refuse, and their end.
//!
//! Item access, iteration, `len`, `in` and in-place operators go to the value; nothing else does, and says so. Not here:
//! what a guard is a guard of; see [`Guards`].

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyAttributeError, PyTypeError},
    prelude::*,
};

use crate::{errors, python};

/// What a guard brings.
pub(crate) trait Guards {
    const NAME: &'static str;

    /// The value, while the guard is held and its owner asks.
    fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>>;

    /// The value, to be changed by `what`. Guards that only read refuse.
    fn to_change<'py>(&self, py: Python<'py>, what: &str) -> PyResult<Bound<'py, PyAny>> {
        let _ = what;
        self.get(py)
    }

    /// Stores another value. Guards that only read refuse.
    fn set(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()>;

    fn is_held(&self) -> bool;

    /// Ends the acquisition, if it lasts.
    fn end(&self, py: Python<'_>);

    /// As `end`, when `error`, or `None`, is what leaves the guard's block.
    fn leave(&self, error: &Bound<'_, PyAny>);

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;

    /// Stores what `operator.<name>(value, other)` returns.
    fn in_place(&self, other: &Bound<'_, PyAny>, name: &str) -> PyResult<()> {
        let py = other.py();
        let value = self.to_change(py, "in-place operator")?;
        let new = python::operate(name, &value, other)?;
        self.set(py, new.unbind())
    }
}

pub(crate) fn released() -> PyErr {
    errors::GuardReleased::new_err("the guard was released")
}

pub(crate) fn not_forwarded(what: &str) -> PyErr {
    PyTypeError::new_err(format!("a guard has no {what}; use guard.value"))
}

pub(crate) fn not_picklable() -> PyErr {
    PyTypeError::new_err("a guard cannot be pickled or copied, as it stands for its lock; use guard.value")
}

pub(crate) fn no_attribute(name: &str) -> PyErr {
    PyAttributeError::new_err(format!("a guard has no attribute '{name}'; use guard.value.{name}"))
}

/// The methods of a guard, and those that it alone has.
macro_rules! guard_methods {
    ($guard:ident { $($own:tt)* }) => {
        #[pymethods]
        impl $guard {
            $($own)*

            fn __reduce__(&self) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_picklable())
            }

            /// The value that the lock owns.
            ///
            /// Raises: `GuardReleased` after the release, and in another thread.
            #[getter]
            fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                self.get(py)
            }

            #[setter]
            fn set_value(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
                self.set(py, value)
            }

            /// End the acquisition. Any thread may; again is harmless.
            fn release(&self, py: Python<'_>) {
                self.end(py);
            }

            fn __enter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            fn __exit__(
                &self,
                _kind: &Bound<'_, PyAny>,
                error: &Bound<'_, PyAny>,
                _traceback: &Bound<'_, PyAny>,
            ) {
                self.leave(error);
            }

            fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                $crate::python::get_item(&self.get(key.py())?, key)
            }

            fn __setitem__(&self, key: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>) -> PyResult<()> {
                $crate::python::set_item(&self.to_change(key.py(), "item assignment")?, key, item)
            }

            fn __delitem__(&self, key: &Bound<'_, PyAny>) -> PyResult<()> {
                $crate::python::del_item(&self.to_change(key.py(), "item deletion")?, key)
            }

            fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
                $crate::python::len(&self.get(py)?)
            }

            fn __contains__(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
                $crate::python::contains(&self.get(item.py())?, item)
            }

            fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                $crate::python::iter(&self.get(py)?)
            }

            fn __iadd__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "iadd")
            }

            fn __isub__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "isub")
            }

            fn __imul__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "imul")
            }

            fn __imatmul__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "imatmul")
            }

            fn __itruediv__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "itruediv")
            }

            fn __ifloordiv__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "ifloordiv")
            }

            fn __imod__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "imod")
            }

            fn __ipow__(&self, other: &Bound<'_, PyAny>, modulo: &Bound<'_, PyAny>) -> PyResult<()> {
                let _ = modulo;
                self.in_place(other, "ipow")
            }

            fn __ilshift__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "ilshift")
            }

            fn __irshift__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "irshift")
            }

            fn __iand__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "iand")
            }

            fn __ior__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "ior")
            }

            fn __ixor__(&self, other: &Bound<'_, PyAny>) -> PyResult<()> {
                self.in_place(other, "ixor")
            }

            fn __bool__(&self) -> PyResult<bool> {
                Err($crate::forwarding::not_forwarded("truth value"))
            }

            fn __richcmp__(&self, _other: &Bound<'_, PyAny>, _operator: pyo3::pyclass::CompareOp) -> PyResult<bool> {
                Err($crate::forwarding::not_forwarded("comparison"))
            }

            fn __add__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator +"))
            }

            fn __radd__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator +"))
            }

            fn __sub__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator -"))
            }

            fn __rsub__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator -"))
            }

            fn __mul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator *"))
            }

            fn __rmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator *"))
            }

            fn __matmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator @"))
            }

            fn __rmatmul__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator @"))
            }

            fn __truediv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator /"))
            }

            fn __rtruediv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator /"))
            }

            fn __floordiv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator //"))
            }

            fn __rfloordiv__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator //"))
            }

            fn __mod__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator %"))
            }

            fn __rmod__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator %"))
            }

            fn __lshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator <<"))
            }

            fn __rlshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator <<"))
            }

            fn __rshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator >>"))
            }

            fn __rrshift__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator >>"))
            }

            fn __and__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator &"))
            }

            fn __rand__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator &"))
            }

            fn __or__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator |"))
            }

            fn __ror__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator |"))
            }

            fn __xor__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator ^"))
            }

            fn __rxor__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator ^"))
            }

            fn __pow__(&self, _other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator **"))
            }

            fn __rpow__(&self, _other: &Bound<'_, PyAny>, _modulo: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator **"))
            }

            fn __neg__(&self) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("operator -"))
            }

            fn __int__(&self) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("integer value"))
            }

            fn __float__(&self) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("float value"))
            }

            #[pyo3(signature = (*_arguments, **_keywords))]
            fn __call__(&self, _arguments: &Bound<'_, PyAny>, _keywords: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::not_forwarded("call"))
            }

            fn __getattr__(&self, name: &str) -> PyResult<Py<PyAny>> {
                Err($crate::forwarding::no_attribute(name))
            }

            fn __hash__(slf: &Bound<'_, Self>) -> isize {
                slf.as_ptr().addr().cast_signed() >> 4
            }

            fn __repr__(&self) -> String {
                format!("<{} {}>", Self::NAME, if self.is_held() { "held" } else { "released" })
            }

            fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
                self.traverse(&visit)
            }
        }
    };
}
pub(crate) use guard_methods;
