"""Fixed: a bounded channel makes a fast producer wait for a slow consumer.

Sixteen lines smooth out a hiccup. What goes beyond is not made yet, so it costs no memory; this is back-pressure.
Compare `growth_broken.py`.

Prints:

    the producer waits, at most 16 lines ahead
    10000 lines made, 10000 of them stored
"""

import fearless as fl


def produce(lines: fl.Sender[str], made: fl.AtomicInt) -> None:
    """Make lines as fast as the consumer can store them."""
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
    sender, receiver = fl.channel(16)
    disk_is_back, outage = fl.channel(0)
    made, stored = fl.AtomicInt(), fl.AtomicInt()
    with fl.scope() as scope:
        producer = scope.spawn(produce, sender.move(), made)
        scope.spawn(store, receiver.move(), outage.move(), stored)
        try:
            producer.join(timeout=0.2)
        except fl.Timeout:
            assert made.load() <= 16
            print("the producer waits, at most 16 lines ahead")
        disk_is_back.close()
    print(f"{made.load()} lines made, {stored.load()} of them stored")


if __name__ == "__main__":
    main()
