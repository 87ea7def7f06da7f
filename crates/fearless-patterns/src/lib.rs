//! The patterns of the lab in plain Rust: the same shapes as in Python,
//! with the standard library alone.
//!
//! Holds a file for each pattern, to be read as an example, and one tiny
//! workload in `words`. Not here: anything that the toolkit runs on; that
//! is `fearless-core`.

pub mod atomic;
pub mod channel;
pub mod mutex;
pub mod par;
pub mod pool;
pub mod rwlock;
pub mod serial;
pub mod sharded;
pub mod snapshot;
pub mod threads;
pub mod words;

use words::Totals;

/// A pattern: counts the words of some texts with so many workers.
pub type Pattern = fn(&[String], usize) -> Totals;

/// The patterns by the names that Python uses, the simplest first.
pub const PATTERNS: [(&str, Pattern); 10] = [
    ("serial", serial::count),
    ("par", par::count),
    ("threads", threads::count),
    ("mutex", mutex::count),
    ("channel", channel::count),
    ("atomic", atomic::count),
    ("pool", pool::count),
    ("rwlock", rwlock::count),
    ("sharded", sharded::count),
    ("snapshot", snapshot::count),
];
