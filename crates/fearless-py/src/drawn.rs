//! The items of a `send_many` between the iterable and the channel: drawn a few at a time, each with its way back.
//!
//! Items of a list or a tuple are read in place, which costs half of what its iterator does. Not here: sending, and how
//! many to draw.

use std::collections::VecDeque;

use pyo3::{
    prelude::*,
    types::{PyIterator, PyList, PyTuple},
};

use crate::{
    owned::{OnItsWay, Owned},
    python,
};

/// How many items are on their way at most.
const BATCH: usize = 64;

/// Items on their way, and where the next come from.
pub(crate) struct Drawn<'py> {
    supply: Supply<'py>,
    /// Those that were drawn and not sent.
    pub(crate) items: VecDeque<Py<PyAny>>,
    /// The number of the first of them.
    sent: usize,
    /// The ways of those that are no plain objects, by number.
    ways: VecDeque<(usize, OnItsWay)>,
}

/// Where items come from; with a sequence goes the place of the next.
enum Supply<'py> {
    List(Bound<'py, PyList>, usize),
    Tuple(Bound<'py, PyTuple>, usize),
    Iterator(Bound<'py, PyIterator>),
    Ended,
}

impl<'py> Drawn<'py> {
    /// None yet, of `items`.
    ///
    /// Raises: `TypeError` if they cannot be iterated.
    pub(crate) fn from(items: &Bound<'py, PyAny>) -> PyResult<Drawn<'py>> {
        let supply = if let Ok(list) = items.cast_exact::<PyList>() {
            Supply::List(list.clone(), 0)
        } else if let Ok(tuple) = items.cast_exact::<PyTuple>() {
            Supply::Tuple(tuple.clone(), 0)
        } else {
            Supply::Iterator(items.try_iter()?)
        };
        Ok(Drawn { supply, items: VecDeque::new(), sent: 0, ways: VecDeque::new() })
    }

    /// Draws `room` items, but one at least and no more than [`BATCH`].
    pub(crate) fn draw(&mut self, room: usize) -> PyResult<()> {
        let most = room.clamp(1, BATCH);
        self.items.reserve(most.min(self.supply.at_most()));
        for _ in 0..most {
            let Some(item) = self.supply.next()? else {
                // As a loop does: what comes to its end is not asked again.
                self.supply = Supply::Ended;
                break;
            };
            if item.is_exact_instance_of::<Owned>() {
                let (item, way) = OnItsWay::of(item.py(), item.unbind(), "send_many")?;
                self.ways.push_back((self.sent + self.items.len(), way));
                self.items.push_back(item);
            } else {
                self.items.push_back(item.unbind());
            }
        }
        Ok(())
    }

    /// The first `count` were sent: nothing of them comes back.
    pub(crate) fn leave(&mut self, count: usize) {
        self.sent += count;
        while self.ways.front().is_some_and(|(number, _)| *number < self.sent) {
            self.ways.pop_front();
        }
    }

    /// The first item, with its way.
    pub(crate) fn pop(&mut self) -> Option<(Py<PyAny>, OnItsWay)> {
        let item = self.items.pop_front()?;
        let is_its = self.ways.front().is_some_and(|(number, _)| *number == self.sent);
        let way = if is_its { self.ways.pop_front().map(|(_, way)| way) } else { None };
        self.sent += 1;
        Some((item, way.unwrap_or_default()))
    }
}

impl<'py> Supply<'py> {
    /// The next item. A list may change meanwhile, as under its own iterator.
    fn next(&mut self) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Supply::List(list, place) => {
                // Another thread may shorten the list between the look and the access, which then finds the end, too.
                let item = if *place < list.len() { list.get_item(*place).ok() } else { None };
                *place += usize::from(item.is_some());
                Ok(item)
            }
            Supply::Tuple(tuple, place) => {
                let item = if *place < tuple.len() { Some(tuple.get_item(*place)?) } else { None };
                *place += 1;
                Ok(item)
            }
            Supply::Iterator(items) => python::next(items),
            Supply::Ended => Ok(None),
        }
    }

    /// How many are left at this moment, if that can be told without a call.
    fn at_most(&self) -> usize {
        match self {
            Supply::List(list, place) => list.len().saturating_sub(*place),
            Supply::Tuple(tuple, place) => tuple.len().saturating_sub(*place),
            Supply::Iterator(_) | Supply::Ended => 0,
        }
    }
}
