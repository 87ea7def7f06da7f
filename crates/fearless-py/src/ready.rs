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
    channel::Core,
    loop_queue,
    receiver::Receiver,
    select::{Selected, random},
    source::Outcome,
};

/// The numbers of the arguments. More are looked at in full: to find the same channel twice, each is compared with all
/// before it.
const NUMBERS: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const FEW: usize = NUMBERS.len();

/// Receives from one of `channels` that has an item or has ended, chosen at random. `None` when there is none, or when not
/// all are receivers that are open and of different channels.
pub(crate) fn receive(channels: &Bound<'_, PyTuple>) -> Option<PyResult<Py<Selected>>> {
    let py = channels.py();
    let mut receivers = [None; FEW];
    let receivers = receivers.get_mut(..channels.len())?;
    gather(channels, receivers)?;
    let mut left = NUMBERS;
    let mut drawn = random();
    for len in (1..=receivers.len()).rev() {
        left.swap(below(len, drawn), len - 1);
        next_random(&mut drawn);
        let number = usize::from(*left.get(len - 1)?);
        let value = match (*receivers.get(number)?)?.get().core().try_recv() {
            Recv::Item(item, wakes) => {
                loop_queue::wake(py, wakes);
                Some(item)
            }
            Recv::Closed => None,
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => continue,
        };
        let channel = channels.get_item(number).ok()?.unbind();
        let outcome = Outcome { closed: value.is_none(), value };
        return Some(Py::new(py, Selected::new(number, channel, outcome)));
    }
    None
}

/// Fills `receivers` with what `channels` are, unless something has to be refused.
fn gather<'a, 'py>(
    channels: &'a Bound<'py, PyTuple>,
    receivers: &mut [Option<Borrowed<'a, 'py, Receiver>>],
) -> Option<()> {
    let mut cores: [*const Core; FEW] = [std::ptr::null(); FEW];
    for (number, case) in channels.iter_borrowed().enumerate() {
        let receiver = case.cast_exact::<Receiver>().ok()?;
        let core = std::ptr::from_ref(receiver.get().core());
        if !receiver.get().is_open() || cores.get(..number)?.contains(&core) {
            return None;
        }
        *cores.get_mut(number)? = core;
        *receivers.get_mut(number)? = Some(receiver);
    }
    Some(())
}
