//! Waiting, locks, channels, pools and cursors, free of Python.
//!
//! Every type here is an algorithm over one short inner lock or one atomic word. A type that can block does not
//! block by itself: its operations come as *try*, *start* (try, else enqueue a waiter) and *finish* (what the claim
//! that ended the wait means), so that the caller can let go of whatever it holds while it sleeps.
//! `README.md` beside this file tells the protocol.
//!
//! What is not here: Python, reference counting, signals. Those belong to `fearless-py`.

pub mod atomic_bool;
pub mod atomic_float;
pub mod atomic_int;
pub mod atomic_ref;
pub mod barrier;
mod blocks;
pub mod channel;
pub mod compat;
pub mod condvar;
pub mod event;
pub mod fork;
pub mod gate;
pub mod latch;
pub mod mutex;
pub mod once;
pub mod owned;
pub mod owner;
pub mod par;
pub mod rwlock;
pub mod scope;
pub mod select;
pub mod semaphore;
pub mod sharded_counter;
pub mod sync;
pub mod task;
pub mod thread_pool;
pub mod timer;
pub mod waiter;
pub mod watchers;
