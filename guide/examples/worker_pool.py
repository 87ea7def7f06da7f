"""A pool: workers that are used again, and results in the order of the calls or in the order in which they come.

A pool is a `concurrent.futures.Executor` and its tasks are futures, so `as_completed` takes them. `backlog=8` lets at
most eight calls wait: a caller that is too fast waits in `submit`.

Prints:

    3 digests, the first begins with 2d7116
    largest first: [3, 2, 1]
    one failed: ValueError: empty
"""

import hashlib
from concurrent.futures import as_completed

import fearless as fl


def digest(text: str) -> str:
    """Compute the digest of a text, which must not be empty."""
    if not text:
        raise ValueError("empty")
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Use one pool in three ways."""
    with fl.ThreadPool(4, backlog=8) as pool:
        digests = list(pool.map(digest, ["x", "y", "z"]))
        sizes = [pool.submit(len, "x" * size) for size in (1, 2, 3)]
        done = sorted((task.result() for task in as_completed(sizes)), reverse=True)
        failed = pool.submit(digest, "")
    print(f"{len(digests)} digests, the first begins with {digests[0][:6]}")
    print(f"largest first: {done}")
    print(f"one failed: {type(failed.exception()).__name__}: {failed.exception()}")


if __name__ == "__main__":
    main()
