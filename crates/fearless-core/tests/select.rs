//! Selects and batches, step by step on one thread. Every interleaving of the steps is in `model_select.rs`.
#![cfg(not(loom))]

use std::collections::VecDeque;

use fearless_core::{
    channel::{Channel, Recv, Send},
    owned::Owned,
    select::{Receiving, Select, Sending, Source, Standing},
    sync::Arc,
    waiter::{Claim, Ticket, Waiter},
};

type Numbers = Arc<Channel<u32>>;

fn channel(capacity: Option<usize>) -> Numbers {
    Arc::new(Channel::new(capacity))
}

/// A receive that waits, to be notified.
fn listen(channel: &Numbers) -> (Receiving<Numbers>, Arc<Waiter>) {
    let (mut receiving, waiter) = (Receiving::new(Arc::clone(channel)), Waiter::for_select());
    assert!(receiving.enlist(&waiter, 0), "it waits");
    (receiving, waiter)
}

/// A send that waits, to be notified.
fn offer(channel: &Numbers, item: u32) -> (Sending<Numbers>, Arc<Waiter>) {
    let (mut sending, waiter) = (Sending::new(Arc::clone(channel), item), Waiter::for_select());
    assert!(sending.enlist(&waiter, 0), "it waits");
    (sending, waiter)
}

fn block_in_send(channel: &Numbers, item: u32) -> (Ticket, Arc<Waiter>) {
    let waiter = Waiter::new();
    match channel.send(item, &waiter) {
        Send::Wait(ticket, wakes) => {
            wakes.wake();
            (ticket, waiter)
        }
        settled => panic!("it does not block: {settled:?}"),
    }
}

fn block_in_recv(channel: &Numbers) -> (Ticket, Arc<Waiter>) {
    let waiter = Waiter::new();
    match channel.recv(&waiter) {
        Recv::Wait(ticket) => (ticket, waiter),
        settled => panic!("it does not block: {settled:?}"),
    }
}

fn fill(channel: &Numbers, items: &[u32]) {
    for &item in items {
        assert!(matches!(channel.try_send(item), Send::Sent(_)));
    }
}

fn taken(outcome: Recv<u32>) -> Option<u32> {
    if let Recv::Item(item, wakes) = outcome {
        wakes.wake();
        return Some(item);
    }
    None
}

#[test]
fn an_item_that_moves_up_from_a_blocked_sender_is_told_to_a_notified_receiver() {
    let channel = channel(Some(1));
    let (ticket, direct) = block_in_recv(&channel);
    let (mut receiving, notified) = listen(&channel);
    fill(&channel, &[1]);
    let (_, sender) = block_in_send(&channel, 2);

    assert_eq!(taken(channel.resume_recv(ticket, direct.claimed().expect("served"))), Some(1));

    assert_eq!(sender.claimed(), Some(Claim::Ready(0)));
    assert_eq!(notified.claimed(), Some(Claim::Ready(0)), "item 2 is in the queue and nobody knows");
    assert!(receiving.act());
    assert_eq!(receiving.outcome, Some(Some(2)));
}

#[test]
fn room_that_a_notified_sender_leaves_goes_to_a_blocked_one_and_its_item_to_a_receiver() {
    let channel = channel(Some(1));
    let (mut first, _) = listen(&channel);
    let (mut second, notified) = listen(&channel);
    fill(&channel, &[1]);
    let (mut sending, told) = offer(&channel, 2);
    let (_, sender) = block_in_send(&channel, 3);
    assert_eq!(taken(channel.try_recv()), Some(1));
    assert_eq!(told.claimed(), Some(Claim::Ready(0)));
    assert!(!first.withdraw());

    assert!(!sending.withdraw());

    assert_eq!(sender.claimed(), Some(Claim::Ready(0)));
    assert_eq!(notified.claimed(), Some(Claim::Ready(0)), "item 3 is in the queue and nobody knows");
    assert!(second.act());
}

#[test]
fn an_offer_that_was_claimed_elsewhere_is_told_to_nobody() {
    let channel = channel(Some(0));
    let (_offer, sender) = offer(&channel, 1);
    assert!(sender.claim(Claim::Ready(7)));
    let (mut first, one) = listen(&channel);
    let (_second, other) = listen(&channel);
    assert!(one.claim(Claim::Ready(0)));

    assert!(!first.act());

    assert_eq!(other.claimed(), None, "the two receivers would tell each other in turn until the sender has run");
}

#[test]
fn a_forced_send_on_a_rendezvous_displaces_nothing() {
    let channel = channel(Some(0));
    let (ticket, waiter) = block_in_recv(&channel);
    fill(&channel, &[1]);

    let (outcome, displaced) = channel.force_send(2);

    assert!(matches!(outcome, Send::Full(2)), "{outcome:?}");
    assert_eq!(displaced, None);
    assert_eq!(taken(channel.resume_recv(ticket, waiter.claimed().expect("served"))), Some(1));
}

#[test]
fn a_forced_send_displaces_the_oldest() {
    let channel = channel(Some(2));
    fill(&channel, &[1, 2]);

    let (outcome, displaced) = channel.force_send(3);

    assert!(matches!(outcome, Send::Sent(_)));
    assert_eq!(displaced, Some(1));
    assert_eq!(channel.drain().items, [2, 3]);
}

#[test]
fn a_drain_leaves_what_is_reserved_and_lets_blocked_senders_in() {
    let channel = channel(Some(2));
    let (ticket, waiter) = block_in_recv(&channel);
    fill(&channel, &[1, 2]);
    let (_, sender) = block_in_send(&channel, 3);

    let drained = channel.drain();

    assert_eq!(drained.items, [1]);
    assert_eq!(sender.claimed(), Some(Claim::Ready(0)));
    assert_eq!(taken(channel.resume_recv(ticket, waiter.claimed().expect("served"))), Some(2));
    assert_eq!(taken(channel.try_recv()), Some(3));
}

#[test]
fn a_batch_goes_as_far_as_there_is_room_and_comes_as_far_as_there_are_items() {
    let channel = channel(Some(2));
    let mut items = VecDeque::from([1, 2, 3]);

    assert!(!channel.send_batch(&mut items).closed);
    assert_eq!(items, [3]);

    let mut came = Vec::new();
    assert!(!channel.recv_batch(&mut came, 5).closed);
    assert_eq!(came, [1, 2]);
    channel.close_sender().wake();
    assert!(channel.recv_batch(&mut came, 1).closed);
    assert!(channel.send_batch(&mut items).closed);
    assert_eq!(items, [3]);
}

#[test]
fn a_batch_takes_what_blocked_senders_offer() {
    for capacity in [0, 1] {
        let channel = channel(Some(capacity));
        let senders = [1, 2, 3].map(|item| {
            (capacity == 0 || item > 1).then(|| block_in_send(&channel, item)).or_else(|| {
                fill(&channel, &[item]);
                None
            })
        });
        let mut came = Vec::new();

        assert!(!channel.recv_batch(&mut came, 2).closed);

        assert_eq!(came, [1, 2]);
        let claims = senders.map(|sender| sender.and_then(|(_, waiter)| waiter.claimed()));
        let served = Some(Claim::Ready(0));
        // A slot that was emptied is taken at once by the next.
        assert_eq!(claims, if capacity == 0 { [served, served, None] } else { [None, served, served] });
    }
}

#[test]
fn a_batch_serves_blocked_receivers_beyond_the_capacity_and_fills_the_room_behind_them() {
    let channel = channel(Some(2));
    let (gone, timed_out) = block_in_recv(&channel);
    let (ticket, direct) = block_in_recv(&channel);
    assert!(timed_out.claim(Claim::TimedOut));
    let mut items = VecDeque::from([1, 2, 3]);

    assert!(!channel.send_batch(&mut items).closed);

    assert_eq!((items, channel.snapshot().len), (VecDeque::from([3]), 2));
    assert!(matches!(channel.resume_recv(gone, Claim::TimedOut), Recv::GaveUp));
    assert_eq!(taken(channel.resume_recv(ticket, direct.claimed().expect("served"))), Some(1));
    assert_eq!(taken(channel.try_recv()), Some(2));
}

#[test]
fn a_place_is_kept_by_who_came_too_late() {
    let channel = channel(None);
    let (mut first, _) = listen(&channel);
    let (_second, other) = listen(&channel);
    fill(&channel, &[1]);
    assert_eq!(taken(channel.try_recv()), Some(1));
    assert!(!first.act());
    let again = Waiter::for_select();
    assert!(first.enlist(&again, 0));

    fill(&channel, &[2]);

    assert_eq!((again.claimed(), other.claimed()), (Some(Claim::Ready(0)), None));
}

#[test]
fn a_send_that_was_taken_while_it_was_abandoned_went_ahead() {
    let channel = channel(Some(0));
    let waiter = Waiter::for_select();
    let mut sources = [Sending::new(Arc::clone(&channel), 1)];
    let mut select = Select::default();
    assert_eq!(select.start(&mut sources, &waiter), Standing::Wait);
    assert_eq!(taken(channel.try_recv()), Some(1));

    assert_eq!(select.abandon(&mut sources, &waiter), Some(0));

    assert_eq!(select.finish(&mut sources, &waiter), Standing::Done(0), "it would wait for ever without its item");
}

#[test]
fn an_owned_value_is_taken_once() {
    let owned = Owned::new(1);

    assert_eq!((owned.take(), owned.take(), owned.is_here()), (Some(1), None, false));
    owned.put_back(2);
    assert_eq!(owned.visit(|value| value.copied()), Some(2));
}
