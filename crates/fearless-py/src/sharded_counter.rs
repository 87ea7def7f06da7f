//! `ShardedCounter` over `fearless_core::sharded_counter`, and the seat of each thread. Conversions only.

use std::cell::OnceCell;

use fearless_core::sharded_counter::{self as core, Seat, Seats};
use pyo3::{exceptions::PyOverflowError, prelude::*};

use crate::{atomic_int::word, shortcut::shortcuts, watched};

static SEATS: Seats = Seats::new();

/// The seat of a thread, left when the thread ends.
struct Lease(Option<Seat>);

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(seat) = self.0.take() {
            SEATS.leave(seat);
        }
    }
}

thread_local! {
    static LEASE: OnceCell<Lease> = const { OnceCell::new() };
}

/// A counter that many threads add to without getting into each other's way; the sum is asked for now and then.
///
/// Each thread adds to a part of its own, and `sum` adds up the parts: every addition that happened before is in the sum,
/// one that happens meanwhile may be. It takes memory for each thread that has ever added, 128 bytes and more; where
/// threads seldom meet, or each addition needs the value, an `AtomicInt` is the better one. Compares and hashes by
/// identity; `int(c)` and `bool(c)` read the sum.
///
/// Thread safety: every method may be called by any thread; an addition is atomic, a sum is not a moment in time.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct ShardedCounter {
    core: core::ShardedCounter,
}

impl ShardedCounter {
    /// Adds to the part of the calling thread.
    fn add_here(&self, amount: i64) -> Result<(), core::Overflow> {
        let add = |seat: Option<&Seat>| self.core.add(seat, amount);
        // A thread that has left its seat already, at its very end, counts as one without.
        LEASE.try_with(|lease| add(lease.get_or_init(|| Lease(SEATS.take())).0.as_ref())).unwrap_or_else(|_| add(None))
    }
}

#[pymethods]
impl ShardedCounter {
    /// A counter at zero.
    #[new]
    fn new() -> ShardedCounter {
        ShardedCounter { core: core::ShardedCounter::new() }
    }

    /// Add `amount`.
    ///
    /// Raises: `OverflowError` if what this thread has added does not fit 64 bits; nothing is then added.
    #[pyo3(signature = (amount, /))]
    fn add(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        let amount = word(amount, "a thread's part of a ShardedCounter")?;
        self.add_here(amount).map_err(|overflow| {
            PyOverflowError::new_err(format!(
                "a thread's part of a ShardedCounter holds 64 bits: {} + {amount} does not fit, nothing was added",
                overflow.value
            ))
        })
    }

    /// Return the sum of all parts, which may be beyond 64 bits.
    fn sum(&self) -> i128 {
        self.core.sum()
    }

    fn __iadd__(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.add(amount)
    }

    fn __int__(&self) -> i128 {
        self.core.sum()
    }

    fn __bool__(&self) -> bool {
        self.core.sum() != 0
    }

    fn __repr__(&self) -> String {
        format!("<ShardedCounter {}>", self.core.sum())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(watched::not_picklable("a ShardedCounter", "counter.sum()"))
    }
}

shortcuts! { ShardedCounter, install_shortcuts:
    fn add(this, _py, amount) -> (), |_| None, this.add_here(amount.int()?).ok();
}
