//! A select of a few receivers one of which is ready: the common case, for which no operation has to be built.
//!
//! Not here: any other argument, and whatever has to be refused or waited for; `select.rs` does those in full, and then
//! tries again.

use fearless_core::{
    channel::Recv,
    select::{below, next_random},
};
use pyo3::{Borrowed, prelude::*, types::PyTuple};

use crate::{
    loop_queue,
    receiver::Receiver,
    select::{Selected, random},
    source::Outcome,
};

/// More are looked at in full: to find the same channel twice, each is compared with all before it.
const FEW: usize = 16;

type Receivers<'a, 'py> = [Option<Borrowed<'a, 'py, Receiver>>];

/// Receives from one of `channels` that has an item or has ended, chosen at random. `None` when there is none, or when not
/// all are receivers that are open and of different channels.
pub(crate) fn receive(channels: &Bound<'_, PyTuple>) -> Option<PyResult<Py<Selected>>> {
    let mut receivers = [None; FEW];
    let receivers = receivers.get_mut(..channels.len())?;
    gather(channels, receivers)?;
    let mut left: [usize; FEW] = std::array::from_fn(|number| number);
    let mut drawn = random();
    for len in (1..=receivers.len()).rev() {
        left.swap(below(len, drawn), len - 1);
        next_random(&mut drawn);
        let number = *left.get(len - 1)?;
        let receiver = receivers.get(number).copied().flatten()?;
        let value = match receiver.get().core().try_recv() {
            Recv::Item(item, wakes) => {
                loop_queue::wake(channels.py(), wakes);
                Some(item)
            }
            Recv::Closed => None,
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => continue,
        };
        let channel = receiver.to_owned().into_any().unbind();
        let outcome = Outcome { closed: value.is_none(), value };
        return Some(Py::new(channels.py(), Selected::new(number, channel, outcome)));
    }
    None
}

/// Fills `receivers` with what `channels` are, unless something has to be refused.
fn gather<'a, 'py>(channels: &'a Bound<'py, PyTuple>, receivers: &mut Receivers<'a, 'py>) -> Option<()> {
    for number in 0..receivers.len() {
        let receiver = channels.get_borrowed_item(number).ok()?.cast_exact::<Receiver>().ok()?;
        let (before, places) = receivers.split_at_mut(number);
        let core = receiver.get().core();
        let is_on_same = |other: &Borrowed<'_, '_, Receiver>| std::ptr::eq(other.get().core(), core);
        if receiver.get().check_open("select").is_err() || before.iter().flatten().any(is_on_same) {
            return None;
        }
        *places.first_mut()? = Some(receiver);
    }
    Some(())
}
