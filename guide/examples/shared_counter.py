"""A mutex that owns a dictionary, and an atomic for what is only a number.

The dictionary is reached by the guard alone, and the guard only while the lock is held, so that nobody can forget to
take it. The atomic needs no lock, but each of its methods is atomic by itself only.

Prints:

    {'a': 2000, 'b': 2000, 'c': 4000}
    8000 letters
"""

import fearless as fl


def count(letters: str, totals: fl.Mutex[dict[str, int]], seen: fl.AtomicInt) -> None:
    """Count letters into what is shared."""
    for letter in letters:
        seen.add(1)
        with totals as guard:
            guard[letter] = guard.value.get(letter, 0) + 1


def main() -> None:
    """Count in four threads."""
    totals: fl.Mutex[dict[str, int]] = fl.Mutex({})
    seen = fl.AtomicInt()
    with fl.scope() as scope:
        for _ in range(4):
            scope.spawn(count, "abcc" * 500, totals, seen)
    with totals as guard:
        print(dict(sorted(guard.value.items())))
    print(f"{seen.load()} letters")


if __name__ == "__main__":
    main()
