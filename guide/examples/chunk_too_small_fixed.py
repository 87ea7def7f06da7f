"""Fixed: a task for each thousand numbers, so that handing it over is next to nothing beside the work in it.

`par` cuts chunks by itself, and smaller ones towards the end; by hand it looks like this. Compare
`chunk_too_small_broken.py`.

Prints:

    333283335000, by 10 tasks
"""

import fearless as fl

CHUNK = 1_000


def squares(first: int) -> int:
    """Add up the squares of a chunk."""
    return sum(number * number for number in range(first, first + CHUNK))


def main() -> None:
    """Add up squares."""
    with fl.ThreadPool(2) as pool:
        tasks = [pool.submit(squares, first) for first in range(0, 10_000, CHUNK)]
        total = sum(task.result() for task in tasks)
    assert total == fl.par(range(10_000), workers=2).map(lambda number: number * number).sum()
    print(f"{total}, by {len(tasks)} tasks")


if __name__ == "__main__":
    main()
