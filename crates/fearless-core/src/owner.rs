//! Who holds a lock: a thread, a block of a thread that ends on its own, or a task that acquired it by await.
//!
//! Not here: what a thread's ident and a task's number are; the caller knows.

/// A holder of locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The ident of the thread.
    pub thread: u64,
    /// The task that runs on it, for a lock acquired by await; 0 is the thread itself, [`BLOCK`] a block of its.
    pub task: u64,
}

/// In the place of a task's number: a block of the thread, whose end is to end the acquisition. No task has this number.
pub const BLOCK: u64 = 1;

impl Owner {
    /// The thread `ident`.
    pub fn thread(ident: u64) -> Owner {
        Owner { thread: ident, task: 0 }
    }

    /// The same thread, for a block of its.
    pub fn in_block(self) -> Owner {
        Owner { task: BLOCK, ..self }
    }

    /// Whether it is a task, and not a thread or its block.
    pub fn is_task(self) -> bool {
        self.task > BLOCK
    }

    /// Whether to wait for `holder` would be to wait for oneself. Two tasks of a thread can wait for each other. A thread
    /// cannot wait for one of its tasks, which does not run meanwhile, nor a task for what its thread holds beside it.
    pub fn is_stuck_behind(self, holder: Owner) -> bool {
        self.thread == holder.thread && (self.task == holder.task || !self.is_task() || !holder.is_task())
    }
}
