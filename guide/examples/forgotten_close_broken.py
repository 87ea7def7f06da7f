"""Broken: a sender that nobody uses is never closed, so the loop over the receiver has no end.

The two producers get clones, and each clone is closed when its task ends. The sender they were cloned from is still
open: for all that the channel knows, more could come. `forgotten_close_fixed.py` has the line that is missing.

Prints:

    6 lines came
    still waiting, although every producer has ended
"""

import fearless as fl


def produce(lines: fl.Sender[str]) -> None:
    """Send three lines."""
    for number in range(3):
        lines.send(f"line {number}")


def consume(lines: fl.Receiver[str], came: fl.AtomicInt) -> None:
    """Count lines until there will be no more."""
    for _ in lines:
        came.add(1)


def main() -> None:
    """Run both sides; the deadline is here so that the example ends."""
    sender, receiver = fl.channel(8)
    came = fl.AtomicInt()
    try:
        with fl.scope(timeout=0.5) as scope:
            producers = [scope.spawn(produce, sender.clone().move()) for _ in range(2)]
            scope.spawn(consume, receiver.move(), came)
    except fl.Timeout:
        print(f"{came.load()} lines came")
        assert all(task.done() for task in producers)
        print("still waiting, although every producer has ended")
    sender.close()  # too late


if __name__ == "__main__":
    main()
