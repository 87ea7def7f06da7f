//! Every pattern comes to the serial result, whatever the texts and the number of workers.

use fearless_patterns::words::{LONGEST, digest};
use fearless_patterns::{PATTERNS, serial};

fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| "a bb ccc, dddd".repeat(number % 7) + &"x".repeat(number)).collect()
}

#[test]
fn every_pattern_equals_serial() {
    for count in [0, 1, 2, 100] {
        let texts = texts(count);
        let expected = serial::count(&texts, 1);
        for (name, pattern) in PATTERNS {
            for workers in [1, 2, 5] {
                assert_eq!(pattern(&texts, workers), expected, "{name}, {workers} workers, {count} texts");
            }
        }
    }
}

#[test]
fn words_are_runs_of_ascii_letters() {
    let totals = serial::count(&["it's 2 über-long_words".to_string()], 1);
    let mut expected = [0; LONGEST];
    for length in [2, 1, 3, 4, 5] {
        expected[length - 1] += 1; // it, s, ber, long, words
    }
    assert_eq!(totals, expected);
}

#[test]
fn the_digest_tells_totals_apart() {
    let (one, other) = (serial::count(&["word".to_string()], 1), serial::count(&["words".to_string()], 1));
    assert_ne!(digest(&one), digest(&other));
}
