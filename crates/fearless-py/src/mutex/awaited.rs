//! `lock_async`: the lock of a mutex for a task.
//!
//! Not here: the wait itself; see `operation.rs`.

use std::sync::{Arc, atomic::Ordering};

use fearless_core::{
    mutex::{Lock, Locking, Number},
    owner::Owner,
    select::Source,
    sync::Arc as CoreArc,
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use super::{Mutex, vanished};
use crate::{
    acquiring::{Acquiring, Ends, Entered},
    guard::{Block, Guard},
    hooks::Hooks,
    owner::Holder,
    waits::{Gives, Object, Of, Waits},
};

const CALL: &str = "lock_async";

impl Object for Mutex {
    type Core = fearless_core::mutex::Mutex;

    fn core(&self) -> &Self::Core {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        self.rare.hooks()
    }
}

/// What `lock_async` returns.
pub(super) fn acquiring(mutex: &Bound<'_, Mutex>, poisoned: bool) -> PyResult<Acquiring> {
    let entered = Arc::new(Entered::default());
    let locking = Locking::new(Of::new(mutex), Owner::default());
    let lock = Waits::boxed(LockOfTask { locking, task: None, entered: Arc::clone(&entered), poisoned });
    Acquiring::new(mutex.py(), CALL, lock, entered, Box::new(End(mutex.clone().unbind())))
}

struct LockOfTask {
    locking: Locking<Of<Mutex>>,
    /// The task, once it awaits.
    task: Option<Holder>,
    entered: Arc<Entered>,
    poisoned: bool,
}

impl Source for LockOfTask {
    fn attempt(&mut self) -> bool {
        self.locking.attempt()
    }

    fn enlist(&mut self, waiter: &CoreArc<Waiter>, operation: usize) -> bool {
        self.locking.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.locking.act()
    }

    fn withdraw(&mut self) -> bool {
        self.locking.withdraw()
    }
}

impl Gives for LockOfTask {
    type Object = Mutex;

    fn holder(&self) -> &Of<Mutex> {
        &self.locking.holder
    }

    fn is_point(&self) -> bool {
        false
    }

    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let task = Holder::task(py, CALL)?;
        self.locking.owner = task.owner;
        self.task = Some(task);
        Ok(())
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let mutex = self.locking.holder.bind(py);
        let core = mutex.get();
        if matches!(self.locking.outcome, Some(Lock::Vanished)) && self.poisoned && core.core.heal() {
            self.locking.outcome = core.core.try_lock(self.locking.owner).map(Lock::Acquired);
        }
        let number = match self.locking.outcome.take() {
            Some(Lock::Acquired(number)) => core.refuse_poison(py, CALL, number, self.poisoned)?,
            Some(Lock::Deadlock) => return Err(core.deadlock(CALL)),
            _ => return Err(vanished(CALL)),
        };
        let is_of_block = self.entered.of_block.load(Ordering::Relaxed);
        let block = if is_of_block { Block::Async(Arc::clone(&self.entered)) } else { Block::None };
        self.entered.number.store(number.get(), Ordering::Relaxed);
        let Some(task) = self.task.take() else { unreachable!("it began") };
        Ok(Guard::make(mutex, number, task, block)?.into_any())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.task.as_ref().map_or(Ok(()), |task| task.traverse(visit))
    }
}

/// Ends an `async with` block.
struct End(Py<Mutex>);

impl Ends for End {
    fn end(&self, number: u64, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, mutex, number) = (error.py(), self.0.get(), Number::of(number));
        if mutex.is_held_by(number) {
            mutex.note(py, error);
            mutex.release(py, number);
        }
        Ok(())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}
