//! The compiled module `fearless._core`: conversions, detaching, signals and garbage collection around
//! `fearless-core`. No algorithm lives here.

mod acquiring;
mod atomic_bool;
mod atomic_float;
mod atomic_int;
mod atomic_ref;
mod barrier;
mod blocked;
mod call;
mod cell;
mod channel;
mod compat;
mod condvar;
mod counts;
mod crossing;
mod drawn;
mod errors;
mod event;
mod event_loop;
mod forwarding;
mod gate;
mod guard;
mod hooks;
mod kept;
mod latch;
mod lazy;
mod lock_all;
mod loop_queue;
mod mutex;
mod once;
mod once_cell;
mod operation;
mod owned;
mod owner;
mod par;
mod poison;
mod python;
mod ready;
mod receiver;
mod rwlock;
mod scope;
mod select;
mod semaphore;
mod sender;
mod sharded_counter;
mod shortcut;
mod source;
mod task;
mod thread;
mod thread_pool;
mod timer;
mod wait;
mod waits;
mod watched;

/// The native half of fearless.
#[pyo3::pymodule(gil_used = false)]
mod _core {
    use pyo3::{PyTypeInfo, panic::PanicException, prelude::*};

    #[pymodule_export]
    use crate::{
        acquiring::{Acquiring, Done},
        atomic_bool::AtomicBool,
        atomic_float::AtomicFloat,
        atomic_int::AtomicInt,
        atomic_ref::AtomicRef,
        barrier::Barrier,
        blocked::blocked_in,
        call::_panic,
        channel::channel,
        compat::{condition::Condition, lock::Lock, rlock::RLock},
        condvar::Condvar,
        event::Event,
        event_loop::in_event_loop,
        guard::Guard,
        latch::Latch,
        lazy::Lazy,
        lock_all::LockAll,
        loop_queue::LoopQueue,
        mutex::Mutex,
        once::Once,
        once_cell::OnceCell,
        operation::{Operation, select_async},
        owned::Owned,
        par::{Chunk, Cursor},
        receiver::Receiver,
        rwlock::{ReadGuard, RwLock, UpgradableGuard, WriteGuard},
        scope::{Scope, block::ScopeBlock},
        select::{Selected, select, try_select},
        semaphore::{Permits, Semaphore},
        sender::{Sender, Sending},
        sharded_counter::ShardedCounter,
        task::{Task, new_task, write_unraisable},
        thread_pool::{Queue, ThreadPool},
        timer::{Timer, after, never, tick},
        wait::{checkpoint_now, sleep_for, waiting},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        // Types that PyO3 would make when they are first needed: a thread may fork then, see `kept.rs`.
        crate::channel::Channel::type_object(py);
        PanicException::type_object(py);
        // Now, rather than in the middle of the first call that raises one of them.
        py.import("fearless.errors")?;
        crate::thread::init(py)?;
        crate::atomic_bool::install_shortcuts(py)?;
        crate::atomic_float::install_shortcuts(py)?;
        crate::atomic_int::install_shortcuts(py)?;
        crate::atomic_ref::install_shortcuts(py)?;
        crate::sharded_counter::install_shortcuts(py)
    }
}
