//! A FIFO queue in blocks: grows by a block at a time and gives blocks back as it empties.
//!
//! A doubling ring holds up to twice what it needs and copies everything when it grows; a channel that once held a
//! million items would keep that room for good. Not here: any synchronization; the owner's lock guards it.

use std::collections::VecDeque;

/// Items in a block.
const BLOCK: usize = 64;

/// A first-in first-out queue of `T`.
#[derive(Debug)]
pub(crate) struct Blocks<T> {
    /// None is empty, save that a lone block may be; all but the first and last are full when reached.
    blocks: VecDeque<VecDeque<T>>,
    /// One emptied block, kept so that a queue that hovers around a block's edge does not allocate.
    spare: Option<VecDeque<T>>,
    len: usize,
}

impl<T> Blocks<T> {
    pub(crate) fn new() -> Blocks<T> {
        Blocks { blocks: VecDeque::new(), spare: None, len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.blocks.back_mut() {
            Some(last) if last.len() < BLOCK => last.push_back(item),
            _ => {
                let mut block = self.spare.take().unwrap_or_default();
                block.push_back(item);
                self.blocks.push_back(block);
            }
        }
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let first = self.blocks.front_mut()?;
        let item = first.pop_front()?;
        self.len -= 1;
        if first.is_empty() && self.blocks.len() > 1 {
            self.spare = self.blocks.pop_front();
            if self.blocks.capacity() > 16 && self.blocks.len() * 4 < self.blocks.capacity() {
                self.blocks.shrink_to(self.blocks.len() * 2);
            }
        }
        Some(item)
    }

    /// Takes everything but the first `keep` items.
    pub(crate) fn split_off(&mut self, keep: usize) -> Vec<T> {
        let mut all: Vec<T> = std::iter::from_fn(|| self.pop()).collect();
        let rest = all.split_off(keep.min(all.len()));
        for item in all {
            self.push(item);
        }
        rest
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Blocks};

    #[test]
    fn items_leave_in_the_order_they_came_across_blocks() {
        let mut queue = Blocks::new();
        (0..BLOCK * 3).for_each(|item| queue.push(item));

        let taken: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();

        assert_eq!(taken, (0..BLOCK * 3).collect::<Vec<_>>());
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn an_emptied_queue_gives_its_blocks_back() {
        let mut queue = Blocks::new();
        (0..BLOCK * 1000).for_each(|item| queue.push(item));

        while queue.pop().is_some() {}

        assert!(queue.blocks.len() <= 1);
        assert!(queue.blocks.capacity() <= 16, "{}", queue.blocks.capacity());
    }

    #[test]
    fn split_off_keeps_the_oldest() {
        let mut queue = Blocks::new();
        (0..5).for_each(|item| queue.push(item));

        assert_eq!(queue.split_off(2), [2, 3, 4]);
        assert_eq!(queue.iter().copied().collect::<Vec<_>>(), [0, 1]);
    }
}
