//! How long a task may go on without letting others run. Not here: the pause.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// A task goes on without letting others run for this many calls that need not wait, and this long.
const CALLS_A_TURN: u32 = 64;
const TURN: Duration = Duration::from_millis(1);

thread_local! {
    static LAST_TURN: Cell<(u32, Option<Instant>)> = const { Cell::new((0, None)) };
}

/// How long the tasks of this thread have gone on without a pause.
pub(super) struct Turn;

impl Turn {
    pub(super) fn begin() {
        LAST_TURN.set((0, None));
    }

    /// Counts a call; whether it is time for others. If so, a new turn begins.
    pub(super) fn is_over() -> bool {
        let (calls, since) = LAST_TURN.get();
        let now = Instant::now();
        let is_over = calls >= CALLS_A_TURN || since.is_some_and(|since| now.duration_since(since) >= TURN);
        LAST_TURN.set(if is_over { (1, Some(now)) } else { (calls + 1, Some(since.unwrap_or(now))) });
        is_over
    }
}
