"""One channel for threads and coroutines: a thread reads, coroutines process, a thread collects.

No second kind of queue, no executor and no `call_soon_threadsafe`: a coroutine awaits the end that a thread would block
on. The bound holds across the border, so a slow loop makes the thread wait.

Prints:

    6 pages, the last first: ['page 5', 'page 4', 'page 3', 'page 2', 'page 1', 'page 0']
"""

import asyncio

import fearless as fl


def read(pages: fl.Sender[str]) -> None:
    """Read pages, in a thread, as reading blocks."""
    pages.send_many(f"page {number}" for number in range(6))


async def process(pages: fl.Receiver[str], results: fl.Sender[str]) -> None:
    """Process pages, in a task of the loop."""
    async for page in pages:
        await asyncio.sleep(0)  # stands for a request to some service
        await results.send_async(page)


async def process_all(pages: fl.Receiver[str], results: fl.Sender[str]) -> None:
    """Process pages in three tasks."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(process(pages, results))


def collect(results: fl.Receiver[str]) -> list[str]:
    """Collect results, in a thread."""
    return sorted(results, reverse=True)


def main() -> None:
    """Run a loop between two threads."""
    sender, pages = fl.channel(2)
    results, collected = fl.channel(2)
    with fl.scope() as scope:
        scope.spawn(read, sender.move())
        collector = scope.spawn(collect, collected.move())
        with pages, results:
            asyncio.run(process_all(pages, results))
    found = collector.join()
    print(f"{len(found)} pages, the last first: {found}")


if __name__ == "__main__":
    main()
