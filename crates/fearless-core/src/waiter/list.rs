//! The waiters of one object, in their order.
//!
//! Not here: the lock that guards a list, which is the object's, and waking, which comes after its release.

use std::collections::VecDeque;

use super::{Claim, Waiter, Wakes};
use crate::sync::Arc;

/// A place in a [`WaitList`]; tickets grow with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Entry<P> {
    ticket: Ticket,
    waiter: Arc<Waiter>,
    payload: P,
}

/// What becomes of an entry; see [`WaitList::go_through`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// It was claimed, and stays for its owner to remove.
    Wake,
    /// It was claimed, and leaves the list.
    Leave,
    /// Nothing, and those behind it are not asked.
    Stop,
}

/// The waiters of one object, first come first, each with what it brought. Guarded by the lock of that object.
#[derive(Debug)]
pub struct WaitList<P = ()> {
    entries: VecDeque<Entry<P>>,
    next: u64,
}

impl<P> WaitList<P> {
    /// An empty list.
    pub fn new() -> WaitList<P> {
        WaitList { entries: VecDeque::new(), next: 0 }
    }

    /// Whether nobody is enqueued.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many are enqueued, claimed ones that have not yet left included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Enqueues at the end.
    pub fn push(&mut self, waiter: Arc<Waiter>, payload: P) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.entries.push_back(Entry { ticket, waiter, payload });
        ticket
    }

    /// Enqueues at a place that was held before and given up by [`WaitList::remove`]; at the end when there is none.
    pub fn push_at(&mut self, held: Option<Ticket>, waiter: Arc<Waiter>, payload: P) -> Ticket {
        let Some(ticket) = held else { return self.push(waiter, payload) };
        let place = self.entries.partition_point(|entry| entry.ticket < ticket);
        self.entries.insert(place, Entry { ticket, waiter, payload });
        ticket
    }

    /// Takes the entry out; `None` when whoever claimed it already did.
    pub fn remove(&mut self, ticket: Ticket) -> Option<P> {
        let place = self.place(ticket)?;
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some(entry.payload)
    }

    /// What the entry brought.
    pub fn get_mut(&mut self, ticket: Ticket) -> Option<&mut P> {
        let place = self.place(ticket)?;
        self.entries.get_mut(place).map(|entry| &mut entry.payload)
    }

    /// Claims the first that can be claimed and takes its entry out.
    ///
    /// An entry that somebody else claimed (a deadline, a cancellation) stays for its owner to remove, with what it
    /// brought.
    pub fn claim_first(&mut self, claim: Claim) -> Option<(Arc<Waiter>, P)> {
        let place = self.entries.iter().position(|entry| entry.waiter.claim(claim))?;
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some((entry.waiter, entry.payload))
    }

    /// Tells the first that it can try, and leaves it enqueued. Behind a coroutine, which may run much later, a thread is told
    /// too; nobody when one that was told has not run yet. `told` is where an entry remembers that, and its operation.
    pub fn tell_first(&mut self, told: impl Fn(&mut P) -> (&mut bool, usize), wakes: &mut Wakes) {
        let mut is_coroutine_told = false;
        for entry in &mut self.entries {
            let is_direct = entry.waiter.is_direct();
            let (told, operation) = told(&mut entry.payload);
            let is_next = is_direct || !is_coroutine_told;
            let was_told = *told;
            if is_next && !was_told && entry.waiter.claim(Claim::Ready(operation)) {
                *told = true;
                wakes.add(Arc::clone(&entry.waiter));
            }
            if *told {
                if is_direct {
                    return;
                }
                is_coroutine_told = true;
            }
        }
    }

    /// Tells all that can be told. `told` is where an entry remembers that, and its operation.
    pub fn tell_all(&mut self, told: impl Fn(&mut P) -> (&mut bool, usize), wakes: &mut Wakes) {
        for entry in &mut self.entries {
            let (told, operation) = told(&mut entry.payload);
            if entry.waiter.claim(Claim::Ready(operation)) {
                *told = true;
                wakes.add(Arc::clone(&entry.waiter));
            }
        }
    }

    /// The first thread that waits in one call.
    pub fn first_direct_mut(&mut self) -> Option<(&Arc<Waiter>, &mut P)> {
        let entry = self.entries.iter_mut().find(|entry| entry.waiter.is_direct())?;
        Some((&entry.waiter, &mut entry.payload))
    }

    /// Asks the entries, first to last, until `claim` has claimed one; it may change what the entry brought. `Some(true)`
    /// takes the entry out, `Some(false)` leaves it.
    pub fn claim_where(
        &mut self,
        mut claim: impl FnMut(&Arc<Waiter>, &mut P) -> Option<bool>,
    ) -> Option<(Arc<Waiter>, Option<P>)> {
        let mut claimed = None;
        for (place, entry) in self.entries.iter_mut().enumerate() {
            if let Some(leaves) = claim(&entry.waiter, &mut entry.payload) {
                claimed = Some((place, leaves));
                break;
            }
        }
        let (place, leaves) = claimed?;
        if !leaves {
            return self.entries.get(place).map(|entry| (Arc::clone(&entry.waiter), None));
        }
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some((entry.waiter, Some(entry.payload)))
    }

    /// Claims all that can be claimed, each with what `claim` says; their entries stay for their owners.
    pub fn claim_each(&self, claim: impl Fn(&Waiter, &P) -> Claim, wakes: &mut Wakes) {
        for entry in &self.entries {
            if entry.waiter.claim(claim(&entry.waiter, &entry.payload)) {
                wakes.add(Arc::clone(&entry.waiter));
            }
        }
    }

    /// Claims all that can be claimed; their entries stay for their owners.
    pub fn claim_all(&self, claim: Claim, wakes: &mut Wakes) {
        self.claim_each(|_, _| claim, wakes);
    }

    /// Goes through the entries, first to last; `look` says what becomes of each, and may change what it brought.
    pub fn go_through(&mut self, wakes: &mut Wakes, mut look: impl FnMut(&Arc<Waiter>, &mut P) -> Step) {
        let mut place = 0;
        while let Some(entry) = self.entries.get_mut(place) {
            match look(&entry.waiter, &mut entry.payload) {
                Step::Stay => place += 1,
                Step::Wake => {
                    wakes.add(Arc::clone(&entry.waiter));
                    place += 1;
                }
                Step::Leave => wakes.add_some(self.entries.remove(place).map(|entry| entry.waiter)),
                Step::Stop => break,
            }
        }
        self.shrink();
    }

    /// The waiters and what they brought, first to last.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Waiter>, &P)> {
        self.entries.iter().map(|entry| (&entry.waiter, &entry.payload))
    }

    /// As `iter`, to change what they brought.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<Waiter>, &mut P)> {
        self.entries.iter_mut().map(|entry| (&entry.waiter, &mut entry.payload))
    }

    /// What the entries brought, first to last.
    pub fn payloads(&self) -> impl Iterator<Item = &P> {
        self.entries.iter().map(|entry| &entry.payload)
    }

    /// Empties the list without waking anybody and returns what the entries brought: in a forked child, whose other
    /// threads are gone.
    pub fn forget(&mut self) -> Vec<P> {
        self.entries.drain(..).map(|entry| entry.payload).collect()
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()
    }

    /// Gives memory back after a crowd has gone.
    fn shrink(&mut self) {
        if self.entries.capacity() > 64 && self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }
}

impl<P> Default for WaitList<P> {
    fn default() -> WaitList<P> {
        WaitList::new()
    }
}
