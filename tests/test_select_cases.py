"""Selects in the shapes that programs give them: many channels, both directions, channels that end.

The cases are those that the suites of Go and of crossbeam try select with, in so far as no other file here has them:
who meets whom, that nothing is chosen twice, what a try finds, places in a queue, fairness while others wait. Not here:
timers (`test_timer_cases.py`); what a single select promises (`test_select.py`); random calls against a model
(`test_channel_model.py`).
"""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.channels import Make
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, blocked_receivers, blocked_senders, until

pytestmark = [
    pytest.mark.guarantee("channel", "select"),
    pytest.mark.guarantee("channel", "both builds"),
    pytest.mark.usefixtures("quick_switches"),
]


def choose(*channels: Any) -> "fl.Selected[Any]":
    """Select, with a bound."""
    return fl.select(*channels, timeout=BOUND)


Receive = Callable[["fl.Receiver[Any]", "fl.Receiver[Any]"], Any]
Send = Callable[["fl.Sender[Any]", "fl.Receiver[Any]", Any], object]

RECEIVES: dict[str, Receive] = {
    "recv": lambda rx, _: rx.recv(BOUND),
    "select": lambda rx, _: choose(rx).value,
    "select_of_two": lambda rx, other: choose(other, fl.never(), rx).value,
}
SENDS: dict[str, Send] = {
    "send": lambda tx, _, item: tx.send(item, BOUND),
    "select": lambda tx, _, item: choose(tx.sending(item)),
    "select_of_two": lambda tx, other, item: choose(other, fl.never(), tx.sending(item)),
}


class TestMeeting:
    @pytest.mark.parametrize("capacity", [1, 0])
    @pytest.mark.parametrize("first", ["sender", "receiver"])
    @pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
    @pytest.mark.parametrize("receive", RECEIVES.values(), ids=RECEIVES)
    def test_every_way_to_send_meets_every_way_to_receive(  # noqa: PLR0913, PLR0917 - four parameters, two fixtures
        self, make: Make, spawn: Spawn, receive: Receive, send: Send, first: str, capacity: int
    ) -> None:
        """Whoever waits first."""
        (tx, rx), (_, other) = make(capacity), make(1)
        if first == "receiver":
            waiting = spawn(receive, rx, other)
            until(lambda: blocked_receivers(rx) == 1)
            send(tx, other, "item")
            assert waiting.join() == "item"
        else:
            tx.send_many(range(capacity))
            sending = spawn(send, tx, other, "item")
            until(lambda: blocked_senders(rx) == 1)
            assert [receive(rx, other) for _ in range(capacity + 1)] == [*range(capacity), "item"]
            sending.join()
        assert (blocked_senders(rx), blocked_receivers(rx), blocked_receivers(other)) == (0, 0, 0)

    def test_two_that_offer_and_ask_on_one_channel_never_meet_themselves(self, make: Make, spawn: Spawn) -> None:
        """At a rendezvous each gets the other's items, as many as the other gave, in order."""
        tx, rx = make(0)

        def play(who: str) -> tuple[list[Any], int]:
            got, given = [], 0
            for number in range(300):
                selected = choose(tx.sending((who, number)), rx)
                if selected.index == 0:
                    given += 1
                else:
                    got.append(selected.value)
            return got, given

        (got, given), (others_got, others_given) = (one.join() for one in [spawn(play, "a"), spawn(play, "b")])

        assert (len(got), len(others_got)) == (others_given, given)
        assert given + others_given == 300
        assert {who for who, _ in got} <= {"b"}
        assert {who for who, _ in others_got} <= {"a"}
        assert got == sorted(got)
        assert others_got == sorted(others_got)

    def test_a_crowd_pairs_up(self, make: Make, spawn: Spawn) -> None:
        """Of twenty threads that all offer and ask on one rendezvous, ten give and ten get, each another's item."""
        tx, rx = make(0)
        for _ in range(5):
            threads = [spawn(lambda who: choose(tx.sending(who), rx), who) for who in range(20)]
            chosen = [thread.join() for thread in threads]

            givers = {who for who, selected in enumerate(chosen) if selected.index == 0}
            got = {who: selected.value for who, selected in enumerate(chosen) if selected.index == 1}
            assert len(givers) == 10
            assert set(got.values()) == givers

    def test_the_odd_one_out_waits_on(self, make: Make, spawn: Spawn) -> None:
        """Of three, one is left, and a fourth serves it."""
        tx, rx = make(0)
        threads = [spawn(lambda who: choose(tx.sending(who), rx), who) for who in range(3)]
        until(lambda: sum(thread.ended.is_set() for thread in threads) == 2)
        until(lambda: (blocked_senders(rx), blocked_receivers(rx)) == (1, 1))

        assert rx.recv(BOUND) in range(3)
        assert sorted(thread.join().index for thread in threads) == [0, 0, 1]

    @pytest.mark.parametrize("capacity", [1, 0])
    def test_an_item_offered_to_many_is_taken_once(self, make: Make, capacity: int, spawn: Spawn) -> None:
        """Each number is offered to four channels at once: the four receivers have it once between them."""
        pairs = [make(capacity) for _ in range(4)]
        consumers = [spawn(list, rx) for _, rx in pairs]
        for number in range(400):
            choose(*(tx.sending(number) for tx, _ in pairs))
        for tx, _ in pairs:
            tx.close()
        parts = [consumer.join() for consumer in consumers]

        assert sorted(itertools.chain(*parts)) == list(range(400))
        assert all(part == sorted(part) for part in parts)

    def test_a_receiver_that_comes_by_select_can_be_received_from(self, make: Make) -> None:
        """What was chosen may be a channel of its own, and the next select listens to it."""
        tx, rx = make(None)
        inner_tx, inner_rx = make(None)
        tx.send(inner_rx)
        inner_tx.send("inner")
        received = fl.select(rx).value

        assert tuple(fl.select(rx, received)) == (1, inner_rx, "inner", False)


class TestTries:
    @pytest.mark.parametrize("how", ["send", "close"])
    def test_one_of_two_is_ready_at_any_moment(self, how: str, spawn: Spawn) -> None:
        """The second gets ready before the first is emptied, so a try never finds both empty."""
        for _ in range(200):
            (tx, rx), (other_tx, other) = fl.channel(1), fl.channel(1)
            tx.send("first")
            trying = spawn(fl.try_select, rx, other)
            other_tx.send("second") if how == "send" else other_tx.close()
            with contextlib.suppress(fl.Empty):
                rx.try_recv()

            assert trying.join().value in ("first", "second" if how == "send" else None)
            for end in (tx, rx, other_tx, other):
                end.close()

    def test_who_has_sent_finds_one_ready(self, make: Make, spawn: Spawn) -> None:
        """Each of four threads sends to one of two channels and takes from either: something is always there."""
        pairs = [make(None), make(None)]
        rxs = [rx for _, rx in pairs]

        def send_and_take(who: int) -> int:
            for number in range(300):
                pairs[(who + number) % 2][0].send(number)
                assert not fl.try_select(*rxs).closed
            return who

        assert [thread.join() for thread in [spawn(send_and_take, who) for who in range(4)]] == [0, 1, 2, 3]
        assert [len(rx) for rx in rxs] == [0, 0]

    def test_after_its_time_is_over_the_ready_still_comes_first(self, make: Make) -> None:
        """A timeout of 0 is one attempt, and a try beside a timer that is not due finds nothing."""
        tx, rx = make(1)
        tx.send("item")
        assert fl.select(rx, fl.after(3600), timeout=0).value == "item"
        with pytest.raises(fl.Timeout):
            fl.select(rx, fl.after(3600), timeout=0)
        with pytest.raises(fl.Empty):
            fl.try_select(rx, fl.after(3600))


class TestManyChannels:
    def test_the_one_of_three_hundred_that_is_ready(self, make: Make) -> None:
        """Found without a wait."""
        pairs = [make(1) for _ in range(300)]
        rxs = [rx for _, rx in pairs]
        for number in (0, 150, 299):
            pairs[number][0].send(number)
            assert tuple(fl.try_select(*rxs)) == (number, rxs[number], number, False)

    def test_the_one_of_three_hundred_that_wakes_it(self, make: Make, spawn: Spawn) -> None:
        """A select that waits for all, to receive and to send, is woken by any of them and has left the others then."""
        pairs = [make(1) for _ in range(150)]
        rxs = [rx for _, rx in pairs]
        full = [make(1) for _ in range(150)]
        for tx, _ in full:
            tx.send("first")
        for number in (0, 149, 150, 299):
            waiter = spawn(choose, *rxs, *(tx.sending("second") for tx, _ in full))
            until(lambda: blocked_senders(full[-1][1]) == blocked_receivers(rxs[-1]) == 1)
            if number < 150:
                pairs[number][0].send("item")
            else:
                assert full[number - 150][1].recv(BOUND) == "first"

            assert waiter.join().index == number
            assert sum(map(blocked_receivers, rxs)) + sum(blocked_senders(rx) for _, rx in full) == 0

    def test_channels_of_all_kinds_to_the_last(self, make: Make, spawn: Spawn) -> None:
        """Plain calls and selects on both sides of four channels; who is done goes on with those that are left."""
        pairs = [make(capacity) for capacity in (0, 0, 2, 3)]
        count = 200

        def send_by_select(txs: "list[fl.Sender[Any]]") -> None:
            left = dict.fromkeys(range(len(txs)), count)
            while left:
                places = list(left)
                chosen = choose(*(txs[place].sending(("select", place)) for place in places))
                place = places[chosen.index]
                left[place] -= 1
                if not left[place]:
                    del left[place]
                    txs[place].close()

        def send_plainly(place: int, tx: "fl.Sender[Any]") -> None:
            with tx:
                tx.send_many([("plain", place)] * count)

        def receive_by_select(rxs: "list[fl.Receiver[Any]]") -> list[Any]:
            return list(fl.merge(*rxs))

        takers = [spawn(receive_by_select, [rx for _, rx in pairs])] + [spawn(list, rx) for _, rx in pairs]
        givers = [spawn(send_by_select, [tx.clone() for tx, _ in pairs])]
        givers += [spawn(send_plainly, place, tx.clone()) for place, (tx, _) in enumerate(pairs)]
        for tx, _ in pairs:
            tx.close()
        for giver in givers:
            giver.join()
        got = Counter(itertools.chain(*(taker.join() for taker in takers)))

        assert got == {(how, place): count for how in ("select", "plain") for place in range(4)}


class TestPlaces:
    def test_who_leaves_a_queue_moves_nobody_else(self, make: Make, spawn: Spawn) -> None:
        """A select between two receivers is served elsewhere: the two get what comes in their order."""
        (tx, rx), (other_tx, other) = make(0), make(1)
        first = spawn(rx.recv, BOUND)
        until(lambda: blocked_receivers(rx) == 1)
        between = spawn(choose, rx, other)
        until(lambda: blocked_receivers(rx) == 2)
        last = spawn(rx.recv, BOUND)
        until(lambda: blocked_receivers(rx) == 3)

        other_tx.send("elsewhere")
        assert between.join().value == "elsewhere"
        for number, receiver in enumerate((first, last)):
            tx.send(number, BOUND)
            assert receiver.join() == number

    def test_one_that_waits_with_selects_before_and_behind_is_served(self, make: Make, spawn: Spawn) -> None:
        """Three waiters of two kinds get three items between them, whatever was promised to whom."""
        tx, rx = make(None)
        waiters = []
        for number, receive in enumerate(["select", "recv", "select"], 1):
            waiters.append(spawn(RECEIVES[receive], rx, rx))
            until(lambda number=number: blocked_receivers(rx) == number)  # type: ignore[misc]
        tx.send_many(range(3))

        assert sorted(waiter.join() for waiter in waiters) == [0, 1, 2]

    @pytest.mark.parametrize("capacity", [1, 0])
    def test_two_that_listen_to_the_same_two_starve_neither(self, make: Make, capacity: int, spawn: Spawn) -> None:
        """Each item wakes one of them; the other is still there for the next."""
        (tx, rx), (other_tx, other) = make(capacity), make(capacity)
        waiters = [spawn(choose, rx, other) for _ in range(2)]
        until(lambda: blocked_receivers(rx) == blocked_receivers(other) == 2)
        tx.send("one", BOUND)
        other_tx.send("two", BOUND)

        assert sorted(waiter.join().value for waiter in waiters) == ["one", "two"]


class TestFairness:
    @pytest.mark.parametrize("capacity", [None, 2, 0])
    def test_no_channel_starves_of_those_that_are_ready(self, make: Make, capacity: int | None, spawn: Spawn) -> None:
        """Whenever something can be received from each of four, each is as likely: a hundred selects reach them all.

        Each select begins once all four are seen ready. What producers do meanwhile is for the machine's scheduler to
        say: the one that runs may be ready again before the others get there.
        """
        pairs = [make(capacity) for _ in range(4)]
        rxs = [rx for _, rx in pairs]
        producers = [spawn(_send_until_closed, tx) for tx, _ in pairs]
        seen: Counter[int] = Counter()
        for _ in range(100):
            until(lambda: all(len(rx) + blocked_senders(rx) for rx in rxs), "an item of each producer")
            seen[choose(*rxs).index] += 1
        for rx in rxs:
            rx.close()
        for producer in producers:
            producer.join()

        assert min(seen[place] for place in range(4)) >= 3, seen

    def test_no_receiver_starves_while_all_have_room(self, make: Make) -> None:
        """Sends are chosen among as receives are."""
        pairs = [make(None) for _ in range(4)]
        for _ in range(600):
            fl.select(*(tx.sending("item") for tx, _ in pairs))

        assert min(len(rx) for _, rx in pairs) >= 75

    def test_ends_and_due_timers_take_turns_with_items(self, make: Make) -> None:
        """A channel that has ended is as likely as one that has items, and as a timer that is due."""
        (ended_tx, ended), (tx, rx) = make(1), make(None)
        ended_tx.close()
        tx.send_many(range(600))
        seen = Counter(fl.select(ended, rx, fl.after(0)).index for _ in range(600))

        assert min(seen[place] for place in range(3)) >= 100, seen


def _send_until_closed(tx: "fl.Sender[Any]") -> None:
    """Send until nobody receives any more, or, where nothing bounds the queue, more than anybody takes."""
    with contextlib.suppress(fl.Closed):
        for _ in range(1000):
            tx.send("item", BOUND)


@pytest.mark.parametrize("capacity", [1, 0])
def test_a_close_wakes_selects_of_both_directions(make: Make, capacity: int, spawn: Spawn) -> None:
    """A select that would receive here and send there is woken by the end of either."""
    for which in (0, 1):
        (tx, rx), (full_tx, full_rx) = make(capacity), make(capacity)
        full_tx.send_many(range(capacity))
        waiter = spawn(choose, rx, full_tx.sending("kept"))
        until(lambda rx=rx, full=full_rx: (blocked_receivers(rx), blocked_senders(full)) == (1, 1))  # type: ignore[misc]
        (tx, full_rx)[which].close()

        index, _, value, closed = waiter.join()
        assert (index, value, closed) == (which, [None, "kept"][which], True)
        assert (blocked_receivers(rx), blocked_senders(full_rx)) == (0, 0)
