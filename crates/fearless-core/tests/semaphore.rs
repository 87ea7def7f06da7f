//! The semaphore beside a plain queue: whatever is asked of it, the same requests are served, in the same order.
#![cfg(not(loom))]

use std::{collections::VecDeque, sync::Arc};

use fearless_core::{
    select::next_random,
    semaphore::{Overfull, Semaphore},
    waiter::{Claim, Ticket, Waiter},
};

const PERMITS: u64 = 5;

/// A request that waits.
struct Request {
    permits: u64,
    waiter: Arc<Waiter>,
    ticket: Ticket,
}

/// The semaphore, and what a plain queue says of it.
struct Beside {
    semaphore: Semaphore,
    free: u64,
    queue: VecDeque<Request>,
}

impl Beside {
    fn acquire(&mut self, permits: u64) {
        let waiter = Waiter::new();
        let is_free = self.queue.is_empty() && permits <= self.free;
        match self.semaphore.acquire(permits, &waiter) {
            None => {
                assert!(is_free);
                self.free -= permits;
            }
            Some(ticket) => {
                assert!(!is_free);
                self.queue.push_back(Request { permits, waiter, ticket });
            }
        }
    }

    fn try_acquire(&mut self, permits: u64) {
        let is_free = self.queue.is_empty() && permits <= self.free;
        assert_eq!(self.semaphore.try_acquire(permits), is_free);
        self.free -= if is_free { permits } else { 0 };
    }

    fn release(&mut self, permits: u64) {
        match self.semaphore.release(permits) {
            Ok(wakes) => {
                assert!(self.free + permits <= PERMITS);
                self.free += permits;
                wakes.wake();
            }
            Err(Overfull(free)) => assert!(free == self.free && free + permits > PERMITS),
        }
        self.serve();
    }

    fn give_up(&mut self, place: usize) {
        let Some(request) = self.queue.remove(place) else { return };
        assert!(request.waiter.claim(Claim::TimedOut));
        let (acquired, wakes) = self.semaphore.resume(request.ticket, Claim::TimedOut);
        assert!(!acquired);
        wakes.wake();
        self.serve();
    }

    /// What a plain queue does; those it serves have to be claimed, all others not.
    fn serve(&mut self) {
        while self.queue.front().is_some_and(|request| request.permits <= self.free) {
            let Some(request) = self.queue.pop_front() else { return };
            self.free -= request.permits;
            assert_eq!(request.waiter.claimed(), Some(Claim::Ready(0)));
        }
        assert!(self.queue.iter().all(|request| request.waiter.claimed().is_none()));
    }
}

#[test]
fn it_serves_as_a_plain_queue_does() {
    let mut random = 0x9E37_79B9_7F4A_7C15;
    let mut draw = |below: u64| next_random(&mut random) % below;
    for _ in 0..200 {
        let mut beside = Beside { semaphore: Semaphore::new(PERMITS, true), free: PERMITS, queue: VecDeque::new() };
        for _ in 0..200 {
            let permits = draw(PERMITS) + 1;
            match draw(5) {
                0 | 1 => beside.acquire(permits),
                2 => beside.try_acquire(permits),
                3 => beside.release(permits),
                _ => {
                    let place = draw(4);
                    beside.give_up(usize::try_from(place).unwrap_or(0));
                }
            }
            assert_eq!((beside.semaphore.free(), beside.semaphore.waiting()), (beside.free, beside.queue.len()));
        }
    }
}
