"""Broken: a task for each number, though a number is done sooner than a task is handed over.

The sum is right, and two workers need longer for it than one loop: nearly all they do is to take tasks from a queue.
`chunk_too_small_fixed.py` has a task for many.

Prints:

    333283335000, by 10000 tasks
"""

import fearless as fl


def square(number: int) -> int:
    """Square one number, which takes next to no time."""
    return number * number


def main() -> None:
    """Add up squares."""
    with fl.ThreadPool(2) as pool:
        tasks = [pool.submit(square, number) for number in range(10_000)]
        print(f"{sum(task.result() for task in tasks)}, by {len(tasks)} tasks")


if __name__ == "__main__":
    main()
