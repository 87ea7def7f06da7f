"""A crawler of a small site: a scope with a deadline, a bounded pool, cancellation, and `par` over what was found.

One thread owns what is known of the site; the workers only send it what they have read. So nothing is shared, and
nothing needs a lock. One page of the site never ends, as calendars do: it is given up when all others have been
answered, and where there is nothing else to read, the deadline ends it.

Prints:

    5 answers
    10 answers
    12 pages; broken: ['/gone']; given up: ['/calendar']
    'lock' is on ['/atomic', '/locks', '/mutex', '/rwlock']
    out of time: 0 pages; broken: []; given up: ['/calendar']
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

import fearless as fl

# What is on a page: words, and links to other pages. A page that is not here is broken, and the calendar has no end.
SITE = {
    "/": "the site /threads /locks /calendar /gone",
    "/threads": "threads work together /scope /pool /par",
    "/scope": "a block that owns threads",
    "/pool": "threads that are used again /backlog",
    "/backlog": "who submits too much has to wait",
    "/par": "one function over many items /chunks /cursor",
    "/chunks": "several items for one worker",
    "/cursor": "the next item that nobody has",
    "/locks": "what a lock is for /mutex /rwlock /atomic",
    "/mutex": "a lock that owns its value",
    "/rwlock": "a lock for many readers",
    "/atomic": "a number that needs no lock",
}
CALENDAR = "/calendar"
Address = tuple[str, int]


@dataclass
class Answer:
    """What came of one page: its text, or `None` where there is no such page."""

    path: str
    text: str | None


@dataclass
class Crawl:
    """What is known of the site."""

    pages: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def answers(self) -> int:
        """How many pages were answered."""
        return len(self.pages) + len(self.broken)

    def __str__(self) -> str:
        """Tell how far it got."""
        given_up = sorted(self.asked - self.pages.keys() - set(self.broken))
        return f"{len(self.pages)} pages; broken: {self.broken}; given up: {given_up}"


def fetch(address: Address, path: str, answers: fl.Sender[Answer]) -> None:
    """Read a page and send it on. No read from a socket can be cancelled, so it asks between two lines."""
    with closing(HTTPConnection(*address, timeout=30)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        text = []
        for line in response:
            fl.checkpoint()
            text.append(line.decode())
    answers.send(Answer(path, "".join(text) if response.status == HTTPStatus.OK else None))


def crawl(known: Crawl, address: Address, start: str, *, enough: int, seconds: float) -> None:
    """Follow the links from one page on, until there are enough answers. Raises `fl.Timeout` after so many seconds."""
    # The results may have no bound: this thread waits in `submit` while the pool is busy and cannot receive then. There
    # are never more of them than calls that were submitted, and those have a bound.
    answers, answered = fl.channel(None)
    with answers, answered, fl.ThreadPool(4, backlog=8) as pool, fl.scope(timeout=seconds) as scope:
        ask = [start]
        while known.answers() < enough:
            for path in ask:
                known.asked.add(path)
                scope.submit(pool, fetch, address, path, answers)
            answer = answered.recv()
            if answer.text is None:
                known.broken.append(answer.path)
            else:
                known.pages[answer.path] = answer.text
            ask = [word for word in (answer.text or "").split() if word.startswith("/") and word not in known.asked]
            if known.answers() % 5 == 0:
                print(f"{known.answers()} answers")
        scope.cancel()  # what is still being read is not wanted any more


def enter(index: dict[str, set[str]], page: tuple[str, str]) -> dict[str, set[str]]:
    """Enter the words of a page into an index that no other thread has."""
    path, text = page
    for word in text.split():
        index.setdefault(word, set()).add(path)
    return index


def join(left: dict[str, set[str]], right: dict[str, set[str]]) -> dict[str, set[str]]:
    """Join two parts of the index."""
    for word, paths in right.items():
        left.setdefault(word, set()).update(paths)
    return left


@contextmanager
def served() -> Iterator[Address]:
    """Serve the site on this machine, as long as the block lasts."""
    closed = threading.Event()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is given
            self.send_response(HTTPStatus.OK if self.path in (*SITE, CALENDAR) else HTTPStatus.NOT_FOUND)
            self.end_headers()
            with suppress(ConnectionError):  # who has read enough closes the connection
                self.wfile.write(SITE.get(self.path, "").encode())
                while self.path == CALENDAR and not closed.wait(0.01):
                    self.wfile.write(b"another day\n")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingTCPServer(("127.0.0.1", 0), Page) as server, fl.scope() as scope:  # waits for its threads at the end
        scope.spawn(server.serve_forever, 0.05)  # seconds until it looks whether to stop
        try:
            yield ("127.0.0.1", server.server_address[1])
        finally:
            closed.set()
            server.shutdown()


def main() -> None:
    """Crawl the site, index its words, and see a deadline."""
    with served() as address:
        site = Crawl()
        crawl(site, address, "/", enough=13, seconds=60)
        print(site)
        index = fl.par(site.pages.items(), workers=2).fold(dict, enter, join)
        print(f"'lock' is on {sorted(index['lock'])}")
        endless = Crawl()
        try:
            crawl(endless, address, CALENDAR, enough=1, seconds=0.2)
        except fl.Timeout:
            print(f"out of time: {endless}")


if __name__ == "__main__":
    main()
