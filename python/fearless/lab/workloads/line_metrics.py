"""Line metrics: what lines, tokens and characters of a program are. Adds ints under keys that stay the same."""

from __future__ import annotations

import re
from keyword import kwlist

from fearless import workload
from fearless.lab import corpus

TOKEN = re.compile(r"\w+|[-+*/%@&|^~<>=!:.,]+|[()\[\]{}]")
# Each adds a path through the code.
BRANCHES = ("if", "elif", "for", "while", "except", "and", "or", "case")
LONG = 79  # columns
DEEP = 12  # columns of indentation

CHARACTERS = ("characters", "letters", "digits")
LINES = ("lines", "blank", "comment", "code", "long", "deep")
TOKENS = (
    "names",
    "private",
    "constants",
    "branches",
    "keywords",
    "numbers",
    "operators",
)

Totals = dict[str, int]


@workload
class LineMetrics:
    """Count lines of code, comments and blanks, names, keywords, branches, numbers and operators."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[str]:
        """The text of each file."""
        return [corpus.read_text(path) for path in corpus.files(self.folder)]

    def start(self) -> Totals:
        """All totals at nothing. There is no ``update``, so parts are added."""
        return dict.fromkeys((*CHARACTERS, *LINES, *TOKENS), 0)

    def work(self, item: str) -> Totals:
        """The totals of one file."""
        code: list[str] = []
        found = _characters(item) | _lines(item.splitlines(), code)
        return found | _tokens("\n".join(code))


def _characters(text: str) -> Totals:
    """The characters of each kind."""
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return {"characters": len(text), "letters": letters, "digits": digits}


def _lines(lines: list[str], code: list[str]) -> Totals:
    """The lines of each kind; those of code are also appended to ``code``, without their indentation."""
    blank = comment = long = deep = 0
    for line in lines:
        text = line.strip()
        if not text:
            blank += 1
        elif text[0] == "#":
            comment += 1
        else:
            code.append(text)
            deep += len(line) - len(line.lstrip()) >= DEEP
        long += len(line) > LONG
    found = (len(lines), blank, comment, len(code), long, deep)
    return dict(zip(LINES, found, strict=True))


def _tokens(code: str) -> Totals:
    """The tokens of each kind.

    One call of the shared pattern, and sets of words of its own: both are looked up for every token, and on a
    free-threaded build threads would contend for the reference counts of what they share. No groups in the pattern, as
    each match would then be a tuple: many of those make the garbage collector run, which stops every thread there.
    """
    reserved, branching = set(kwlist), set(BRANCHES)
    names = private = constants = branches = keywords = numbers = operators = 0
    for token in TOKEN.findall(code):
        if token in reserved:
            keywords += 1
            branches += token in branching
        elif token.isidentifier():
            names += 1
            private += token.startswith("_")
            constants += token.isupper()
        elif token[0].isdigit():
            numbers += 1
        else:
            operators += 1
    found = (names, private, constants, branches, keywords, numbers, operators)
    return dict(zip(TOKENS, found, strict=True))
