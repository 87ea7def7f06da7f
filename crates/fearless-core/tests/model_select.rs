//! Models of select and of notified waiters: one operation of a call goes ahead, every item is delivered once, and a
//! notice that was not used is passed on.
#![cfg(loom)]

mod common;

use std::{collections::VecDeque, time::Instant};

use common::{
    explore, notified,
    select::{Did, Operation, assert_nothing_is_left, channel, join, receiving, recv, select, send, sending, with},
};
use fearless_core::{select::Sending, sync::Arc};

/// A select of two channels takes one item, and leaves the other for the next.
///
/// Fails without `wakes.add(receiver)` in `try_send`, and without `withdrawn(sources)` in `finish`.
#[test]
fn a_select_takes_one_item_and_leaves_the_others() {
    explore(2, || {
        let channels = [channel(None), channel(None)];
        let senders = [(0, 1), (1, 2)].map(|(at, item)| with(&channels[at], move |channel| send(channel, item)));
        let both = || select([receiving(&channels[0]), receiving(&channels[1])], None);

        let mut did = [both(), both()];

        senders.into_iter().for_each(join);
        did.sort_by_key(|did| if let Did::Received(at, _) = did { *at } else { 9 });
        assert_eq!(did, [Did::Received(0, 1), Did::Received(1, 2)]);
        channels.iter().for_each(|channel| assert_nothing_is_left(channel));
    });
}

/// A thread in a receive and one in a select wait on the same channel, which has one place: each gets an item.
///
/// Fails without `promise_items` in `admit`.
#[test]
fn a_select_and_a_receive_share_a_channel() {
    explore(2, || {
        let channel = channel(Some(1));
        let plain = with(&channel, |channel| recv(channel).expect("open"));
        let selecting = with(&channel, |channel| select([receiving(channel)], None));
        send(&channel, 1);
        send(&channel, 2);

        let (item, did) = (join(plain), join(selecting));

        assert_eq!(did, Did::Received(0, 3 - item));
        assert_nothing_is_left(&channel);
    });
}

/// On a rendezvous, a select that sends meets one that receives.
///
/// Fails without `promise_items` in `enlist_send`, and without `went_ahead` in `leave_send`.
#[test]
fn a_sending_select_meets_a_receiving_one() {
    explore(3, || {
        let (meeting, idle) = (channel(Some(0)), channel(Some(0)));
        let sender = with(&meeting, |meeting| select([sending(meeting, 1)], None));

        let did = select([receiving(&idle), receiving(&meeting)], None);

        assert_eq!((did, join(sender)), (Did::Received(1, 1), Did::Sent(0)));
        assert_nothing_is_left(&meeting);
        assert_nothing_is_left(&idle);
    });
}

/// Two selects face each other on two rendezvous, in opposite directions: one item passes, in one direction.
///
/// Fails without `promise_items` in `enlist_send`.
#[test]
fn two_selects_face_each_other() {
    explore(3, || {
        let (there, back) = (channel(Some(0)), channel(Some(0)));
        let other = with(&there, {
            let back = Arc::clone(&back);
            move |there| select([receiving(there), sending(&back, 2)], None)
        });

        let did = select([sending(&there, 1), receiving(&back)], None);

        let both = (did, join(other));
        let passed = [(Did::Sent(0), Did::Received(0, 1)), (Did::Received(1, 2), Did::Sent(1))];
        assert!(passed.contains(&both), "{both:?}");
        assert_nothing_is_left(&there);
        assert_nothing_is_left(&back);
    });
}

/// A select offers two items, and two receivers wait: one of the items is sent.
///
/// Fails without the heed of the failed claim in `claim_sender`.
#[test]
fn one_of_two_offers_is_taken() {
    explore(2, || {
        let channels = [channel(Some(0)), channel(Some(0))];
        let receivers = [0, 1].map(|at: usize| with(&channels[at], |channel| recv(channel)));

        let did = select([sending(&channels[0], 1), sending(&channels[1], 2)], None);

        channels.iter().for_each(|channel| channel.close_sender().wake());
        let items = receivers.map(join);
        let sent = [(Did::Sent(0), [Some(1), None]), (Did::Sent(1), [None, Some(2)])];
        assert!(sent.contains(&(did, items)), "{did:?} {items:?}");
        channels.iter().for_each(|channel| assert_nothing_is_left(channel));
    });
}

/// A call that both sends to and receives from a rendezvous waits for another call.
///
/// Fails without the look at `own` in `can_recv`.
#[test]
fn no_operation_pairs_with_another_of_the_same_call() {
    explore(2, || {
        let channel = channel(Some(0));
        let other = with(&channel, |channel| recv(channel).expect("open"));

        let did = select([sending(&channel, 1), receiving(&channel)], None);

        assert_eq!((did, join(other)), (Did::Sent(0), 1));
        assert_nothing_is_left(&channel);
    });
}

/// The same, the receive being enlisted first.
///
/// Fails without the look at `own` in `claim_receiver`.
#[test]
fn no_operation_is_told_of_another_of_the_same_call() {
    explore(2, || {
        let channel = channel(Some(0));
        let other = with(&channel, |channel| recv(channel).expect("open"));

        let did = select([receiving(&channel), sending(&channel, 1)], None);

        assert_eq!((did, join(other)), (Did::Sent(1), 1));
        assert_nothing_is_left(&channel);
    });
}

/// A select that runs out of time meets the item: it has it, or the other select has.
///
/// Fails without the compare-exchange of `claim` (a store), and without `withdrawn(sources)` in `finish`.
#[test]
fn a_select_that_gives_up_has_taken_nothing() {
    explore(2, || {
        let channel = channel(None);
        let hasty = with(&channel, |channel| select([receiving(channel)], Some(Instant::now())));
        send(&channel, 1);
        channel.close_sender().wake();

        let rest = select([receiving(&channel)], None);

        let both = [join(hasty), rest];
        assert_eq!(both.iter().filter(|did| **did == Did::Received(0, 1)).count(), 1, "{both:?}");
        assert_nothing_is_left(&channel);
    });
}

/// A coroutine is cancelled in the turn in which it was woken for an item: the next that waits gets it.
///
/// Fails without `promise_items` in `withdraw_recv`, without the decrement of `promised_items` in `leave_recv`, and without
/// `notice.claimed()` in `Waiter::wake`.
#[test]
fn a_cancelled_receive_passes_the_notice_on() {
    explore(2, || {
        let channel = channel(None);
        let fickle = with(&channel, |channel| notified::is_cancelled_when_woken(receiving(channel)).0);
        let patient = with(&channel, |channel| select([receiving(channel)], None));
        send(&channel, 1);

        // It may come after the item was taken, and would then wait for this.
        let did = join(patient);
        send(&channel, 2);
        join(fickle);

        assert_eq!((did, recv(&channel)), (Did::Received(0, 1), Some(2)));
        assert_nothing_is_left(&channel);
    });
}

/// A coroutine is cancelled in the turn in which it was woken for room: the next that waits has it.
///
/// Fails without `admit` in `withdraw_send`.
#[test]
fn a_cancelled_send_passes_the_room_on() {
    explore(2, || {
        let channel = channel(Some(1));
        send(&channel, 0);
        let fickle = with(&channel, |channel| {
            let (waited, source) = notified::is_cancelled_when_woken(sending(channel, 1));
            assert!(matches!(source, Operation::Send(Sending { item: Some(1), .. })), "the item comes back");
            waited
        });
        let patient = with(&channel, |channel| select([sending(channel, 2)], None));

        let items = [recv(&channel), recv(&channel)];
        // What is sent late finds room, or is told of it.
        channel.close_receiver().1.wake();

        join(fickle);
        assert_eq!((items, join(patient)), ([Some(0), Some(2)], Did::Sent(0)));
        assert_nothing_is_left(&channel);
    });
}

/// A select that sends to a channel with one place is told of room each time.
///
/// Fails without `wakes.add(sender)` in `admit`, and without the decrement of `promised_room` in `leave_send`.
#[test]
fn a_sending_select_is_told_of_room() {
    explore(2, || {
        let channel = channel(Some(1));
        let sender = with(&channel, |channel| {
            for item in 0..3 {
                assert_eq!(select([sending(channel, item)], None), Did::Sent(0));
                assert!(channel.snapshot().len <= 1);
            }
            channel.close_sender().wake();
        });

        let items: Vec<_> = std::iter::from_fn(|| recv(&channel)).collect();

        join(sender);
        assert_eq!(items, [0, 1, 2]);
        assert_nothing_is_left(&channel);
    });
}

/// The last sender closes while a select waits: the select is told of the end, each time.
///
/// Fails without the claim of receivers in `close_all`, and without `is_closed` in `can_recv`.
#[test]
fn the_end_meets_a_waiting_select() {
    explore(3, || {
        let (ending, idle) = (channel(Some(1)), channel(Some(1)));
        let closer = with(&ending, |ending| ending.close_sender().wake());

        for _ in 0..2 {
            assert_eq!(select([receiving(&idle), receiving(&ending)], None), Did::Ended(1));
        }

        join(closer);
        assert_nothing_is_left(&ending);
        assert_nothing_is_left(&idle);
    });
}

/// The last receiver closes while a select waits to send: the item comes back.
///
/// Fails without the claim of senders in `close_all`, and without `is_closed` in `can_send`.
#[test]
fn the_last_receiver_meets_a_sending_select() {
    explore(3, || {
        let channel = channel(Some(0));
        let closer = with(&channel, |channel| channel.close_receiver().1.wake());

        assert_eq!(select([sending(&channel, 1)], None), Did::Ended(0));

        join(closer);
        assert_nothing_is_left(&channel);
    });
}

/// A batch serves all that wait, a thread and a select, and a batch of receives lets a blocked sender in.
///
/// Fails without `wakes.add(receiver)` in `State::send_batch`, and without `admit` in `State::recv_batch`.
#[test]
fn a_batch_wakes_all_it_serves() {
    explore(2, || {
        let channel = channel(Some(2));
        let plain = with(&channel, |channel| recv(channel).expect("open"));
        let selecting = with(&channel, |channel| select([receiving(channel)], None));
        let mut items = VecDeque::from([1, 2]);

        channel.send_batch(&mut items).wakes.wake();

        let item = join(plain);
        assert_eq!((join(selecting), items.len()), (Did::Received(0, 3 - item), 0));
    });
    explore(3, || {
        let channel = channel(Some(1));
        send(&channel, 1);
        let blocked = with(&channel, |channel| send(channel, 2));
        let mut items = Vec::new();

        channel.recv_batch(&mut items, 1).wakes.wake();

        join(blocked);
        assert_eq!((items, recv(&channel)), (vec![1], Some(2)));
    });
}
