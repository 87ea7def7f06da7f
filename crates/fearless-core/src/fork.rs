//! The fork generation: a counter that grows in the child of a fork, and the thread that came through.
//!
//! A forked child holds one thread and a copy of every queue. Whatever carries an older generation was left by a
//! thread that may no longer exist; types compare it on their slow paths and forget such waiters and holders.
//!
//! Not here: the hook itself (`pthread_atfork`), which `fearless-py` installs.

use std::sync::atomic::{AtomicU64, Ordering};

static GENERATION: AtomicU64 = AtomicU64::new(0);
static SURVIVOR: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between the first process and this one.
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// Called in the child, by its only thread, with that thread's ident. Takes no lock.
pub fn forked(survivor: u64) {
    SURVIVOR.store(survivor, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Whether the thread `ident`, seen alive in `generation`, was lost in a later fork.
pub fn vanished(ident: u64, generation: u64) -> bool {
    generation != self::generation() && ident != SURVIVOR.load(Ordering::Relaxed)
}
