//! Select: the one of several operations that can go ahead first.
//!
//! A call *tries* its operations in random order. When none can go ahead it *starts*: it enlists one waiter with all of
//! their objects, each of which notifies it by the operation's number. After the wait it *finishes*: the operation that it
//! was notified of acts, and the others withdraw. Nothing was kept for it meanwhile, so the attempt can fail; then it
//! begins again, from the places it had.
//!
//! A thread in a select, and a coroutine with one operation or many, do all their waiting in this way.
//!
//! Not here: sleeping, and what the operations are; each is a [`Source`].

use crate::{
    channel::{Channel, Enlisted, Recv, Send, Withdrawn},
    sync::{Arc, Locks},
    waiter::{Claim, Ticket, Waiter},
};

/// One operation of a select.
pub trait Source {
    /// Goes ahead if that needs no wait.
    fn attempt(&mut self) -> bool;

    /// Enlists `waiter`; false when the operation is ready, and nothing was enlisted.
    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool;

    /// Leaves its place, the waiter having been claimed for this operation, and goes ahead if it still can.
    fn act(&mut self) -> bool;

    /// Leaves its place, if it has one; whether the other side made it go ahead while it waited.
    fn withdraw(&mut self) -> bool;
}

/// How a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This operation went ahead.
    Done(usize),
    /// Wait for a claim, then finish.
    Wait,
    /// None could go ahead after all: start again.
    Again,
    /// The wait ended otherwise; nothing was done.
    GaveUp,
}

/// The order in which one call looks at its operations.
#[derive(Debug, Default)]
pub struct Select {
    order: Vec<usize>,
}

impl Select {
    /// Tries each operation, in an order drawn with `random` as it goes (Fisher and Yates's shuffle); the one that went
    /// ahead.
    pub fn attempt<S: Source>(&mut self, sources: &mut [S], mut random: impl FnMut() -> u64) -> Option<usize> {
        if let [only] = sources {
            return only.attempt().then_some(0);
        }
        let len = sources.len();
        if self.order.len() != len {
            self.order = (0..len).collect();
        }
        for place in 0..len {
            self.order.swap(place, place + below(len - place, random()));
            let operation = self.order.get(place).copied().unwrap_or(place);
            if sources.get_mut(operation).is_some_and(Source::attempt) {
                return Some(operation);
            }
        }
        None
    }

    /// Enlists `waiter` for each operation. `Wait`, or how the call stands when one turned out to be ready.
    pub fn start<S: Source>(&mut self, sources: &mut [S], waiter: &Arc<Waiter>) -> Standing {
        for operation in 0..sources.len() {
            let operation = self.order.get(operation).copied().unwrap_or(operation);
            if sources.get_mut(operation).is_some_and(|source| !source.enlist(waiter, operation)) {
                // Somebody may have claimed it for another operation meanwhile; that one has its turn first.
                waiter.claim(Claim::Ready(operation));
                return self.finish(sources, waiter);
            }
        }
        Standing::Wait
    }

    /// Ends the wait of a claimed waiter. Where nobody claimed it, `finish` does: to look around.
    pub fn finish<S: Source>(&mut self, sources: &mut [S], waiter: &Waiter) -> Standing {
        waiter.claim(Claim::Ready(sources.len()));
        let notified = match waiter.claimed() {
            Some(Claim::Ready(operation)) => Some(operation),
            _ => None,
        };
        let mut standing = if notified.is_some() { Standing::Again } else { Standing::GaveUp };
        if let Some(operation) = notified
            && sources.get_mut(operation).is_some_and(Source::act)
        {
            standing = Standing::Done(operation);
        }
        withdrawn(sources).map_or(standing, Standing::Done)
    }

    /// Ends the wait without acting, whatever the waiter was notified of; the operation that went ahead all the same.
    pub fn abandon<S: Source>(&mut self, sources: &mut [S], waiter: &Waiter) -> Option<usize> {
        waiter.claim(Claim::Interrupted);
        withdrawn(sources)
    }
}

fn withdrawn<S: Source>(sources: &mut [S]) -> Option<usize> {
    let mut gone_ahead = None;
    for (operation, source) in sources.iter_mut().enumerate() {
        if source.withdraw() {
            gone_ahead = Some(operation);
        }
    }
    gone_ahead
}

/// The next of a row of random numbers that are good enough to be fair (xorshift, Marsaglia 2003). `state` must not be 0.
pub fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// A random number below `bound`: the high bits of a product, as a division would take longer than a try.
pub fn below(bound: usize, random: u64) -> usize {
    let high = (u128::from(random) * bound as u128) >> u64::BITS;
    usize::try_from(high).unwrap_or(0)
}

/// Whatever keeps a channel alive.
pub trait Holds {
    /// What the channel carries.
    type Item;
    /// What locks the channel has.
    type Locks: Locks;

    /// The channel.
    fn channel(&self) -> &Channel<Self::Item, Self::Locks>;
}

impl<T, L: Locks> Holds for Arc<Channel<T, L>> {
    type Item = T;
    type Locks = L;

    fn channel(&self) -> &Channel<T, L> {
        self
    }
}

/// A receive as an operation of a select.
#[derive(Debug)]
pub struct Receiving<H: Holds> {
    /// The channel's holder.
    pub holder: H,
    /// Goes with the waiter, so that the channel keeps a waiting coroutine alive.
    pub hook: Option<H::Item>,
    /// What came, once it went ahead; `None` inside is the end of the channel.
    pub outcome: Option<Option<H::Item>>,
    place: Place,
}

/// A send as an operation of a select.
#[derive(Debug)]
pub struct Sending<H: Holds> {
    /// The channel's holder.
    pub holder: H,
    /// Goes with the waiter, so that the channel keeps a waiting coroutine alive.
    pub hook: Option<H::Item>,
    /// The item while it is here. Still here after the send went ahead: the channel is closed.
    pub item: Option<H::Item>,
    /// The other side took the item while this waited; a call that was abandoned then may still ask.
    went_ahead: bool,
    place: Place,
}

/// Where an operation stands in the wait list of its object.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Place {
    #[default]
    None,
    Taken(Ticket),
    Left(Ticket),
}

impl Place {
    /// The place that was left, to be taken again.
    pub(crate) fn held_before(self) -> Option<Ticket> {
        if let Place::Left(ticket) = self { Some(ticket) } else { None }
    }

    /// The ticket of a place that is taken; it is left with this.
    pub(crate) fn leave(&mut self) -> Option<Ticket> {
        let Place::Taken(ticket) = *self else { return None };
        *self = Place::Left(ticket);
        Some(ticket)
    }
}

impl<H: Holds> Receiving<H> {
    /// A receive from the channel of `holder`.
    pub fn new(holder: H) -> Receiving<H> {
        Receiving { holder, hook: None, outcome: None, place: Place::None }
    }

    fn settle(&mut self, outcome: Recv<H::Item>) -> bool {
        match outcome {
            Recv::Item(item, wakes) => {
                self.outcome = Some(Some(item));
                wakes.wake();
            }
            Recv::Closed => self.outcome = Some(None),
            Recv::Empty | Recv::Wait(_) | Recv::GaveUp => return false,
        }
        true
    }

    fn left(&mut self, left: Withdrawn<H::Item>) {
        self.hook = left.hook;
        left.wakes.wake();
    }
}

impl<H: Holds> Source for Receiving<H> {
    fn attempt(&mut self) -> bool {
        let outcome = self.holder.channel().try_recv();
        self.settle(outcome)
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let place = self.place.held_before();
        match self.holder.channel().enlist_recv(waiter, operation, place, self.hook.take()) {
            Enlisted::Waits(ticket, _, wakes) => {
                self.place = Place::Taken(ticket);
                wakes.wake();
                true
            }
            Enlisted::Ready(_, hook) => {
                self.hook = hook;
                false
            }
        }
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let (outcome, left) = self.holder.channel().act_recv(ticket);
        self.left(left);
        self.settle(outcome)
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            let left = self.holder.channel().withdraw_recv(ticket);
            self.left(left);
        }
        false
    }
}

impl<H: Holds> Sending<H> {
    /// A send of `item` to the channel of `holder`.
    pub fn new(holder: H, item: H::Item) -> Sending<H> {
        Sending { holder, hook: None, item: Some(item), went_ahead: false, place: Place::None }
    }

    fn settle(&mut self, outcome: Send<H::Item>) -> bool {
        match outcome {
            Send::Sent(wakes) => wakes.wake(),
            Send::Closed(item) => self.item = Some(item),
            Send::Full(item) | Send::GaveUp(item) => {
                self.item = Some(item);
                return false;
            }
            Send::Wait(..) => unreachable!("a try does not enqueue"),
        }
        true
    }
}

impl<H: Holds> Source for Sending<H> {
    fn attempt(&mut self) -> bool {
        let Some(item) = self.item.take() else { return self.went_ahead };
        let outcome = self.holder.channel().try_send(item);
        self.settle(outcome)
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let Some(item) = self.item.take() else { return true };
        let place = self.place.held_before();
        match self.holder.channel().enlist_send(item, waiter, operation, place, self.hook.take()) {
            Enlisted::Waits(ticket, item, wakes) => {
                (self.place, self.item) = (Place::Taken(ticket), item);
                wakes.wake();
                true
            }
            Enlisted::Ready(item, hook) => {
                (self.item, self.hook) = (item, hook);
                false
            }
        }
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let (outcome, left) = self.holder.channel().act_send(ticket, self.item.take());
        self.hook = left.hook;
        left.wakes.wake();
        self.went_ahead = left.went_ahead;
        left.went_ahead || outcome.is_some_and(|outcome| self.settle(outcome))
    }

    fn withdraw(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return false };
        let left = self.holder.channel().withdraw_send(ticket);
        self.hook = left.hook;
        if left.item.is_some() {
            self.item = left.item;
        }
        left.wakes.wake();
        self.went_ahead = left.went_ahead;
        left.went_ahead
    }
}
