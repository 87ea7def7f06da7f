//! Models of `AtomicInt`: no addition is lost, and none that would overflow is ever seen.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    atomic_int::{AtomicInt, Overflow},
    sync::{Arc, thread},
};

/// Fails without the compare-exchange of `AtomicInt::fetch_change` (a store instead).
#[test]
fn additions_of_several_threads_add_up() {
    explore(3, || {
        let number = Arc::new(AtomicInt::new(0));
        let adders = [1, 10].map(|amount| {
            let number = Arc::clone(&number);
            thread::spawn(move || number.fetch_add(amount).expect("far from the edge"))
        });
        let mine = number.fetch_add(100).expect("far from the edge");

        let before = adders.map(|adder| adder.join().expect("no panic"));

        assert_eq!(number.load(), 111);
        assert!(!before.contains(&mine) && before[0] != before[1], "two additions found the same value");
    });
}

/// Two threads meet at the edge: one addition is refused, and no thread sees a value on the far side.
///
/// Fails without the check of `checked_add` in `AtomicInt::fetch_add` (a wrapping addition instead).
#[test]
fn an_addition_that_overflows_is_refused_and_never_seen() {
    explore(3, || {
        let number = Arc::new(AtomicInt::new(i64::MAX - 1));
        let adders = [(); 2].map(|()| {
            let number = Arc::clone(&number);
            thread::spawn(move || number.fetch_add(1))
        });
        let seen = number.load();

        let outcomes = adders.map(|adder| adder.join().expect("no panic"));

        assert!(seen >= i64::MAX - 1, "saw {seen}");
        assert_eq!(number.load(), i64::MAX);
        assert!(outcomes.contains(&Ok(i64::MAX - 1)) && outcomes.contains(&Err(Overflow { value: i64::MAX })));
    });
}
