//! A counter of many parts, one for each thread: an addition touches memory that no other thread writes.
//!
//! A thread has a *seat*, a small number that it keeps to its end and that another thread gets afterwards. A counter has a
//! shard for each seat, on a cache line of its own. As a shard has one writer at a time, an addition is a load and a store,
//! not a locked instruction. Threads without a seat share one shard, and do use one there.
//!
//! Not here: where a thread keeps its seat.

use crate::sync::{
    OnceLock,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

/// The seats of all threads: a bit for each, set while a thread has it. Without a lock, as a thread that ends lets go of its
/// seat at a moment that may be that of a fork.
#[derive(Debug)]
pub struct Seats {
    taken: [AtomicU64; WORDS],
}

const WORDS: usize = if cfg!(loom) { 1 } else { 64 };
/// How many threads can have one at a time.
pub const SEATS: usize = WORDS * 64;

/// The number of a thread, its own until it leaves.
#[derive(Debug, PartialEq, Eq)]
pub struct Seat(usize);

impl Seats {
    /// All are free.
    #[cfg(not(loom))]
    pub const fn new() -> Seats {
        Seats { taken: [const { AtomicU64::new(0) }; WORDS] }
    }

    /// All are free.
    #[cfg(loom)]
    pub fn new() -> Seats {
        Seats { taken: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Takes the lowest free seat; none when all are taken.
    pub fn take(&self) -> Option<Seat> {
        self.taken.iter().enumerate().find_map(|(place, word)| {
            let mut seen = word.load(Ordering::Relaxed);
            while seen != u64::MAX {
                let free = seen.trailing_ones();
                // An acquire: what the thread before has counted is seen by the one that goes on from there.
                match word.compare_exchange_weak(seen, seen | 1 << free, Ordering::Acquire, Ordering::Relaxed) {
                    Ok(_) => return Some(Seat(place * 64 + free as usize)),
                    Err(now) => seen = now,
                }
            }
            None
        })
    }

    /// Frees a seat for the next thread.
    #[allow(clippy::needless_pass_by_value, reason = "it is gone afterwards")]
    pub fn leave(&self, seat: Seat) {
        if let Some(word) = self.taken.get(seat.0 / 64) {
            word.fetch_and(!(1 << (seat.0 % 64)), Ordering::Release);
        }
    }
}

impl Default for Seats {
    fn default() -> Seats {
        Seats::new()
    }
}

/// A part of a counter. Two cache lines, as processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(AtomicI64);

/// Rows of shards: the first has [`FIRST`], each further one as many as all before it and [`FIRST`] more.
const ROWS: usize = (SEATS / FIRST).ilog2() as usize + 1;
const FIRST: usize = 8;

/// The amount does not fit what this thread has counted before; that was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// What it had counted.
    pub value: i64,
}

/// A counter that threads add to without touching each other's memory.
#[derive(Debug)]
pub struct ShardedCounter {
    /// Made when a thread with a seat in it adds for the first time.
    rows: [OnceLock<Box<[Shard]>>; ROWS],
    /// For those without a seat.
    shared: AtomicI64,
}

impl ShardedCounter {
    /// A counter at zero.
    pub fn new() -> ShardedCounter {
        ShardedCounter { rows: std::array::from_fn(|_| OnceLock::new()), shared: AtomicI64::new(0) }
    }

    /// Adds `amount` for the thread on `seat`.
    pub fn add(&self, seat: Option<&Seat>, amount: i64) -> Result<(), Overflow> {
        let Some(shard) = seat.and_then(|seat| self.shard(seat)) else { return self.add_shared(amount) };
        let value = shard.0.load(Ordering::Relaxed);
        let new = value.checked_add(amount).ok_or(Overflow { value })?;
        // A release: who sees this addition sees what its thread did before.
        shard.0.store(new, Ordering::Release);
        Ok(())
    }

    /// The sum of all parts. Each addition that happened before is in it; one that happens meanwhile may be.
    pub fn sum(&self) -> i128 {
        let shards = self.rows.iter().filter_map(OnceLock::get).flatten();
        let parts = shards.map(|shard| i128::from(shard.0.load(Ordering::Acquire)));
        parts.sum::<i128>() + i128::from(self.shared.load(Ordering::Acquire))
    }

    #[cold]
    fn add_shared(&self, amount: i64) -> Result<(), Overflow> {
        let add = |value: i64| value.checked_add(amount);
        self.shared
            .fetch_update(Ordering::Release, Ordering::Relaxed, add)
            .map(drop)
            .map_err(|value| Overflow { value })
    }

    fn shard(&self, seat: &Seat) -> Option<&Shard> {
        let number = seat.0 + FIRST;
        let row = number.ilog2() as usize - FIRST.ilog2() as usize;
        let len = FIRST << row;
        let shards = self.rows.get(row)?.get_or_init(|| (0..len).map(|_| Shard::default()).collect());
        shards.get(number - len)
    }
}

impl Default for ShardedCounter {
    fn default() -> ShardedCounter {
        ShardedCounter::new()
    }
}
