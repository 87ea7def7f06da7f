//! Who reads: the acquisitions that share a lock, found by number and by owner.
//!
//! Few readers are looked through. A crowd, which is what the tasks of an event loop can be, is counted by owner as well, so
//! that an acquisition does not cost more the more there are. Not here: when somebody may read.

use std::{collections::HashMap, mem};

use super::{Held, Number};
use crate::owner::Owner;

/// So many are a crowd. It is one until there are as few as [`FEW`].
const CROWD: usize = 32;
const FEW: usize = 8;

/// The acquisitions that read. The first of them is kept here, as there is rarely another where reads are short.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Readers {
    first: Option<Held>,
    /// The others, by growing number.
    others: Vec<Held>,
    crowd: Option<Box<Crowd>>,
}

/// How many acquisitions each owner has, and each thread together with its tasks.
#[derive(Debug, Default)]
struct Crowd {
    owners: HashMap<Owner, usize>,
    threads: HashMap<u64, usize>,
}

impl Crowd {
    fn add(&mut self, owner: Owner) {
        *self.owners.entry(owner).or_default() += 1;
        *self.threads.entry(owner.thread).or_default() += 1;
    }

    fn remove(&mut self, owner: Owner) {
        one_less(&mut self.owners, owner);
        one_less(&mut self.threads, owner.thread);
    }

    /// See [`Owner::is_stuck_behind`].
    fn blocks(&self, me: Owner) -> bool {
        if me.task == 0 {
            self.threads.contains_key(&me.thread)
        } else {
            self.owners.contains_key(&me) || self.owners.contains_key(&Owner::thread(me.thread))
        }
    }
}

fn one_less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

impl Readers {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    fn iter(&self) -> impl Iterator<Item = &Held> {
        self.first.iter().chain(&self.others)
    }

    /// Adds an acquisition, which has the highest number so far.
    pub(super) fn push(&mut self, held: Held) {
        if self.first.is_none() {
            self.first = Some(held);
        } else {
            self.others.push(held);
        }
        if self.crowd.is_some() || self.others.len() >= CROWD {
            self.count(held.owner);
        }
    }

    #[cold]
    fn count(&mut self, owner: Owner) {
        match &mut self.crowd {
            Some(crowd) => crowd.add(owner),
            None => {
                let mut crowd = Box::<Crowd>::default();
                self.iter().for_each(|held| crowd.add(held.owner));
                self.crowd = Some(crowd);
            }
        }
    }

    /// Takes an acquisition out; `None` when it has ended before.
    pub(super) fn remove(&mut self, number: Number) -> Option<Held> {
        let held = match self.first.take_if(|first| first.number == number) {
            Some(first) => first,
            None => self.others.remove(self.place(number)?),
        };
        if self.crowd.is_some() {
            self.discount(held.owner);
        }
        Some(held)
    }

    #[cold]
    fn discount(&mut self, owner: Owner) {
        if let Some(crowd) = &mut self.crowd {
            crowd.remove(owner);
        }
        if self.others.len() <= FEW {
            self.crowd = None;
            self.others.shrink_to(CROWD);
        }
    }

    /// The acquisition, while it lasts.
    pub(super) fn get(&self, number: Number) -> Option<Held> {
        match self.first {
            Some(first) if first.number == number => Some(first),
            _ => self.others.get(self.place(number)?).copied(),
        }
    }

    /// Whether `me` would wait for itself if it waited for all readers to leave.
    pub(super) fn block(&self, me: Owner) -> bool {
        match &self.crowd {
            Some(crowd) => crowd.blocks(me),
            None => self.iter().any(|held| me.is_stuck_behind(held.owner)),
        }
    }

    /// Keeps those whose owner `lives`: in a forked child.
    pub(super) fn keep(&mut self, lives: impl Fn(Owner) -> bool) {
        let before = mem::take(self);
        before.iter().filter(|held| lives(held.owner)).for_each(|held| self.push(*held));
    }

    fn place(&self, number: Number) -> Option<usize> {
        self.others.binary_search_by_key(&number, |held| held.number).ok()
    }
}
