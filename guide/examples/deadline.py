"""A scope with a deadline: whoever still waits when the time is over stops waiting.

No thread is left behind, and the task that was done in time keeps its result.

Prints:

    the quick one returned 42
    out of time: the scope ran out of its 0.5 s
"""

import fearless as fl


def quick() -> int:
    """Return at once."""
    return 42


def slow() -> None:
    """Wait much longer than the scope lasts."""
    fl.sleep(3600)


def main() -> None:
    """Give both half a second."""
    try:
        with fl.scope(timeout=0.5) as scope:
            answer = scope.spawn(quick)
            scope.spawn(slow)
    except fl.Timeout as error:
        print(f"the quick one returned {answer.join()}")
        print(f"out of time: {error}")


if __name__ == "__main__":
    main()
