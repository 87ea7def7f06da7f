//! Models of the event: nobody who waits when it is set is left behind, and nobody goes on who came after it was cleared.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::{
    explore,
    notified::{run, waiter},
};
use fearless_core::{
    event::Event,
    gate::{Gate, Passing},
    select::{Select, Source, Standing},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        thread,
    },
    waiter::{Claim, Waiter},
};

/// Waits as a blocking call does; whether the event was set.
fn wait(event: &Event, deadline: Option<Instant>) -> bool {
    let waiter = Waiter::new();
    let Some(ticket) = event.gate().wait(&waiter) else { return true };
    let claim = waiter.wait(deadline);
    event.gate().leave(ticket);
    matches!(claim, Claim::Ready(_))
}

/// Keeps the gate of an event.
struct Of(Arc<Event>);

impl std::ops::Deref for Of {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        self.0.gate()
    }
}

/// The event is set while a thread and a coroutine begin to wait. Both go on, and see what was done before.
///
/// Fails without the look at `is_open` in `enlist`, without the claim in `open`, and with a relaxed order in `is_open` and `open`.
#[test]
fn setting_meets_those_who_begin_to_wait() {
    explore(3, || {
        let event = Arc::new(Event::new());
        let written = Arc::new(AtomicU64::new(0));
        let thread = thread::spawn({
            let (event, written) = (Arc::clone(&event), Arc::clone(&written));
            move || {
                assert!(event.is_set() || wait(&event, None));
                written.load(Ordering::Relaxed)
            }
        });
        let coroutine = thread::spawn({
            let (operation, written) = (Passing::new(Of(Arc::clone(&event))), Arc::clone(&written));
            move || {
                run(operation);
                written.load(Ordering::Relaxed)
            }
        });

        written.store(1, Ordering::Relaxed);
        event.set().wake();

        assert_eq!(thread.join().expect("no panic"), 1);
        assert_eq!(coroutine.join().expect("no panic"), 1);
        assert_eq!(event.gate().waiting(), 0);
    });
}

/// The event is set and cleared at once. Those who wait go on, a coroutine too, whose turn comes much later.
///
/// Fails without the `passed` that `open` notes, and if the operation does not keep it.
#[test]
fn who_waits_when_it_is_set_goes_on_though_it_is_cleared() {
    explore(3, || {
        let event = Arc::new(Event::new());
        let (enlisted, _) = waiter();
        let (mut select, mut sources) = (Select::default(), [Passing::new(Of(Arc::clone(&event)))]);
        assert!(sources[0].enlist(&enlisted, 0));
        let direct = Waiter::new();
        let ticket = event.gate().wait(&direct).expect("it is clear");
        let setter = thread::spawn({
            let event = Arc::clone(&event);
            move || {
                event.set().wake();
                event.clear();
            }
        });

        assert_eq!(direct.wait(None), Claim::Ready(0));
        event.gate().leave(ticket);
        setter.join().expect("no panic");

        assert_eq!(select.finish(&mut sources, &enlisted), Standing::Done(0));
        assert!(!event.is_set());
        assert_eq!(event.gate().waiting(), 0);
    });
}

/// The event is set and cleared by two threads. Who begins to wait after it was cleared goes on only if it is set afterwards.
///
/// Fails if `open` opens the gate before it has the lock.
#[test]
fn nobody_goes_on_who_came_after_it_was_cleared() {
    explore(3, || {
        let event = Arc::new(Event::new());
        let setter = thread::spawn({
            let event = Arc::clone(&event);
            move || event.set().wake()
        });

        event.clear();
        let went_on = wait(&event, Some(Instant::now()));

        setter.join().expect("no panic");
        assert!(event.is_set() || !went_on);
    });
}

/// A deadline meets the setting: the call goes on or gives up, and leaves nothing behind.
///
/// Fails without the `remove` in `leave`.
#[test]
fn a_deadline_meets_the_setting() {
    explore(3, || {
        let event = Arc::new(Event::new());
        let hasty = thread::spawn({
            let event = Arc::clone(&event);
            move || wait(&event, Some(Instant::now()))
        });

        event.set().wake();

        hasty.join().expect("no panic");
        assert_eq!(event.gate().waiting(), 0);
    });
}
