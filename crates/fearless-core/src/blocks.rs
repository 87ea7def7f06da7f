//! A FIFO queue in blocks: grows by a block at a time and gives blocks back as it empties.
//!
//! A doubling ring holds up to twice what it needs and copies everything when it grows; a channel that once held a
//! million items would keep that room for good. The first block alone grows by doubling, so that a short queue stays
//! small. Not here: any synchronization; the owner's lock guards it.

use std::{collections::VecDeque, mem};

/// Items in a block. Beside them it costs its place in the list, four words or up to eight while the list has room to
/// spare, and two of the allocator. Shared by 64 items that is more than `collections.deque` pays, by 512 it is less.
const BLOCK: usize = 512;

/// A first-in first-out queue of `T`.
#[derive(Debug)]
pub(crate) struct Blocks<T> {
    /// The oldest block, apart from the others: a queue that stays short looks nowhere else. Empty only when all is.
    first: VecDeque<T>,
    /// The blocks after it. None is empty, and all but the last were full when the next was begun.
    rest: VecDeque<VecDeque<T>>,
    /// One emptied block, kept so that a queue that hovers around a block's edge does not allocate.
    spare: VecDeque<T>,
    len: usize,
}

impl<T> Blocks<T> {
    pub(crate) fn new() -> Blocks<T> {
        Blocks { first: VecDeque::new(), rest: VecDeque::new(), spare: VecDeque::new(), len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        self.last_with_room().push_back(item);
        self.len += 1;
    }

    /// Moves the first `count` of `items`, or all if there are fewer, to the end. What goes whole goes in one copy.
    pub(crate) fn push_from(&mut self, items: &mut VecDeque<T>, count: usize) {
        let mut left = count.min(items.len());
        while left > 0 {
            let last = self.last_with_room();
            let some = left.min(BLOCK - last.len());
            if some == items.len() {
                last.append(items);
            } else {
                last.extend(items.drain(..some));
            }
            self.len += some;
            left -= some;
        }
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<T> {
        let item = self.first.pop_front()?;
        self.len -= 1;
        self.leave_empty();
        Some(item)
    }

    /// Moves the oldest `count`, or all if there are fewer, to the end of `items`. A block that goes whole goes in one copy.
    pub(crate) fn pop_into(&mut self, items: &mut Vec<T>, count: usize) {
        let mut left = count.min(self.len);
        items.reserve(left);
        while left > 0 {
            let some = left.min(self.first.len());
            if some == self.first.len() {
                let mut whole = Vec::from(mem::take(&mut self.first));
                items.append(&mut whole);
                self.first = whole.into();
            } else {
                // By hand: `extend` would ask for room at each item.
                for item in self.first.drain(..some) {
                    items.push(item);
                }
            }
            self.len -= some;
            left -= some;
            self.leave_empty();
        }
    }

    /// Takes everything but the first `keep` items.
    pub(crate) fn split_off(&mut self, keep: usize) -> Vec<T> {
        let mut all = Vec::new();
        self.pop_into(&mut all, self.len);
        let rest = all.split_off(keep.min(all.len()));
        for item in all {
            self.push(item);
        }
        rest
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.rest.iter().flatten())
    }

    /// The block that the next item goes to.
    #[inline]
    fn last_with_room(&mut self) -> &mut VecDeque<T> {
        let last = self.rest.back().unwrap_or(&self.first);
        if last.len() >= BLOCK {
            let spare = mem::take(&mut self.spare);
            // Whole at once: whoever fills one block and more is likely to fill the next.
            self.rest.push_back(if spare.capacity() == 0 { VecDeque::with_capacity(BLOCK) } else { spare });
        }
        self.rest.back_mut().unwrap_or(&mut self.first)
    }

    /// Goes on to the next block if the first is empty.
    #[inline]
    fn leave_empty(&mut self) {
        if self.first.is_empty()
            && let Some(next) = self.rest.pop_front()
        {
            self.spare = mem::replace(&mut self.first, next);
            if self.rest.capacity() > 16 && self.rest.len() * 4 < self.rest.capacity() {
                self.rest.shrink_to(self.rest.len() * 2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

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
    fn many_at_a_time_keep_the_order_across_blocks() {
        let mut queue = Blocks::new();
        let mut items: VecDeque<_> = (1..BLOCK * 3).collect();
        queue.push(0);

        queue.push_from(&mut items, BLOCK * 2);
        queue.push_from(&mut items, usize::MAX);
        let mut taken = vec![];
        queue.pop_into(&mut taken, BLOCK + 1);
        queue.pop_into(&mut taken, usize::MAX);

        assert_eq!(taken, (0..BLOCK * 3).collect::<Vec<_>>());
        assert_eq!((items.len(), queue.len(), queue.pop()), (0, 0, None));
    }

    #[test]
    fn an_emptied_queue_gives_its_blocks_back() {
        let mut queue = Blocks::new();
        (0..BLOCK * 1000).for_each(|item| queue.push(item));

        while queue.pop().is_some() {}

        assert!(queue.rest.is_empty());
        assert!(queue.rest.capacity() <= 16, "{}", queue.rest.capacity());
    }

    #[test]
    fn a_short_queue_has_little_room_and_a_long_one_none_to_spare() {
        let mut queue = Blocks::new();

        (0..5).for_each(|item| queue.push(item));
        assert!(queue.first.capacity() <= 8, "{}", queue.first.capacity());

        (0..BLOCK * 2).for_each(|item| queue.push(item));
        assert_eq!(queue.rest.iter().map(VecDeque::capacity).collect::<Vec<_>>(), [BLOCK, BLOCK]);
    }

    #[test]
    fn split_off_keeps_the_oldest() {
        let mut queue = Blocks::new();
        (0..5).for_each(|item| queue.push(item));

        assert_eq!(queue.split_off(2), [2, 3, 4]);
        assert_eq!(queue.iter().copied().collect::<Vec<_>>(), [0, 1]);
    }
}
