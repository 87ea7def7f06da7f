"""Broken: a thread that is told to end on the last line is never told if a line before it fails.

The error is caught further up, the program goes on, and the heart beats for a service that there is not any more. One
thread for each failure stays, until somebody asks why there are thousands. `leaked_thread_fixed.py` cannot leave one.

Prints:

    serving failed: no such table
    threads left behind: ['heartbeat']
"""

import threading


def beat(stop: threading.Event) -> None:
    """Say every minute that the service is alive."""
    while not stop.wait(60):
        pass


def serve(stop: threading.Event) -> None:
    """Serve while a heart beats."""
    threading.Thread(target=beat, args=(stop,), name="heartbeat").start()
    raise LookupError("no such table")
    stop.set()


def main() -> None:
    """Serve, and look at what is left."""
    stop, before = threading.Event(), set(threading.enumerate())
    try:
        serve(stop)
    except LookupError as error:
        print(f"serving failed: {error}")
    print(f"threads left behind: {[thread.name for thread in threading.enumerate() if thread not in before]}")
    stop.set()  # so that the example ends


if __name__ == "__main__":
    main()
