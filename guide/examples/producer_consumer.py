"""Producers and consumers: each end of a channel has one owner, and the end of the data needs no sentinel.

A sender that is moved into a task is closed when the task ends, also by an error. When all senders are closed and the
channel is drained, the loops of the consumers end. The channel holds 16 lines: a fast producer waits for the consumers.

Prints:

    3 producers, 2 consumers, 3000 lines, 14670 characters
"""

import fearless as fl


def produce(number: int, lines: fl.Sender[str]) -> None:
    """Send a thousand lines."""
    for line in range(1000):
        lines.send(f"{number}:{line}")


def consume(lines: fl.Receiver[str]) -> tuple[int, int]:
    """Count lines and their characters, until there will be no more."""
    count = length = 0
    for line in lines:
        count += 1
        length += len(line)
    return count, length


def main() -> None:
    """Run three producers and two consumers."""
    sender, receiver = fl.channel(16)
    with fl.scope() as scope:
        for number in range(3):
            scope.spawn(produce, number, sender.clone().move())
        sender.close()  # ours; the three clones are closed by their tasks
        counters = [scope.spawn(consume, receiver.clone().move()) for _ in range(2)]
        receiver.close()
    counted = [counter.join() for counter in counters]
    count, length = (sum(column) for column in zip(*counted, strict=True))
    print(f"3 producers, 2 consumers, {count} lines, {length} characters")


if __name__ == "__main__":
    main()
