"""Fixed: one task owns both accounts, and the others send it what is to be done.

There is no lock, so there is no order to get wrong, and no moment at which money has left one account and not reached
the other. The owner needs no care at all: its code is that of a program with one thread. Compare `two_locks_broken.py`.

Prints:

    alice: 80, bob: 120
"""

from typing import NamedTuple

import fearless as fl


class Transfer(NamedTuple):
    """What is to be done."""

    source: str
    target: str
    amount: int


def keep(accounts: dict[str, int], transfers: fl.Receiver[Transfer]) -> dict[str, int]:
    """Own the accounts, and do what comes."""
    for source, target, amount in transfers:
        accounts[source] -= amount
        accounts[target] += amount
    return accounts


def main() -> None:
    """Run two transfers in opposite directions."""
    sender, receiver = fl.channel(16)
    with fl.scope() as scope:
        owner = scope.spawn(keep, {"alice": 100, "bob": 100}, receiver.move())
        with sender:
            scope.spawn(fl.Sender.send, sender.clone().move(), Transfer("alice", "bob", 30))
            scope.spawn(fl.Sender.send, sender.clone().move(), Transfer("bob", "alice", 10))
    print(", ".join(f"{name}: {amount}" for name, amount in owner.join().items()))


if __name__ == "__main__":
    main()
