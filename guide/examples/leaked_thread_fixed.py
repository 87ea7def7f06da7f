"""Fixed: the block owns the thread, so it ends with the block, whichever way that is left.

The failure cancels the scope, the cancellation ends the sleep, and the block joins the thread before the error goes on.
Nobody has to remember to stop anything. Compare `leaked_thread_broken.py`.

Prints:

    serving failed: no such table
    threads left behind: []
"""

import threading

import fearless as fl


def beat() -> None:
    """Say every minute that the service is alive."""
    while True:
        fl.sleep(60)


def serve() -> None:
    """Serve while a heart beats."""
    with fl.scope() as scope:
        scope.options(name="heartbeat").spawn(beat)
        raise LookupError("no such table")


def main() -> None:
    """Serve, and look at what is left."""
    before = set(threading.enumerate())
    try:
        serve()
    except* LookupError as failures:
        print(f"serving failed: {failures.exceptions[0].args[0]}")
    print(f"threads left behind: {[thread.name for thread in threading.enumerate() if thread not in before]}")


if __name__ == "__main__":
    main()
