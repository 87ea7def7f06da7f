//! `read_async` and its like: the lock of a `RwLock` for a task.
//!
//! Not here: the wait itself; see `operation.rs`.

use std::sync::{Arc, Mutex, atomic::Ordering};

use fearless_core::{
    owner::Owner,
    rwlock::{Lock, Locking, Number, Want},
    select::Source,
    sync::{self, Arc as CoreArc},
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use super::{
    ReadGuard, RwLock, UpgradableGuard, WriteGuard,
    acquire::{Call, access},
    hold::Hold,
};
use crate::{
    acquiring::{Acquiring, Ends, Entered},
    hooks::Hooks,
    owner::Holder,
    waits::{Gives, Object, Of, Waits},
};

impl Object for RwLock {
    type Core = fearless_core::rwlock::RwLock;

    fn core(&self) -> &Self::Core {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

/// What `read_async`, `write_async` and `upgradable_async` return; with an upgradable guard, what its `upgrade_async` does.
pub(super) fn acquiring(
    lock: &Bound<'_, RwLock>,
    call: Call,
    upgrades: Option<Py<UpgradableGuard>>,
) -> PyResult<Acquiring> {
    let (entered, block) = (Arc::new(Entered::default()), Block::default());
    let locking = Locking::new(Of::new(lock), call.want, Owner::default());
    let operation =
        TaskLock { locking, call, task: None, upgrades, entered: Arc::clone(&entered), block: block.clone() };
    Acquiring::new(lock.py(), call.name, Waits::boxed(operation), entered, Box::new(block))
}

/// What `upgrade_async` of a guard returns.
pub(super) fn upgrading(guard: &Bound<'_, UpgradableGuard>) -> PyResult<Acquiring> {
    let hold = guard.get().hold();
    let call = Call { name: "upgrade_async", want: hold.upgrade_wanted(), poisoned: true };
    acquiring(hold.lock(guard.py()), call, Some(guard.clone().unbind()))
}

struct TaskLock {
    locking: Locking<Of<RwLock>>,
    call: Call,
    /// The task, once it awaits.
    task: Option<Holder>,
    /// The guard that is upgraded.
    upgrades: Option<Py<UpgradableGuard>>,
    entered: Arc<Entered>,
    block: Block,
}

impl TaskLock {
    fn number(&mut self, py: Python<'_>, owner: Owner) -> PyResult<Number> {
        let lock = self.locking.holder.get();
        if matches!(self.locking.outcome, Some(Lock::Vanished)) && self.call.poisoned && lock.core.heal() {
            self.locking.outcome = Some(lock.core.try_lock(self.call.want, owner));
        }
        match self.locking.outcome.take() {
            Some(Lock::Acquired(number)) => lock.refuse_poison(py, self.call, number),
            Some(refused) => Err(lock.refusal(self.call, owner, &refused)),
            None => unreachable!("it went ahead"),
        }
    }

    fn hold(&mut self, py: Python<'_>) -> PyResult<Hold> {
        let Some(task) = self.task.take() else { unreachable!("it began") };
        let number = self.number(py, task.owner)?;
        Ok(match &self.upgrades {
            Some(guard) => guard.get().hold().upgraded(py, number),
            None => Hold::new(self.locking.holder.bind(py), access(self.call.want), number, task),
        })
    }
}

impl Source for TaskLock {
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

impl Gives for TaskLock {
    type Object = RwLock;

    fn holder(&self) -> &Of<RwLock> {
        &self.locking.holder
    }

    fn is_point(&self) -> bool {
        false
    }

    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let task = match &self.upgrades {
            None => Holder::task(py, self.call.name)?,
            Some(guard) => {
                guard.get().hold().check_owner(py)?;
                guard.get().hold().holder().clone_ref(py)
            }
        };
        self.locking.owner = task.owner;
        self.task = Some(task);
        Ok(())
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let hold = self.hold(py)?;
        let guard = match self.call.want {
            Want::Read => AnyGuard::Read(ReadGuard::make(py, hold)?),
            Want::Upgradable => AnyGuard::Upgradable(UpgradableGuard::make(py, hold)?),
            Want::Write | Want::Upgrade(_) => AnyGuard::Write(WriteGuard::make(py, hold)?),
        };
        let object = guard.as_any().clone_ref(py);
        if self.entered.of_block.load(Ordering::Relaxed) {
            self.block.enter(guard);
        }
        Ok(object)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.upgrades)?;
        self.task.as_ref().map_or(Ok(()), |task| task.traverse(visit))
    }
}

enum AnyGuard {
    Read(Py<ReadGuard>),
    Upgradable(Py<UpgradableGuard>),
    Write(Py<WriteGuard>),
}

impl AnyGuard {
    fn as_any(&self) -> &Py<PyAny> {
        match self {
            AnyGuard::Read(guard) => guard.as_any(),
            AnyGuard::Upgradable(guard) => guard.as_any(),
            AnyGuard::Write(guard) => guard.as_any(),
        }
    }

    fn hold(&self) -> &Hold {
        match self {
            AnyGuard::Read(guard) => guard.get().hold(),
            AnyGuard::Upgradable(guard) => guard.get().hold(),
            AnyGuard::Write(guard) => guard.get().hold(),
        }
    }
}

/// The block of an `async with`, which keeps its guard to the end: a block need not name it. The reference belongs to the
/// `_Acquiring`, which shows it to the collector; the operation only puts it there.
#[derive(Clone, Default)]
struct Block(Arc<Mutex<Option<AnyGuard>>>);

impl Block {
    fn enter(&self, guard: AnyGuard) {
        // A block is entered once, so nothing is displaced here.
        *sync::lock(&self.0) = Some(guard);
    }
}

impl Ends for Block {
    fn end(&self, _number: u64, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let guard = sync::lock(&self.0).take();
        if let Some(guard) = guard {
            guard.hold().leave(error);
        }
        Ok(())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        sync::lock(&self.0).as_ref().map_or(Ok(()), |guard| visit.call(guard.as_any()))
    }
}
