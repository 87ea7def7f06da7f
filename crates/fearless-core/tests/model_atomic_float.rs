//! Models of `AtomicFloat`: no addition is lost.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    atomic_float::AtomicFloat,
    sync::{Arc, thread},
};

/// Fails without the compare-exchange of `AtomicFloat::change` (a store instead).
#[test]
fn additions_of_several_threads_add_up() {
    explore(3, || {
        let number = Arc::new(AtomicFloat::new(0.0));
        let adders = [0.5, 4.0].map(|amount| {
            let number = Arc::clone(&number);
            thread::spawn(move || number.fetch_add(amount))
        });
        number.fetch_sub(16.0);

        for adder in adders {
            adder.join().expect("no panic");
        }

        assert_eq!(number.load().to_bits(), (-11.5_f64).to_bits());
    });
}

/// NaN is NaN here, so that a loop of load and compare-exchange ends.
///
/// Fails without `is_nan` in `is_same`.
#[test]
fn no_number_can_be_exchanged() {
    explore(2, || {
        let number = Arc::new(AtomicFloat::new(f64::NAN));
        let rival = thread::spawn({
            let number = Arc::clone(&number);
            move || number.compare_exchange(f64::NAN, 1.0).is_ok()
        });

        let mine = number.compare_exchange(f64::NAN, 2.0).is_ok();

        assert!(mine != rival.join().expect("no panic"), "one of two is first");
    });
}
