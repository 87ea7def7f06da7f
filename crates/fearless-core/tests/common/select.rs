//! Selects over channels as threads make them, and the plain calls that they meet.

#![allow(dead_code, reason = "not every model uses all")]

use std::time::Instant;

use fearless_core::{
    channel::{Channel, Recv, Send},
    select::{Receiving, Select, Sending, Source, Standing},
    sync::{Arc, thread},
    waiter::Waiter,
};

pub(crate) type Numbers = Arc<Channel<u32>>;

pub(crate) enum Operation {
    Recv(Receiving<Numbers>),
    Send(Sending<Numbers>),
}

use Operation::{Recv as R, Send as S};

impl Source for Operation {
    fn attempt(&mut self) -> bool {
        match self {
            R(recv) => recv.attempt(),
            S(send) => send.attempt(),
        }
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self {
            R(recv) => recv.enlist(waiter, operation),
            S(send) => send.enlist(waiter, operation),
        }
    }

    fn act(&mut self) -> bool {
        match self {
            R(recv) => recv.act(),
            S(send) => send.act(),
        }
    }

    fn withdraw(&mut self) -> bool {
        match self {
            R(recv) => recv.withdraw(),
            S(send) => send.withdraw(),
        }
    }
}

/// What a select did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Received(usize, u32),
    Sent(usize),
    /// The operation went ahead as its channel had ended.
    Ended(usize),
    Nothing,
}

pub(crate) fn receiving(channel: &Numbers) -> Operation {
    R(Receiving::new(Arc::clone(channel)))
}

pub(crate) fn sending(channel: &Numbers, item: u32) -> Operation {
    S(Sending::new(Arc::clone(channel), item))
}

/// Selects as a thread does, with two operations at most, in their order.
pub(crate) fn select<const N: usize>(mut sources: [Operation; N], deadline: Option<Instant>) -> Did {
    let mut select = Select::default();
    let chosen = loop {
        if let Some(chosen) = select.attempt(&mut sources, || N as u64 - 1) {
            break chosen;
        }
        let waiter = Waiter::for_select();
        let mut standing = select.start(&mut sources, &waiter);
        if standing == Standing::Wait {
            waiter.wait(deadline);
            standing = select.finish(&mut sources, &waiter);
        }
        match standing {
            Standing::Done(chosen) => break chosen,
            Standing::GaveUp => return Did::Nothing,
            Standing::Again | Standing::Wait => {}
        }
    };
    match &sources[chosen] {
        R(recv) => match recv.outcome.expect("it went ahead") {
            Some(item) => Did::Received(chosen, item),
            None => Did::Ended(chosen),
        },
        S(send) if send.item.is_some() => Did::Ended(chosen),
        S(_) => Did::Sent(chosen),
    }
}

/// Sends as a blocking call does.
pub(crate) fn send(channel: &Channel<u32>, item: u32) {
    let waiter = Waiter::new();
    let settled = match channel.send(item, &waiter) {
        Send::Wait(ticket, wakes) => {
            wakes.wake();
            channel.resume_send(ticket, waiter.wait(None))
        }
        settled => settled,
    };
    match settled {
        Send::Sent(wakes) => wakes.wake(),
        refused => panic!("somebody receives: {refused:?}"),
    }
}

/// Receives as a blocking call does.
pub(crate) fn recv(channel: &Channel<u32>) -> Option<u32> {
    let waiter = Waiter::new();
    let settled = match channel.recv(&waiter) {
        Recv::Wait(ticket) => channel.resume_recv(ticket, waiter.wait(None)),
        settled => settled,
    };
    match settled {
        Recv::Item(item, wakes) => {
            wakes.wake();
            Some(item)
        }
        Recv::Closed => None,
        other => panic!("a settled receive has something to tell: {other:?}"),
    }
}

pub(crate) fn channel(capacity: Option<usize>) -> Numbers {
    Arc::new(Channel::new(capacity))
}

/// Runs `body` in a thread of its own, with the channel.
pub(crate) fn with<T: 'static>(channel: &Numbers, body: impl FnOnce(&Numbers) -> T + 'static) -> thread::JoinHandle<T> {
    let channel = Arc::clone(channel);
    thread::spawn(move || body(&channel))
}

pub(crate) fn join<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().expect("no panic")
}

pub(crate) fn assert_nothing_is_left(channel: &Channel<u32>) {
    let now = channel.snapshot();
    assert_eq!((now.len, now.blocked_senders, now.blocked_receivers), (0, 0, 0));
}
