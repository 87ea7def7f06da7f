//! `select` and `try_select`: arguments, the wait of a thread, and `Selected`. See `source.rs` for the operations, and
//! `ready.rs` for the short way of receivers.

use std::{cell::Cell, collections::HashMap, time::Instant};

use fearless_core::{
    select::{Select, Standing, next_random},
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*, types::PyTuple};

use crate::{
    errors, loop_queue, python, ready,
    source::{Outcome, Source},
    thread,
    wait::{self, Ended, Kind, Patience},
};

/// What `select` chose.
///
/// Thread safety: immutable.
#[pyclass(frozen, generic, get_all, module = "fearless")]
pub(crate) struct Selected {
    /// The number of the chosen argument.
    index: usize,
    /// The chosen argument itself.
    channel: Py<PyAny>,
    /// What was received; `None` after a send, and the item itself if the channel was closed and did not take it.
    value: Option<Py<PyAny>>,
    /// Whether it was chosen because it has ended.
    closed: bool,
}

#[pymethods]
impl Selected {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str, &'static str) {
        ("index", "channel", "value", "closed")
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let fields = (self.index, self.channel.clone_ref(py), self.value.as_ref().map(|value| value.clone_ref(py)));
        let fields = (fields.0, fields.1, fields.2, self.closed).into_pyobject(py)?;
        Ok(fields.into_any().try_iter()?.into_any())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let value = self.value.as_ref().map_or_else(|| Ok("None".to_owned()), |value| text(value.bind(py)))?;
        let closed = if self.closed { "True" } else { "False" };
        let channel = text(self.channel.bind(py))?;
        Ok(format!("Selected(index={}, channel={channel}, value={value}, closed={closed})", self.index))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.channel)?;
        visit.call(&self.value)
    }
}

impl Selected {
    pub(crate) fn new(index: usize, channel: Py<PyAny>, outcome: Outcome) -> Selected {
        Selected { index, channel, value: outcome.value, closed: outcome.closed }
    }
}

fn text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    python::repr(object)
}

/// Wait for the first of several operations that can go ahead, and do it.
///
/// Each of `channels` is a receiver, `sender.sending(item)`, what `after`, `tick` or `never` returned, an event, a latch, a
/// semaphore or its `permits(n)`. Of those that can go ahead one is chosen at random. A channel that has ended can go ahead
/// each time, with `closed=True`.
///
/// Blocks: until one can go ahead; a cancellation point; Ctrl-C gets through.
/// Raises: `Timeout` after `timeout` seconds; `ValueError` if `timeout` is negative or NaN, if there are no channels or if
/// one is given twice; `TypeError` for anything else than a channel; `Closed` or `MovedError` for an end that is closed.
#[pyfunction]
#[pyo3(signature = (*channels, timeout=None))]
pub(crate) fn select(
    py: Python<'_>,
    channels: &Bound<'_, PyTuple>,
    timeout: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<Selected>> {
    let patience = Patience::from_timeout(timeout)?;
    if wait::checkpoint(py).is_ok()
        && let Some(selected) = ready::receive(channels)
    {
        return selected;
    }
    let mut sources = sources(channels, "select")?;
    let chosen = wait::checkpoint(py).and_then(|()| choose(py, &mut sources, patience));
    loop_queue::send(py);
    finish(channels, sources, chosen)
}

/// Do the first of several operations that can go ahead now. See `select`.
///
/// Raises: `Empty` when none can go ahead; otherwise as `select` does.
#[pyfunction]
#[pyo3(signature = (*channels))]
pub(crate) fn try_select(channels: &Bound<'_, PyTuple>) -> PyResult<Py<Selected>> {
    if let Some(selected) = ready::receive(channels) {
        return selected;
    }
    let mut sources = sources(channels, "try_select")?;
    let nothing = || errors::Empty::new_err("try_select: no channel is ready");
    let chosen = Select::default().attempt(&mut sources, random).ok_or_else(nothing);
    loop_queue::send(channels.py());
    finish(channels, sources, chosen)
}

/// The operations that `channels`, the arguments of `call`, stand for.
pub(crate) fn sources(channels: &Bound<'_, PyTuple>, call: &str) -> PyResult<Vec<Source>> {
    if channels.is_empty() {
        return Err(PyValueError::new_err(format!(
            "{call} needs at least one channel: on none it would wait for ever"
        )));
    }
    let py = channels.py();
    let mut sources: Vec<Source> = Vec::with_capacity(channels.len());
    let mut seen = Seen::default();
    for (number, case) in channels.iter_borrowed().enumerate() {
        let added = Source::of(&case, call).and_then(|source| {
            let twice = seen.add(source.identity());
            sources.push(source);
            twice.map_or(Ok(()), |first| {
                let rule = "must get each channel once for each direction";
                Err(PyValueError::new_err(format!("{call} {rule}, got the same as arguments {first} and {number}")))
            })
        });
        if let Err(error) = added {
            give_back(py, &mut sources);
            return Err(error);
        }
    }
    Ok(sources)
}

/// The operations of a call, to find the same one again: a few are looked through, many are hashed.
#[derive(Default)]
struct Seen {
    few: Vec<Identity>,
    many: HashMap<Identity, usize>,
}

type Identity = (usize, bool);

impl Seen {
    const FEW: usize = 16;

    /// Adds the next operation; the number of the one that is the same.
    fn add(&mut self, identity: Identity) -> Option<usize> {
        let known = self.few.iter().position(|other| *other == identity);
        if known.is_some() {
            return known;
        }
        if self.few.len() < Seen::FEW {
            self.few.push(identity);
            return None;
        }
        let number = self.few.len() + self.many.len();
        self.many.insert(identity, number)
    }
}

/// The operation that went ahead, once one has.
fn choose(py: Python<'_>, sources: &mut [Source], patience: Patience) -> PyResult<usize> {
    let mut select = Select::default();
    loop {
        if let Some(chosen) = select.attempt(sources, random) {
            return Ok(chosen);
        }
        let late = || errors::timeout("select", "no channel was ready");
        if patience == Patience::Once {
            return Err(late());
        }
        let waiter = Waiter::for_select();
        let mut standing = select.start(sources, &waiter);
        loop_queue::send(py);
        if standing == Standing::Wait {
            let ended = wait::wait(py, &waiter, Kind::Channel, patience.earlier(earliest(sources)));
            if matches!(ended, Ended::Ready(_))
                && let Err(error) = wait::last_look(py)
            {
                let Some(chosen) = select.abandon(sources, &waiter) else { return Err(error) };
                // The other side took the item: that stands, and the error comes afterwards.
                thread::raise_later(py, error);
                return Ok(chosen);
            }
            standing = select.finish(sources, &waiter);
            if let (Standing::GaveUp, Ended::Failed(_, error)) = (standing, ended) {
                return Err(error);
            }
        }
        match standing {
            Standing::Done(chosen) => return Ok(chosen),
            Standing::GaveUp if patience.is_over() => {
                return select.attempt(sources, random).ok_or_else(late);
            }
            Standing::GaveUp | Standing::Again | Standing::Wait => {}
        }
    }
}

fn earliest(sources: &[Source]) -> Option<Instant> {
    sources.iter().filter_map(Source::due).min()
}

fn finish(channels: &Bound<'_, PyTuple>, mut sources: Vec<Source>, chosen: PyResult<usize>) -> PyResult<Py<Selected>> {
    let py = channels.py();
    let selected = chosen.and_then(|chosen| {
        let channel = channels.get_item(chosen)?.unbind();
        match sources.get_mut(chosen) {
            Some(source) => Py::new(py, Selected::new(chosen, channel, source.outcome(py)?)),
            None => unreachable!("a chosen operation is one of them"),
        }
    });
    give_back(py, &mut sources);
    selected
}

/// Gives the items of sends that did not go ahead back to their handles.
pub(crate) fn give_back(py: Python<'_>, sources: &mut [Source]) {
    for source in sources {
        drop(source.take_back(py));
    }
}

thread_local! {
    static SEED: Cell<u64> = const { Cell::new(0) };
}

/// A random number, for a fair choice and nothing else.
pub(crate) fn random() -> u64 {
    SEED.with(|seed| {
        let mut state = match seed.get() {
            0 => u64::from_ne_bytes(std::ptr::from_ref(seed).addr().to_ne_bytes()) | 1,
            state => state,
        };
        let next = next_random(&mut state);
        seed.set(state);
        next
    })
}
