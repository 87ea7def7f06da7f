//! The one place that names the threading primitives: those of the standard library, or, under `--cfg loom`, the
//! model's. Everything else in this crate imports from here, so that the models run the shipped code.
//!
//! Not here: anything of ours that waits; see [`crate::waiter`].

#[cfg(loom)]
pub use loom::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(loom))]
pub use std::sync::OnceLock;
#[cfg(not(loom))]
pub use std::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread,
};

use std::{
    ops::DerefMut,
    sync::PoisonError,
    time::{Duration, Instant},
};

/// Between two sequentially consistent operations on different words that must not change places. They do not; but the
/// model takes such operations for weaker ones, and knows that order of fences alone.
#[inline]
pub(crate) fn in_one_order() {
    #[cfg(loom)]
    atomic::fence(atomic::Ordering::SeqCst);
}

/// The looks of a thread that waits for a short hold to end, a bounded number and for a bounded time.
///
/// Who looks takes the word's cache line from the holder, who needs it to let go. So the first looks come at growing
/// distances; before the others whoever is ready on this core has its turn, which may be the holder.
#[derive(Debug)]
pub(crate) struct Spin {
    round: u32,
    rounds: u32,
    until: Option<Instant>,
}

impl Spin {
    /// About what it takes to fall asleep and to be woken: who spins for longer had better slept.
    const LONGEST: Duration = Duration::from_micros(20);
    /// Rounds without a turn for others.
    const ALONE: u32 = 4;

    pub(crate) fn new(rounds: u32) -> Spin {
        Spin { round: 0, rounds, until: None }
    }

    /// Lets a moment pass before the next look; false when there have been enough.
    pub(crate) fn goes_on(&mut self) -> bool {
        if self.round >= self.rounds {
            return false;
        }
        if self.round < Spin::ALONE {
            (0..1 << self.round).for_each(|_| std::hint::spin_loop());
        } else {
            let now = Instant::now();
            if *self.until.get_or_insert(now + Spin::LONGEST) < now {
                return false;
            }
            thread::yield_now();
        }
        self.round += 1;
        true
    }
}

/// Locks a short inner lock. A panic of an earlier holder does not matter: every critical section of this crate
/// leaves its state consistent at each point where it can panic (an allocation).
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A short inner lock of a container. Not every user needs one that is locked by an instruction: the bindings have their
/// own where the interpreter keeps threads apart already.
pub trait Lock<T> {
    /// Holds the lock while it lives.
    type Guard<'a>: DerefMut<Target = T>
    where
        Self: 'a,
        T: 'a;

    /// A lock around `content`.
    fn new(content: T) -> Self;

    /// Locks; a panic of an earlier holder does not matter.
    fn lock(&self) -> Self::Guard<'_>;
}

/// A kind of locks.
pub trait Locks {
    /// The lock of a `T`.
    type Of<T>: Lock<T>;
}

/// Mutexes, which any thread may lock.
#[derive(Debug)]
pub struct Mutexes;

impl Locks for Mutexes {
    type Of<T> = Mutex<T>;
}

impl<T> Lock<T> for Mutex<T> {
    type Guard<'a>
        = MutexGuard<'a, T>
    where
        T: 'a;

    fn new(content: T) -> Mutex<T> {
        Mutex::new(content)
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, T> {
        lock(self)
    }
}

/// A place that is filled once. The model has none of its own; this one adds the
/// order that the real one has by itself.
#[cfg(loom)]
#[derive(Debug)]
pub struct OnceLock<T> {
    place: std::sync::OnceLock<T>,
    filled: atomic::AtomicBool,
    filling: Mutex<()>,
}

#[cfg(loom)]
impl<T> OnceLock<T> {
    /// An empty place.
    #[allow(clippy::new_without_default, reason = "as the real one is made")]
    pub fn new() -> OnceLock<T> {
        OnceLock { place: std::sync::OnceLock::new(), filled: atomic::AtomicBool::new(false), filling: Mutex::new(()) }
    }

    /// What it holds.
    pub fn get(&self) -> Option<&T> {
        self.filled.load(atomic::Ordering::Acquire).then(|| self.place.get()).flatten()
    }

    /// What it holds, made now if it was empty.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(content) = self.get() {
            return content;
        }
        let _filling = lock(&self.filling);
        let content = self.place.get_or_init(make);
        self.filled.store(true, atomic::Ordering::Release);
        content
    }
}

/// What one thread sleeps on and others wake it by. A wake-up that comes before the sleep is kept.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Token(thread::Thread);

#[cfg(not(loom))]
impl Token {
    /// The token of the calling thread.
    pub(crate) fn new() -> Token {
        Token(thread::current())
    }

    pub(crate) fn wake(&self) {
        self.0.unpark();
    }

    /// Sleeps until woken or until `until`; may return early. For the thread that made the token.
    pub(crate) fn park_until(&self, until: Option<Instant>) {
        match until {
            None => thread::park(),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    thread::park_timeout(left);
                }
            }
        }
    }
}

/// The model's token. Not its `park`, which forgets a wake-up of a thread that is blocked on an inner lock; this one
/// keeps it, and also returns early in some of the interleavings.
#[cfg(loom)]
#[derive(Debug)]
pub(crate) struct Token(loom::sync::Notify);

#[cfg(loom)]
impl Token {
    pub(crate) fn new() -> Token {
        Token(loom::sync::Notify::new())
    }

    pub(crate) fn wake(&self) {
        self.0.notify();
    }

    /// The model has no clock: a wait with a deadline is one that expires at once.
    pub(crate) fn park_until(&self, until: Option<Instant>) {
        if until.is_none() {
            self.0.wait();
        }
    }
}
