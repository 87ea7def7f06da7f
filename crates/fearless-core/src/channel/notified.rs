//! The operations of notified waiters, a select's and a coroutine's: enlist, and then act or withdraw.
//!
//! An operation that is not ready *enlists* its waiter, as one of the operations of that waiter's call. After the waiter
//! was claimed for it, the operation *acts*: it leaves its place and tries, which can fail, as nothing was kept for it. All
//! others *withdraw*. Both pass on a notice that was not used. A place that was left can be taken again, so a waiter that
//! came too late stays where it was.
//!
//! Not here: how the operations of one call are chosen; see [`crate::select`].

use super::{
    Channel, Recv, Send,
    state::{Load, Receiving, Sending, State},
};
use crate::{
    sync::{Arc, Locks},
    waiter::{Ticket, Waiter, Wakes},
};

/// What became of an attempt to enlist.
#[derive(Debug)]
pub enum Enlisted<T> {
    /// The waiter has its place. The item comes back unless the channel is a rendezvous.
    Waits(Ticket, Option<T>, Wakes),
    /// The operation can be tried now. Item and hook come back.
    Ready(Option<T>, Option<T>),
}

/// What an operation gets back when it leaves its place.
#[derive(Debug)]
pub struct Withdrawn<T> {
    /// The item, if it was with the channel and is still there.
    pub item: Option<T>,
    /// The hook.
    pub hook: Option<T>,
    /// Whether the item was taken while the sender waited.
    pub went_ahead: bool,
    /// Those to whom the notice was passed on.
    pub wakes: Wakes,
}

impl<T, L: Locks> Channel<T, L> {
    /// Enlists a receive as operation `operation` of `waiter`, unless it is ready. `place` is one that was held before.
    pub fn enlist_recv(
        &self,
        waiter: &Arc<Waiter>,
        operation: usize,
        place: Option<Ticket>,
        hook: Option<T>,
    ) -> Enlisted<T> {
        let mut state = self.lock();
        if state.can_recv(waiter) {
            return Enlisted::Ready(None, hook);
        }
        let receiving = Receiving { operation, notified: false, hook };
        let ticket = state.receivers.push_at(place, Arc::clone(waiter), receiving);
        Enlisted::Waits(ticket, None, Wakes::default())
    }

    /// Enlists a send; see [`Channel::enlist_recv`].
    pub fn enlist_send(
        &self,
        item: T,
        waiter: &Arc<Waiter>,
        operation: usize,
        place: Option<Ticket>,
        hook: Option<T>,
    ) -> Enlisted<T> {
        let mut state = self.lock();
        if state.can_send(self.capacity, waiter) {
            return Enlisted::Ready(Some(item), hook);
        }
        // One side of a rendezvous has to leave the last step to the other: the sender does.
        let is_rendezvous = self.capacity == Some(0);
        let (load, item) = if is_rendezvous { (Load::Item(item), None) } else { (Load::Elsewhere, Some(item)) };
        let sending = Sending { operation, notified: false, load, hook };
        let ticket = state.senders.push_at(place, Arc::clone(waiter), sending);
        let mut wakes = Wakes::default();
        if is_rendezvous {
            state.promise_items(self.capacity, Some(waiter), &mut wakes);
        }
        Enlisted::Waits(ticket, item, wakes)
    }

    /// Leaves the place of a receive whose waiter was claimed for it, and tries.
    pub fn act_recv(&self, ticket: Ticket) -> (Recv<T>, Withdrawn<T>) {
        let mut state = self.lock();
        let hook = state.leave_recv(ticket);
        let outcome = state.try_recv(self.capacity);
        let mut wakes = Wakes::default();
        state.promise_items(self.capacity, None, &mut wakes);
        (outcome, Withdrawn { item: None, hook, went_ahead: false, wakes })
    }

    /// Leaves the place of a send whose waiter was claimed for it, and tries with `item` or with what the channel has.
    pub fn act_send(&self, ticket: Ticket, item: Option<T>) -> (Option<Send<T>>, Withdrawn<T>) {
        let mut state = self.lock();
        let mut left = state.leave_send(ticket);
        let item = item.or_else(|| left.item.take());
        let outcome = match item {
            Some(item) if !left.went_ahead => Some(state.try_send(self.capacity, item)),
            _ => None,
        };
        state.admit(self.capacity, &mut left.wakes);
        (outcome, left)
    }

    /// Leaves the place of a receive.
    pub fn withdraw_recv(&self, ticket: Ticket) -> Withdrawn<T> {
        let mut state = self.lock();
        let hook = state.leave_recv(ticket);
        let mut wakes = Wakes::default();
        state.promise_items(self.capacity, None, &mut wakes);
        Withdrawn { item: None, hook, went_ahead: false, wakes }
    }

    /// Leaves the place of a send.
    pub fn withdraw_send(&self, ticket: Ticket) -> Withdrawn<T> {
        let mut state = self.lock();
        let mut left = state.leave_send(ticket);
        state.admit(self.capacity, &mut left.wakes);
        left
    }
}

impl<T> State<T> {
    fn can_recv(&self, own: &Arc<Waiter>) -> bool {
        let offered = |(waiter, sending): (&Arc<Waiter>, &Sending<T>)| {
            matches!(sending.load, Load::Item(_)) && !Arc::ptr_eq(waiter, own) && waiter.claimed().is_none()
        };
        self.queue.len() > self.reserved || self.is_closed() || self.senders.iter().any(offered)
    }

    fn can_send(&self, capacity: Option<usize>, own: &Arc<Waiter>) -> bool {
        let awaited = |(waiter, _): (&Arc<Waiter>, &Receiving<T>)| {
            waiter.is_direct() && !Arc::ptr_eq(waiter, own) && waiter.claimed().is_none()
        };
        self.has_room(capacity) || self.is_closed() || self.receivers.iter().any(awaited)
    }

    fn leave_recv(&mut self, ticket: Ticket) -> Option<T> {
        let receiving = self.receivers.remove(ticket)?;
        // Zero only in a forked child, which forgot all promises.
        self.promised_items = self.promised_items.saturating_sub(usize::from(receiving.notified));
        receiving.hook
    }

    fn leave_send(&mut self, ticket: Ticket) -> Withdrawn<T> {
        let mut left = Withdrawn { item: None, hook: None, went_ahead: false, wakes: Wakes::default() };
        if let Some(sending) = self.senders.remove(ticket) {
            self.promised_room = self.promised_room.saturating_sub(usize::from(sending.notified));
            left.hook = sending.hook;
            left.went_ahead = matches!(sending.load, Load::Taken);
            left.item = if let Load::Item(item) = sending.load { Some(item) } else { None };
        }
        left
    }
}
