//! Models of the channel: every item is delivered once, and nobody who could go on sleeps.
#![cfg(loom)]

mod common;

use std::time::Instant;

use common::explore;
use fearless_core::{
    channel::{Channel, Recv, Send},
    sync::{Arc, thread},
    waiter::Waiter,
};

type Numbers = Arc<Channel<u32>>;

/// Sends as a blocking call does; the item comes back if it was not sent.
fn send(channel: &Channel<u32>, item: u32, deadline: Option<Instant>) -> Result<(), u32> {
    let waiter = Waiter::new();
    let settled = match channel.send(item, &waiter) {
        Send::Wait(ticket, wakes) => {
            wakes.wake();
            channel.resume_send(ticket, waiter.wait(deadline))
        }
        settled => settled,
    };
    match settled {
        Send::Sent(wakes) => {
            wakes.wake();
            Ok(())
        }
        Send::Closed(item) | Send::GaveUp(item) => Err(item),
        Send::Full(_) | Send::Wait(..) => panic!("a settled send is neither full nor waits: {settled:?}"),
    }
}

/// Receives as a blocking call does; `None` at the end of the channel, or when `deadline` passed.
fn recv(channel: &Channel<u32>, deadline: Option<Instant>) -> Option<u32> {
    let waiter = Waiter::new();
    let settled = match channel.recv(&waiter) {
        Recv::Wait(ticket) => channel.resume_recv(ticket, waiter.wait(deadline)),
        settled => settled,
    };
    match settled {
        Recv::Item(item, wakes) => {
            wakes.wake();
            Some(item)
        }
        Recv::Closed | Recv::GaveUp => None,
        Recv::Empty | Recv::Wait(_) => panic!("a settled receive has something to tell: {settled:?}"),
    }
}

fn close_sender(channel: &Channel<u32>) {
    channel.close_sender().wake();
}

fn close_receiver(channel: &Channel<u32>) -> Vec<u32> {
    let (items, wakes) = channel.close_receiver();
    wakes.wake();
    items
}

fn drain(channel: &Channel<u32>) -> Vec<u32> {
    std::iter::from_fn(|| recv(channel, None)).collect()
}

/// Runs `body` in a thread of its own, with the channel.
fn with<R: 'static>(channel: &Numbers, body: impl FnOnce(&Channel<u32>) -> R + 'static) -> thread::JoinHandle<R> {
    let channel = Arc::clone(channel);
    thread::spawn(move || body(&channel))
}

fn join<R>(thread: thread::JoinHandle<R>) -> R {
    thread.join().expect("no panic")
}

fn assert_nothing_is_left(channel: &Channel<u32>) {
    let now = channel.snapshot();
    assert_eq!((now.len, now.blocked_senders, now.blocked_receivers), (0, 0, 0));
}

/// Two senders and two receivers: every item arrives once, and both receivers find the end.
fn deliver_all(capacity: Option<usize>) {
    let channel = Arc::new(Channel::new(capacity));
    assert!(channel.add_sender());
    let first = with(&channel, |channel| {
        send(channel, 1, None).expect("somebody receives");
        close_sender(channel);
    });
    let second = with(&channel, |channel| {
        send(channel, 2, None).expect("somebody receives");
        close_sender(channel);
    });
    let other = with(&channel, drain);

    let mut items = drain(&channel);

    join(first);
    join(second);
    items.extend(join(other));
    items.sort_unstable();
    assert_eq!(items, [1, 2]);
    assert_nothing_is_left(&channel);
}

/// Fails without the claim of receivers in `close_all`, and without the heed of `reserved` in `try_recv`.
#[test]
fn an_unbounded_channel_delivers_every_item_once() {
    explore(1, || deliver_all(None));
}

/// Fails without the notice of `self.sending == 0` in `try_recv`.
#[test]
fn a_bounded_channel_delivers_every_item_once() {
    explore(1, || deliver_all(Some(1)));
}

/// Fails without `claim_sender` in `try_recv`.
#[test]
fn a_rendezvous_delivers_every_item_once() {
    explore(1, || deliver_all(Some(0)));
}

/// One sender is ahead of one receiver in a channel with one place. The order is kept.
///
/// Fails without `wakes.add(waiter)` in `admit`, and without `wakes.add(waiter)` in `try_send`.
#[test]
fn a_blocked_sender_is_woken_by_the_room_that_is_made() {
    explore(3, || {
        let channel = Arc::new(Channel::new(Some(1)));
        let sender = with(&channel, |channel| {
            for item in 0..3 {
                send(channel, item, None).expect("somebody receives");
                assert!(channel.snapshot().len <= 1);
            }
            close_sender(channel);
        });

        assert_eq!(drain(&channel), [0, 1, 2]);

        join(sender);
    });
}

/// Each of two receivers sees the items of one sender in their order, though one may take what was queued for the other.
///
/// Fails if a blocked sender's item goes straight to the receiver in `try_recv`, past what is queued.
#[test]
fn a_receiver_sees_a_sender_in_order() {
    explore(1, || {
        let channel = Arc::new(Channel::new(Some(0)));
        let sender = with(&channel, |channel| {
            for item in 1..=3 {
                send(channel, item, None).expect("somebody receives");
            }
            close_sender(channel);
        });
        let other = with(&channel, drain);

        let parts = [drain(&channel), join(other)];

        join(sender);
        assert!(parts.iter().all(|part| part.is_sorted()), "{parts:?}");
        assert_eq!(parts.concat().len(), 3);
    });
}

/// A receiver takes one of two items and is done; the sender of the second is not kept for a receiver that never comes.
///
/// Fails without `self.admit(capacity, &mut wakes)` in `try_recv`.
#[test]
fn room_that_is_made_is_used_at_once() {
    explore(3, || {
        let channel = Arc::new(Channel::new(Some(1)));
        let sender = with(&channel, |channel| [1, 2].map(|item| send(channel, item, None)));

        let item = recv(&channel, None);

        assert_eq!(join(sender), [Ok(()), Ok(())]);
        assert_eq!((item, recv(&channel, None)), (Some(1), Some(2)));
    });
}

/// A receive that may run out of time meets the delivery: it has the item, or the other receiver has.
///
/// Fails if `claim_receiver` takes an entry that it could not claim, and without the decrement of `reserved` in
/// `resume_recv`.
#[test]
fn a_receive_that_gives_up_has_taken_nothing() {
    explore(2, || {
        let channel = Arc::new(Channel::new(None));
        let hasty = with(&channel, |channel| recv(channel, Some(Instant::now())));
        let patient = with(&channel, drain);
        for item in [1, 2] {
            send(&channel, item, None).expect("somebody receives");
        }
        close_sender(&channel);

        let mut items = join(patient);
        items.extend(join(hasty));

        items.sort_unstable();
        assert_eq!(items, [1, 2]);
        assert_nothing_is_left(&channel);
    });
}

/// A receiver is woken for an item and gives up all the same, while another waits.
///
/// Fails without the wake-up in `give_back`, and without its decrement of `reserved`.
#[test]
fn an_item_that_is_given_back_goes_to_the_next() {
    explore(3, || {
        let channel = Arc::new(Channel::new(None));
        let fickle = with(&channel, |channel| {
            let waiter = Waiter::new();
            match channel.recv(&waiter) {
                Recv::Wait(ticket) => {
                    let claim = waiter.wait(Some(Instant::now()));
                    channel.give_back(ticket, claim).wake();
                }
                Recv::Item(item, _) => send(channel, item, None).expect("the channel is open"),
                settled => panic!("the channel is open: {settled:?}"),
            }
        });
        let patient = with(&channel, |channel| recv(channel, None));
        send(&channel, 1, None).expect("somebody receives");

        join(fickle);

        assert_eq!(join(patient), Some(1));
        assert_nothing_is_left(&channel);
    });
}

/// A send that may run out of time meets a receive: the item arrives, or it comes back.
///
/// Fails if `resume_send` forgets the item it found.
#[test]
fn a_send_that_gives_up_has_sent_nothing() {
    explore(3, || {
        let channel = Arc::new(Channel::new(Some(0)));
        let receiver = with(&channel, drain);
        let sender = with(&channel, |channel| {
            let refused = send(channel, 1, Some(Instant::now())).err();
            let second = send(channel, 2, None);
            close_sender(channel);
            (refused, second)
        });

        let (refused, second) = join(sender);
        let mut items = join(receiver);

        items.extend(refused);
        items.sort_unstable();
        assert_eq!((items, second), (vec![1, 2], Ok(())));
        assert_nothing_is_left(&channel);
    });
}

/// The last receiver closes while senders wait: each gets its item back, what was in the channel comes out.
///
/// Fails without the claim of senders in `close_all`.
#[test]
fn blocked_senders_are_sent_away_when_the_last_receiver_closes() {
    explore(2, || {
        let channel = Arc::new(Channel::new(Some(1)));
        let senders = [1, 2].map(|item| with(&channel, move |channel| send(channel, item, None).err()));

        let left = close_receiver(&channel);

        let mut items: Vec<_> = senders.into_iter().filter_map(join).chain(left).collect();
        items.sort_unstable();
        assert_eq!(items, [1, 2]);
        assert_nothing_is_left(&channel);
    });
}

/// The last receiver's end is closed by one thread while another is receiving with it: that thread never waits for items
/// that can come no more, and what was delivered to it is still its own. So no item of a rendezvous is left over.
///
/// Fails without `receiving == 0` in `try_recv`, without the claim of receivers in `close_all`, and if
/// `close_receiver` does not keep what is reserved.
#[test]
fn closing_the_last_receiver_meets_a_receive() {
    explore(3, || {
        let channel = Arc::new(Channel::new(Some(0)));
        let receiver = with(&channel, |channel| recv(channel, None));
        let sender = with(&channel, |channel| send(channel, 1, None).err());

        let left = close_receiver(&channel);

        let items: Vec<_> = join(receiver).into_iter().chain(join(sender)).collect();
        assert_eq!((items, left), (vec![1], vec![]));
        assert_nothing_is_left(&channel);
    });
}

/// The last sender's end is closed by one thread while others send and clone with it: what receivers were told stays
/// true.
///
/// Fails without `sending == 0` in `try_send`, and without the look at `is_open` in `add_sender`.
#[test]
fn nothing_comes_after_the_end() {
    explore(3, || {
        let channel = Arc::new(Channel::new(None));
        let sender = with(&channel, |channel| send(channel, 1, None).is_ok());
        let cloner = with(&channel, |channel| {
            if channel.add_sender() {
                close_sender(channel);
            }
        });
        let receiver = with(&channel, drain);
        close_sender(&channel);

        let received = join(receiver);

        join(cloner);
        assert_eq!(received.len(), usize::from(join(sender)), "an item that was sent came after the end");
        assert!(!channel.add_sender());
        assert_nothing_is_left(&channel);
    });
}
