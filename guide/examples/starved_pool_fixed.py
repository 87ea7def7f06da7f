"""Fixed: a task that waits for others starts them in a scope, with threads of their own.

Then those who are waited for need no worker. It is right when there are few of them; where there are many, let the one
outside the pool submit all: tasks that never wait cannot starve. Compare `starved_pool_broken.py`.

Prints:

    10 bytes
"""

import threading

import fearless as fl


def size_of_file(size: int) -> int:
    """Measure one file."""
    return size


def size_of_folder(together: threading.Barrier, files: list[int]) -> int:
    """Measure the files of one folder, each in a thread."""
    together.wait(timeout=10)
    with fl.scope() as scope:
        tasks = [scope.spawn(size_of_file, size) for size in files]
    return sum(task.join() for task in tasks)


def main() -> None:
    """Measure two folders at once, with two workers."""
    together = threading.Barrier(2)
    with fl.ThreadPool(2) as pool:
        folders = [pool.submit(size_of_folder, together, files) for files in ([1, 2], [3, 4])]
        print(f"{sum(folder.result() for folder in folders)} bytes")


if __name__ == "__main__":
    main()
