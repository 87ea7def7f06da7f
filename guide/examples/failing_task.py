"""A scope whose tasks wait for one another, and one of them fails.

The failure cancels the others: the wait for a message that will never come ends, and its `finally` still runs. The
scope has joined every thread by the time it raises, and what it raises is the failure, in a group.

Prints:

    the listener has tidied up
    1 failed: ZeroDivisionError('division by zero')
"""

import fearless as fl


def listen(ready: fl.Sender[None], inbox: fl.Receiver[str]) -> None:
    """Say that it listens, and wait for a message."""
    try:
        ready.send(None)
        inbox.recv()
    finally:
        print("the listener has tidied up")


def fail(ready: fl.Receiver[None]) -> float:
    """Do what cannot be done, once somebody listens."""
    ready.recv()
    return 1 / 0


def main() -> None:
    """Run both, and report."""
    outbox, inbox = fl.channel(1)
    say_ready, see_ready = fl.channel(1)
    try:
        with outbox, fl.scope() as scope:
            scope.spawn(listen, say_ready.move(), inbox.move())
            scope.spawn(fail, see_ready.move())
    except* ZeroDivisionError as failures:
        print(f"{len(failures.exceptions)} failed: {failures.exceptions[0]!r}")


if __name__ == "__main__":
    main()
