"""Fetching: every item asks a server for a source and waits for it, far longer than it takes to look through it.

The server is a process of its own, on this machine, with a delay that stands for the way to a distant one. It ends
with the workload, and by itself when the process that started it is gone, however that ended.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import threading
import weakref
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from fearless import workload
from fearless.lab import corpus

DEFINITION = re.compile(rb"^ *(?:def|class) (\w+)", re.MULTILINE)
HOST = "127.0.0.1"
PATIENCE = 30.0  # seconds for the server to start, to answer, and to end
BACKLOG = 1024  # connections that it has not looked at yet

Page = tuple[int, int]  # the port of the server, and the number of the source
Index = dict[str, int]


@workload
class Fetch:
    """Fetch Python sources from a server and count the names that they define; nearly all of it is waiting."""

    folder = corpus.STANDARD_LIBRARY
    sources = 120  # at the most
    latency = 0.005  # seconds until the server begins its answer

    def items(self) -> list[Page]:
        """The port of a server that is started here, and a number for each source."""
        paths = list(corpus.files(self.folder))[: self.sources]
        port = _started(self, paths, self.latency)
        return [(port, number) for number in range(len(paths))]

    def work(self, item: Page) -> Index:
        """What one source defines. The thread waits for the answer."""
        port, number = item
        with socket.create_connection((HOST, port), PATIENCE) as link:
            link.sendall(b"%d\n" % number)
            with link.makefile("rb") as answer:
                return _defined(answer.read())

    async def work_async(self, item: Page) -> Index:
        """The same; while it waits, the thread is free."""
        port, number = item
        answer, link = await asyncio.open_connection(HOST, port)
        try:
            link.write(b"%d\n" % number)
            return _defined(await answer.read())
        finally:
            link.close()

    def start(self) -> Index:
        """Nothing yet."""
        return {}

    def update(self, state: Index, part: Index) -> None:
        """Add the counts of one source."""
        for name, count in part.items():
            state[name] = state.get(name, 0) + count

    def merge(self, state: Index, other: Index) -> None:
        """Add the counts of others."""
        self.update(state, other)


def _defined(source: bytes) -> Index:
    """How often each name is defined."""
    found: Index = {}
    for name in DEFINITION.findall(source):
        key = name.decode()
        found[key] = found.get(key, 0) + 1
    return found


def _started(owner: object, paths: list[str], latency: float) -> int:
    """The port of a new server, which ends with ``owner``. Raises: `RuntimeError` if it does not start."""
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=_serve, args=(there, paths, latency), daemon=True)
    server.name = "fetch-server"
    server.start()
    there.close()
    weakref.finalize(owner, _stop, server, here, os.getpid())
    try:
        if here.poll(PATIENCE):
            port: int = here.recv()
            return port
    except EOFError:
        pass
    _stop(server, here, os.getpid())
    raise RuntimeError(f"the server did not start: exit code {server.exitcode}")


def _stop(server: BaseProcess, here: Connection, pid: int) -> None:
    """End the server, and wait for it; in a fork of the process that started it, do nothing."""
    if os.getpid() != pid:
        return
    here.close()  # that is its sign
    server.join(PATIENCE)
    if server.is_alive():
        server.kill()
        server.join()


def _serve(there: Connection, paths: list[str], latency: float) -> None:
    """In the server: answer until the other end of the pipe is closed."""
    # Ctrl-C is for who started it, whose end is the sign.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_other, args=(there,), daemon=True).start()

    def source(number: int) -> bytes:
        return Path(paths[number]).read_bytes()

    async def answer(asked: asyncio.StreamReader, link: asyncio.StreamWriter) -> None:
        if line := await asked.readline():  # nothing: who connected is gone
            await asyncio.sleep(latency)
            link.write(source(int(line)))
        link.close()

    async def listen() -> None:
        server = await asyncio.start_server(answer, HOST, 0, backlog=BACKLOG)
        there.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(listen())


def _end_with_the_other(there: Connection) -> None:
    """Wait for the end of the pipe: it closes however the process at its other end goes."""
    try:
        there.recv()
    except (EOFError, OSError):
        os._exit(0)
