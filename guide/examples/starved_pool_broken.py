"""Broken: tasks of a pool that wait for tasks of the same pool.

Both workers are in a task that waits for another, and nobody is left to run those. With one folder at a time all goes
well, so tests pass; the pool stands still on the day when two come together. Without the timeout it would for ever.
`starved_pool_fixed.py` waits only where somebody can run.

Prints:

    2 folders waited in vain
"""

import threading
from concurrent.futures import Executor, ThreadPoolExecutor


def size_of_file(size: int) -> int:
    """Measure one file."""
    return size


def size_of_folder(pool: Executor, together: threading.Barrier, files: list[int]) -> int | None:
    """Measure the files of one folder, each as a task."""
    together.wait(timeout=10)
    tasks = [pool.submit(size_of_file, size) for size in files]
    try:
        return sum(task.result(timeout=0.5) for task in tasks)
    except TimeoutError:
        return None
    finally:
        together.wait(timeout=10)  # until both have given up, nobody does


def main() -> None:
    """Measure two folders at once, with two workers."""
    together = threading.Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        folders = [pool.submit(size_of_folder, pool, together, files) for files in ([1, 2], [3, 4])]
        sizes = [folder.result() for folder in folders]
    print(f"{sizes.count(None)} folders waited in vain")


if __name__ == "__main__":
    main()
