//! Who holds a lock: a thread, or a task that acquired it by await.
//!
//! Not here: what a thread's ident and a task's number are; the caller knows.

/// A holder of locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The ident of the thread.
    pub thread: u64,
    /// The task that runs on it, for a lock acquired by await; 0 is the thread itself.
    pub task: u64,
}

impl Owner {
    /// The thread `ident`.
    pub fn thread(ident: u64) -> Owner {
        Owner { thread: ident, task: 0 }
    }

    /// Whether to wait for `holder` would be to wait for oneself. Two tasks of a thread can wait for each other. A thread
    /// cannot wait for one of its tasks, which does not run meanwhile, nor a task for what its thread holds beside it.
    pub fn is_stuck_behind(self, holder: Owner) -> bool {
        self.thread == holder.thread && (self.task == holder.task || self.task == 0 || holder.task == 0)
    }
}
