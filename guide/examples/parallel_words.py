"""Data parallel work: map, filter, and a fold whose parts are merged at the end, so that nothing is shared.

Each worker folds its chunks into a counter of its own. Neighbouring parts are combined in the order of the items.

Prints:

    longest first: ['parallel', 'threads', 'chunks']
    [('the', 300), ('of', 200), ('end', 100)]
"""

from collections import Counter

import fearless as fl

LINES = ["the end of the line", "a part of the whole"] * 100


def add(counter: Counter[str], line: str) -> Counter[str]:
    """Count the words of a line into a counter that no other thread has."""
    counter.update(line.split())
    return counter


def merge(left: Counter[str], right: Counter[str]) -> Counter[str]:
    """Join the counters of two neighbouring parts."""
    left.update(right)
    return left


def main() -> None:
    """Filter some words, and count many."""
    words = ["threads", "and", "chunks", "in", "parallel"]
    long = fl.par(words, workers=2).filter(lambda word: len(word) > 5).collect()
    print(f"longest first: {sorted(long, key=len, reverse=True)}")
    counted: Counter[str] = fl.par(LINES, workers=2).fold(Counter, add, merge)
    print(counted.most_common(3))


if __name__ == "__main__":
    main()
