"""Fixed: whoever hands out clones closes the sender that they were cloned from.

Each end has one owner who closes it: the tasks close the clones that were moved into them, and this function closes its
own. Compare `forgotten_close_broken.py`.

Prints:

    6 lines came, and that is all
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
    """Run both sides."""
    sender, receiver = fl.channel(8)
    came = fl.AtomicInt()
    with fl.scope() as scope:
        with sender:
            for _ in range(2):
                scope.spawn(produce, sender.clone().move())
        scope.spawn(consume, receiver.move(), came)
    print(f"{came.load()} lines came, and that is all")


if __name__ == "__main__":
    main()
