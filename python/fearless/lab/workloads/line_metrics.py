"""Line metrics: how many lines of code, comment and nothing. Adds whole numbers under keys that stay the same."""

from __future__ import annotations

import re
from keyword import kwlist

from fearless import workload
from fearless.lab import corpus

TOKEN = re.compile(r"\w+|[-+*/%@&|^~<>=!:.,]+|[()\[\]{}]")

Totals = dict[str, int]


@workload
class LineMetrics:
    """Count lines of code, comments and blanks, names, keywords, numbers and operators."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[str]:
        """The text of each file."""
        return [corpus.read_text(path) for path in corpus.files(self.folder)]

    def start(self) -> Totals:
        """All totals at nothing. There is no ``update``, so parts are added."""
        return dict.fromkeys(("lines", "blank", "comment", "code", "names", "keywords", "numbers", "operators"), 0)

    def work(self, item: str) -> Totals:
        """The totals of one file."""
        lines = [line.strip() for line in item.splitlines()]
        blank = lines.count("")
        code = [line for line in lines if line and not line.startswith("#")]
        return {
            "lines": len(lines),
            "blank": blank,
            "comment": len(lines) - len(code) - blank,
            "code": len(code),
            **_tokens("\n".join(code)),
        }


def _tokens(code: str) -> Totals:
    """The tokens of each kind.

    One call of the shared pattern, and a set of keywords of its own: both are looked up for every token, and on a
    free-threaded build threads would contend for the reference counts of what they share. No groups in the pattern,
    as each match would then be a tuple: many of those make the garbage collector run, which stops every thread there.
    """
    reserved = set(kwlist)
    names = keywords = numbers = operators = 0
    for token in TOKEN.findall(code):
        if token in reserved:
            keywords += 1
        elif token.isidentifier():
            names += 1
        elif token[0].isdigit():
            numbers += 1
        else:
            operators += 1
    return {"names": names, "keywords": keywords, "numbers": numbers, "operators": operators}
