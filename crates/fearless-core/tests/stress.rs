//! Many threads on one object, with deadlines that strike at every moment: what the models are too small for.
//!
//! Every wait is bounded: "for ever" is [`BOUND`], and a wait that reaches it is a lost wake-up.
#![cfg(not(loom))]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fearless_core::{
    channel::{Channel, Recv, Send},
    mutex::{Lock, Mutex, Number},
    owner::Owner,
    waiter::Waiter,
};

const BOUND: Duration = Duration::from_secs(60);

/// Numbers that look random; the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Mostly in a few microseconds, when others are in the midst of claiming; sometimes never.
    fn patience(&mut self) -> Option<Duration> {
        (self.roll(4) > 0).then(|| Duration::from_nanos(self.roll(40_000)))
    }
}

/// The deadline of a wait; without patience it is one that must never be reached.
fn until(patience: Option<Duration>) -> Instant {
    Instant::now() + patience.unwrap_or(BOUND)
}

fn acquire(mutex: &Mutex, me: u64, patience: Option<Duration>) -> Option<Number> {
    let deadline = until(patience);
    let waiter = Waiter::new();
    let mut lock = mutex.lock(Owner::thread(me), &waiter);
    loop {
        match lock {
            Lock::Acquired(number) => return Some(number),
            Lock::Wait(ticket) => {
                let (next, wakes) = mutex.resume(ticket, &waiter, waiter.wait(Some(deadline)));
                wakes.wake();
                lock = next?;
            }
            Lock::Deadlock | Lock::Vanished => panic!("{me} found {lock:?}"),
        }
    }
}

#[test]
fn a_contended_mutex_excludes_and_serves_everybody_among_deadlines() {
    const ROUNDS: u64 = 20_000;
    let mutex = Mutex::new();
    let (sum, taken) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|threads| {
        for me in 1..=4 {
            let (mutex, sum, taken) = (&mutex, &sum, &taken);
            threads.spawn(move || {
                let mut dice = Dice(me);
                for _ in 0..ROUNDS {
                    let patience = dice.patience();
                    let Some(number) = acquire(mutex, me, patience) else {
                        assert!(patience.is_some(), "a wake-up was lost: {mutex:?}");
                        continue;
                    };
                    taken.fetch_add(1, Ordering::Relaxed);
                    sum.store(sum.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    if dice.roll(8) == 0 {
                        thread::yield_now();
                    }
                    mutex.release(number).expect("it is held").wake();
                }
            });
        }
    });

    assert_eq!(sum.into_inner(), taken.into_inner());
    assert!(!mutex.is_locked() && mutex.waiting() == 0);
}

fn send(channel: &Channel<u64>, item: u64, patience: Option<Duration>) -> Result<(), u64> {
    let deadline = until(patience);
    let waiter = Waiter::new();
    let settled = match channel.send(item, &waiter) {
        Send::Wait(ticket, wakes) => {
            wakes.wake();
            channel.resume_send(ticket, waiter.wait(Some(deadline)))
        }
        settled => settled,
    };
    match settled {
        Send::Sent(wakes) => {
            wakes.wake();
            Ok(())
        }
        Send::GaveUp(item) => Err(item),
        other => panic!("a receiver is open: {other:?}"),
    }
}

/// Everything a receiver gets until the end.
fn receive(channel: &Channel<u64>, dice: &mut Dice) -> Vec<u64> {
    let mut items = Vec::new();
    loop {
        let patience = dice.patience();
        let deadline = until(patience);
        let waiter = Waiter::new();
        let settled = match channel.recv(&waiter) {
            Recv::Wait(ticket) => channel.resume_recv(ticket, waiter.wait(Some(deadline))),
            settled => settled,
        };
        match settled {
            Recv::Item(item, wakes) => {
                wakes.wake();
                items.push(item);
            }
            Recv::Closed => return items,
            Recv::GaveUp => assert!(patience.is_some(), "a wake-up was lost: {:?}", channel.snapshot()),
            Recv::Empty | Recv::Wait(_) => panic!("a settled receive has something to tell"),
        }
    }
}

/// Sends `items`, each until it is sent, and closes.
fn produce(channel: &Channel<u64>, items: std::ops::Range<u64>, dice: &mut Dice) {
    for item in items {
        loop {
            let patience = dice.patience();
            if send(channel, item, patience).is_ok() {
                break;
            }
            assert!(patience.is_some(), "a wake-up was lost: {:?}", channel.snapshot());
        }
    }
    channel.close_sender().wake();
}

fn deliver_among_deadlines(capacity: Option<usize>) {
    const ITEMS: u64 = 15_000;
    let channel = Arc::new(Channel::new(capacity));
    assert!(channel.add_sender());
    let mut received: Vec<u64> = thread::scope(|threads| {
        for first in [0, ITEMS] {
            let channel = &channel;
            threads.spawn(move || produce(channel, first..first + ITEMS, &mut Dice(first + 11)));
        }
        let receivers: Vec<_> = (1..=3)
            .map(|seed| {
                threads.spawn({
                    let channel = &channel;
                    move || receive(channel, &mut Dice(seed))
                })
            })
            .collect();
        receivers.into_iter().flat_map(|receiver| receiver.join().expect("no panic")).collect()
    });

    received.sort_unstable();
    assert!(received.iter().copied().eq(0..2 * ITEMS), "{} items of {} arrived", received.len(), 2 * ITEMS);
    let now = channel.snapshot();
    assert_eq!((now.len, now.blocked_senders, now.blocked_receivers), (0, 0, 0));
}

#[test]
fn every_item_arrives_once_among_deadlines() {
    for capacity in [Some(0), Some(1), Some(8), None] {
        deliver_among_deadlines(capacity);
    }
}
