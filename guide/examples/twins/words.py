"""The job of these programs: how many words there are of each length. Rust has the same in `fearless_patterns::words`.

A word is a run of ASCII letters. The totals are sums, so parts can be joined in any order. Nothing here runs at the
same time as something else.
"""

import re

LONGEST = 16  # words of this length and longer are counted together

Totals = list[int]
"""How many words there are of each length; the first is of those with one letter."""


def lengths(text: str) -> Totals:
    """Count the words of one text. This touches nothing that is shared."""
    totals = [0] * LONGEST
    for word in re.findall("[A-Za-z]+", text):
        totals[min(len(word), LONGEST) - 1] += 1
    return totals


def add(total: Totals, part: Totals) -> None:
    """Join a part to a total."""
    for place, amount in enumerate(part):
        total[place] += amount


def digest(totals: Totals) -> str:
    """Return what differs where totals differ: FNV-1a over their bytes, eight of each, the lowest first."""
    found = 0xCBF29CE484222325
    for byte in b"".join(amount.to_bytes(8, "little") for amount in totals):
        found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}"
