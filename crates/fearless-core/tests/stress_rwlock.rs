//! Many threads on one lock for readers and writers, with deadlines that strike at every moment, upgrades and downgrades.
//!
//! Every wait is bounded: "for ever" is [`BOUND`], and a wait that reaches it is a lost wake-up. Not here: small models of
//! every interleaving (`model_rwlock.rs`).
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
    owner::Owner,
    rwlock::{Access, Lock, Number, Prefer, RwLock, Want},
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
}

/// A user of the lock, and of a pair of numbers that a writer changes one after the other.
struct User {
    lock: Arc<RwLock>,
    pair: Arc<[AtomicU64; 2]>,
    me: Owner,
    dice: Dice,
    written: u64,
}

impl User {
    /// Takes the lock; mostly with a patience of a few microseconds, when others are in the midst of claiming.
    fn acquire(&mut self, want: Want) -> Option<Number> {
        let patience = if self.dice.roll(4) > 0 { Duration::from_nanos(self.dice.roll(40_000)) } else { BOUND };
        let (deadline, waiter) = (Instant::now() + patience, Waiter::new());
        let mut lock = self.lock.lock(want, self.me, &waiter);
        loop {
            match lock {
                Lock::Acquired(number) => return Some(number),
                Lock::Wait(ticket) => {
                    let claim = waiter.wait(Some(deadline));
                    let (next, wakes) = self.lock.resume(want, self.me, ticket, &waiter, claim);
                    wakes.wake();
                    let Some(next) = next else {
                        assert!(patience < BOUND, "{:?} waits for ever to {want:?} at {:?}", self.me, self.lock);
                        return None;
                    };
                    lock = next;
                }
                other => panic!("{:?} found {other:?}", self.me),
            }
        }
    }

    fn release(&self, access: Access, number: Number) {
        self.lock.release(access, number).expect("it lasts").wake();
    }

    /// Looks at the pair, sometimes with others in between.
    fn check(&mut self) {
        let first = self.pair[0].load(Ordering::Relaxed);
        if self.dice.roll(4) == 0 {
            thread::yield_now();
        }
        assert_eq!(first, self.pair[1].load(Ordering::Relaxed), "a reader met a writer");
    }

    /// Writes, and then reads on or leaves.
    fn write(&mut self, number: Number) {
        self.check();
        self.pair.iter().for_each(|half| half.store(half.load(Ordering::Relaxed) + 1, Ordering::Relaxed));
        self.written += 1;
        if self.dice.roll(3) > 0 {
            return self.release(Access::Write, number);
        }
        let (number, wakes) = self.lock.downgrade(Access::Write, number).expect("it lasts");
        wakes.wake();
        self.check();
        self.release(Access::Read, number);
    }

    fn turn(&mut self) {
        match self.dice.roll(4) {
            0 => {
                if let Some(number) = self.acquire(Want::Write) {
                    self.write(number);
                }
            }
            1 => {
                let Some(number) = self.acquire(Want::Upgradable) else { return };
                self.check();
                match self.acquire(Want::Upgrade(number)) {
                    Some(number) => self.write(number),
                    None => self.release(Access::Upgradable, number),
                }
            }
            _ => {
                let Some(number) = self.acquire(Want::Read) else { return };
                let second = self.lock.duplicate(number).expect("it lasts");
                self.release(Access::Read, number);
                self.check();
                self.release(Access::Read, second);
            }
        }
    }
}

fn rush(prefer: Prefer) {
    let lock = Arc::new(RwLock::new(prefer));
    let pair = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let users: Vec<_> = (1..=4)
        .map(|ident| {
            let dice = Dice(ident * 0x9E37_79B9);
            let (lock, pair) = (Arc::clone(&lock), Arc::clone(&pair));
            let mut user = User { lock, pair, me: Owner::thread(ident), dice, written: 0 };
            thread::spawn(move || {
                (0..20_000).for_each(|_| user.turn());
                user.written
            })
        })
        .collect();

    let written: u64 = users.into_iter().map(|user| user.join().expect("no panic")).sum();

    assert_eq!(pair[0].load(Ordering::Relaxed), written);
    let standing = lock.standing();
    assert_eq!((standing.writer, standing.readers, standing.upgradable, standing.waiting), (None, 0, None, 0));
    assert_eq!(standing.writes, written);
}

#[test]
fn nobody_is_forgotten_and_a_writer_is_alone() {
    rush(Prefer::Fair);
}

#[test]
fn the_same_when_readers_are_preferred() {
    rush(Prefer::Readers);
}

#[test]
fn the_same_when_writers_are_preferred() {
    rush(Prefer::Writers);
}
