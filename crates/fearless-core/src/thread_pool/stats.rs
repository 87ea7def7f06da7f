//! What a pool tells of itself: its state at one moment, the tasks that ended, and how busy its workers were.
//!
//! Time is kept as a sum that grows at each change: what passed since the last one, once for each worker that was there,
//! and once for each that was awake. So a clock is read when a worker begins, falls asleep, wakes or leaves, and never for
//! a task that is taken by a worker that was awake.
//!
//! Not here: who changes the state; see [`super`].

use std::time::{Duration, Instant};

use super::ThreadPool;

/// A view of a pool's state, true at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// Tasks that no worker is on its way to, those of blocked submitters not counted.
    pub queued: usize,
    /// Workers that have not left.
    pub workers: usize,
    /// Workers that sleep.
    pub idle: usize,
    /// Tasks that a worker took and has not ended.
    pub running: u64,
    /// Tasks that a worker took and ended.
    pub done: u64,
    /// The share of the workers' time that they were awake; 0 before the first began.
    pub busy: f64,
    /// Submitters that wait for room.
    pub blocked: usize,
    /// Coroutines among them that were told of room and have not run yet.
    pub promised: usize,
    /// Workers that wait, without a bound, for tasks of the pool.
    pub stalled: usize,
    /// Whether it takes no more tasks.
    pub closed: bool,
}

impl<T> ThreadPool<T> {
    /// The state at this moment.
    pub fn snapshot(&self) -> Snapshot {
        let mut state = self.lock();
        let busy = state.book.busy(Instant::now());
        Snapshot {
            queued: state.waiting(),
            workers: state.workers,
            idle: state.idle.len(),
            running: state.book.taken - state.book.done,
            done: state.book.done,
            busy,
            blocked: state.submitters.len(),
            promised: state.promised,
            stalled: state.stalled.len(),
            closed: state.closed,
        }
    }
}

/// The counts. `done <= taken` and `awake <= present`, also in a forked child, which begins a new book under a worker that
/// came through.
#[derive(Debug)]
pub(super) struct Book {
    taken: u64,
    done: u64,
    /// Workers that have begun and not left.
    present: u32,
    /// Those of them that do not sleep.
    awake: u32,
    /// The last change.
    since: Instant,
    /// What all workers have lived, up to the last change.
    lived: Duration,
    /// How much of it they were awake.
    worked: Duration,
}

impl Book {
    pub(super) fn new(now: Instant) -> Book {
        let (lived, worked) = (Duration::ZERO, Duration::ZERO);
        Book { taken: 0, done: 0, present: 0, awake: 0, since: now, lived, worked }
    }

    /// A task was handed to a worker.
    pub(super) fn took(&mut self) {
        self.taken += 1;
    }

    /// A worker has ended the task that it had.
    pub(super) fn ended(&mut self) {
        self.done += u64::from(self.done < self.taken);
    }

    pub(super) fn begins(&mut self, now: Instant) {
        self.pass(now);
        self.present += 1;
        self.awake += 1;
    }

    pub(super) fn sleeps(&mut self, now: Instant) {
        self.pass(now);
        self.awake = self.awake.saturating_sub(1);
    }

    pub(super) fn wakes(&mut self, now: Instant) {
        self.pass(now);
        self.awake = self.present.min(self.awake + 1);
    }

    /// A worker that was awake is gone.
    pub(super) fn leaves(&mut self, now: Instant) {
        self.pass(now);
        self.present = self.present.saturating_sub(1);
        self.awake = self.awake.saturating_sub(1);
    }

    fn busy(&mut self, now: Instant) -> f64 {
        self.pass(now);
        if self.lived.is_zero() { 0.0 } else { self.worked.as_secs_f64() / self.lived.as_secs_f64() }
    }

    fn pass(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        self.since = now;
        self.lived += passed * self.present;
        self.worked += passed * self.awake;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_is_the_share_that_workers_were_awake() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut book = Book::new(start);
        assert_eq!(0.0, book.busy(at(5)), "nobody has begun");

        book.begins(at(10));
        book.begins(at(10));
        assert_eq!(1.0, book.busy(at(12)));
        book.sleeps(at(14));
        // Four seconds of both, and then one of two workers sleeps for eight.
        assert_eq!(16.0 / 24.0, book.busy(at(22)));
        book.wakes(at(22));
        book.leaves(at(22));
        book.leaves(at(22));
        assert_eq!(16.0 / 24.0, book.busy(at(1000)), "nobody is there");
    }

    #[test]
    fn a_new_book_under_a_worker_that_came_through_a_fork_stays_in_bounds() {
        let now = Instant::now();
        let mut book = Book::new(now);
        book.ended();
        book.wakes(now);
        book.leaves(now);
        assert_eq!((0, 0, 0), (book.done, book.awake, book.present));
    }
}
