//! Clocks to receive from: one that is due once, one that is due again and again, and one that never is.
//!
//! Not here: sleeping. A timer says when it is due next; whoever waits for it sleeps until then and asks again.

use std::time::{Duration, Instant};

use crate::sync::{self, Mutex};

/// A timer that any number of threads may ask.
#[derive(Debug)]
pub struct Timer {
    state: Mutex<State>,
    period: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// `None` is never.
    Due(Option<Instant>),
    Ended,
}

/// What a timer has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// It was due at this time, and the caller is the one who is told.
    Came(Instant),
    /// It is due then; `None` is never.
    Due(Option<Instant>),
    /// It has ended.
    Ended,
}

impl Timer {
    /// Due once, at `due`; `None` is never.
    pub fn once(due: Option<Instant>) -> Timer {
        Timer { state: Mutex::new(State::Due(due)), period: None }
    }

    /// Due at `first`, and then after each `period`.
    pub fn every(period: Duration, first: Option<Instant>) -> Timer {
        Timer { state: Mutex::new(State::Due(first)), period: Some(period) }
    }

    /// Asks, at the time `now`. Ticks that nobody asked for in time are left out, the first one excepted.
    pub fn ask(&self, now: Instant) -> Tick {
        let mut state = sync::lock(&self.state);
        match *state {
            State::Ended => Tick::Ended,
            State::Due(Some(due)) if due <= now => {
                *state = self.period.map_or(State::Ended, |period| State::Due(next(due, period, now)));
                Tick::Came(due)
            }
            State::Due(due) => Tick::Due(due),
        }
    }

    /// When it is due next, without taking a tick; `None` is never, or that it has ended.
    pub fn due(&self) -> Option<Instant> {
        if let State::Due(due) = *sync::lock(&self.state) { due } else { None }
    }

    /// Ends it; false when it had ended.
    pub fn end(&self) -> bool {
        let mut state = sync::lock(&self.state);
        let was_open = matches!(*state, State::Due(_));
        *state = State::Ended;
        was_open
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        matches!(*sync::lock(&self.state), State::Ended)
    }
}

/// The first tick of the row `due`, `due + period`, ... after `now`.
fn next(due: Instant, period: Duration, now: Instant) -> Option<Instant> {
    let nanos = period.as_nanos().max(1);
    let left = nanos - now.saturating_duration_since(due).as_nanos() % nanos;
    let (seconds, nanos) = (u64::try_from(left / 1_000_000_000).ok()?, u32::try_from(left % 1_000_000_000).ok()?);
    now.checked_add(Duration::new(seconds, nanos))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Tick, Timer};

    const STEP: Duration = Duration::from_secs(1);

    #[test]
    fn a_single_timer_comes_once_and_ends() {
        let start = Instant::now();
        let timer = Timer::once(Some(start + STEP));

        assert_eq!(timer.ask(start), Tick::Due(Some(start + STEP)));
        assert_eq!(timer.ask(start + STEP), Tick::Came(start + STEP));
        assert_eq!(timer.ask(start + STEP), Tick::Ended);
    }

    #[test]
    fn a_row_of_ticks_keeps_its_rhythm_and_skips_what_was_missed() {
        let start = Instant::now();
        let timer = Timer::every(STEP, Some(start + STEP));

        assert_eq!(timer.ask(start + STEP * 7 / 2), Tick::Came(start + STEP));
        assert_eq!(timer.ask(start + STEP * 7 / 2), Tick::Due(Some(start + STEP * 4)));
    }

    #[test]
    fn a_row_of_short_periods_goes_on_after_a_long_pause() {
        let start = Instant::now();
        let timer = Timer::every(Duration::from_nanos(1), Some(start));

        assert_eq!(timer.ask(start + STEP * 60), Tick::Came(start));
        assert_eq!(timer.due(), Some(start + STEP * 60 + Duration::from_nanos(1)));
    }

    #[test]
    fn an_ended_timer_never_comes() {
        let timer = Timer::once(None);

        assert!(timer.end());
        assert!(!timer.end());
        assert_eq!(timer.ask(Instant::now()), Tick::Ended);
    }
}
