"""Broken: an unbounded channel holds whatever its consumer is too slow for.

The consumer stores lines, and its disk is away for a while. Nothing tells the producer, so all that it makes is kept in
memory. In a program that runs for days this is a leak. `growth_fixed.py` differs in one number.

Prints:

    10000 lines made, none of them stored
"""

import fearless as fl


def produce(lines: fl.Sender[str], made: fl.AtomicInt) -> None:
    """Make lines as fast as possible."""
    for number in range(10_000):
        lines.send(f"line {number}")
        made.add(1)


def store(lines: fl.Receiver[str], outage: fl.Receiver[None], stored: fl.AtomicInt) -> None:
    """Store lines, but only once the disk is back."""
    for _ in outage:
        pass
    for _ in lines:
        stored.add(1)


def main() -> None:
    """Look at how much was made while nothing could be stored."""
    sender, receiver = fl.channel(None)
    disk_is_back, outage = fl.channel(0)
    made, stored = fl.AtomicInt(), fl.AtomicInt()
    with fl.scope() as scope:
        producer = scope.spawn(produce, sender.move(), made)
        scope.spawn(store, receiver.move(), outage.move(), stored)
        producer.join()
        print(f"{made.load()} lines made, {stored.load() or 'none'} of them stored")
        disk_is_back.close()


if __name__ == "__main__":
    main()
