"""Fixed: a task that waits for tasks which it submitted itself, and which nobody has begun, makes those calls.

A `ThreadPool` does so in `result()`, `join()` and `map`. The waiting worker is no worker less then, and two are enough
for any depth. It is for calls that need no lock which the waiting one holds. With a `ThreadPoolExecutor`, let the one
outside the pool submit all tasks, so that none has to wait. Compare `starved_pool_broken.py`.

Prints:

    10 bytes
"""

import threading

import fearless as fl


def size_of_file(size: int) -> int:
    """Measure one file."""
    return size


def size_of_folder(pool: fl.ThreadPool, together: threading.Barrier, files: list[int]) -> int:
    """Measure the files of one folder, each as a task."""
    together.wait(timeout=10)
    tasks = [pool.submit(size_of_file, size) for size in files]
    return sum(task.result() for task in tasks)


def main() -> None:
    """Measure two folders at once, with two workers."""
    together = threading.Barrier(2)
    with fl.ThreadPool(2) as pool:
        folders = [pool.submit(size_of_folder, pool, together, files) for files in ([1, 2], [3, 4])]
        print(f"{sum(folder.result() for folder in folders)} bytes")


if __name__ == "__main__":
    main()
