"""A task that listens to two channels: to work, and to somebody who tells it to stop.

`select` waits for whichever comes first and burns no CPU meanwhile. A channel that has ended is an event, too: closing
is all it takes to say "stop", to any number of listeners at once.

Prints:

    worker 1 stops
    worker 2 stops
    4 jobs done
"""

import fearless as fl


def work(number: int, jobs: fl.Receiver[str], stop: fl.Receiver[None], done: fl.Sender[str]) -> str:
    """Do jobs until there are no more, or until told to stop."""
    while True:
        chosen = fl.select(jobs, stop)
        if chosen.closed:
            return f"worker {number} stops"
        done.send(chosen.value.upper())


def main() -> None:
    """Give two workers four jobs, and tell them to stop once all are done."""
    to_do, jobs = fl.channel(8)
    tell, stop = fl.channel(0)
    done, results = fl.channel(8)
    with fl.scope() as scope, to_do:
        workers = [
            scope.spawn(work, number, jobs.clone().move(), stop.clone().move(), done.clone().move())
            for number in (1, 2)
        ]
        for end in (jobs, stop, done):
            end.close()
        to_do.send_many(["a", "b", "c", "d"])
        finished = [results.recv() for _ in range(4)]
        tell.close()
        results.close()
        for worker in workers:
            print(worker.join())
    print(f"{len(finished)} jobs done")


if __name__ == "__main__":
    main()
