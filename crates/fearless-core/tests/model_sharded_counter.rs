//! Models of the sharded counter: a seat has one thread at a time, and no addition is lost when it changes hands.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    sharded_counter::{Seats, ShardedCounter},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        thread,
    },
};

/// Two threads that come and go, mostly on the same seat: each goes on from where the one before has stopped.
///
/// Fails without the acquire of `take`, without the release of `leave`, and without the compare-exchange of `take` (a
/// store instead).
#[test]
fn a_seat_that_changes_hands_loses_nothing() {
    explore(3, || {
        let all = Arc::new((Seats::new(), ShardedCounter::new()));
        let count = |all: &(Seats, ShardedCounter)| {
            let seat = all.0.take().expect("there are more seats than threads");
            all.1.add(Some(&seat), 1).expect("far from the edge");
            all.0.leave(seat);
        };
        let others = [(); 2].map(|()| {
            let all = Arc::clone(&all);
            thread::spawn(move || count(&all))
        });
        count(&all);

        for other in others {
            other.join().expect("no panic");
        }

        assert_eq!(all.1.sum(), 3);
    });
}

/// Threads without a seat share a shard.
///
/// Fails if `add_shared` loads and stores.
#[test]
fn threads_without_a_seat_lose_nothing() {
    explore(3, || {
        let counter = Arc::new(ShardedCounter::new());
        let others = [(); 2].map(|()| {
            let counter = Arc::clone(&counter);
            thread::spawn(move || counter.add(None, 1).expect("far from the edge"))
        });
        counter.add(None, 1).expect("far from the edge");

        for other in others {
            other.join().expect("no panic");
        }

        assert_eq!(counter.sum(), 3);
    });
}

/// What is seen in a sum has happened, with all that its thread did before.
///
/// Fails without the release of the store in `add`, and without the acquire of `sum`.
#[test]
fn who_sees_an_addition_sees_what_came_before() {
    explore(2, || {
        let all = Arc::new((Seats::new(), ShardedCounter::new(), AtomicBool::new(false)));
        let seat = all.0.take().expect("it is the first");
        all.1.add(Some(&seat), 1).expect("far from the edge"); // makes the shards, which would bring an order of its own
        let adding = thread::spawn({
            let all = Arc::clone(&all);
            move || {
                all.2.store(true, Ordering::Relaxed);
                all.1.add(Some(&seat), 1).expect("far from the edge");
            }
        });

        let reading = thread::spawn({
            let all = Arc::clone(&all);
            move || (all.1.sum(), all.2.load(Ordering::Relaxed))
        });

        adding.join().expect("no panic");
        assert_ne!(reading.join().expect("no panic"), (2, false));
    });
}
