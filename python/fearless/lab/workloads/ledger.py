"""A ledger: every item moves money between two of many accounts.

Each file of the corpus is an account. For each block of its lines it pays each module of the corpus that it imports, a
token for a token, as long as it can: so balances depend on the order of the payments, and their sum does not.
"""

from __future__ import annotations

import re
from pathlib import Path

from fearless import workload
from fearless.lab import corpus

TOKEN = re.compile(r"\w+|[-+*/%@&|^~<>=!:.,]+|[()\[\]{}]")
IMPORT = re.compile(r"^ *import (\w+)$", re.MULTILINE)
BLOCK = 40  # lines
OPENING = 50_000  # tokens on each account

Payment = tuple[str, str, str]  # payer, payee, and the lines that are paid for
Paid = tuple[str, str, int]  # payer, payee, amount
Balances = dict[str, int]


@workload
class Ledger:
    """Pay the modules that each file imports, token by token, from balances that must not fall below 0."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[Payment]:
        """One for each block of lines and each module that its file imports."""
        files = corpus.files(self.folder)
        paths = {Path(path).stem: path for path in files}
        found = []
        for payer in files:
            text = corpus.read_text(payer)
            imported = set(IMPORT.findall(text)) & paths.keys()
            payees = sorted({paths[module] for module in imported} - {payer})
            lines = text.splitlines(keepends=True) if payees else []
            for first in range(0, len(lines), BLOCK):
                block = "".join(lines[first : first + BLOCK])
                found += [(payer, payee, block) for payee in payees]
        return found

    def start(self) -> Balances:
        """The same on each account."""
        return dict.fromkeys(corpus.files(self.folder), OPENING)

    def work(self, item: Payment) -> Paid:
        """What the lines cost."""
        payer, payee, block = item
        return payer, payee, len(TOKEN.findall(block))

    def keys(self, item: Payment) -> list[str]:
        """The two accounts."""
        return [item[0], item[1]]

    def update(self, state: Balances, part: Paid) -> None:
        """Move the amount, unless the payer has less."""
        payer, payee, amount = part
        if state[payer] >= amount:
            state[payer] -= amount
            state[payee] += amount

    def check(self, state: Balances) -> None:
        """Nothing was lost or made, and nobody owes."""
        total, found = OPENING * len(state), sum(state.values())
        if found != total:
            raise AssertionError(f"the balances add up to {found}, not to {total}")
        if min(state.values()) < 0:
            raise AssertionError(f"a balance is {min(state.values())}")
