//! What few mutexes need, in a box of its own, so that many idle ones stay small.
//!
//! Not here: when a mutex is poisoned, and who waits.

use once_cell::race::OnceBox;
use pyo3::{PyTraverseError, PyVisit};

use crate::{hooks::Hooks, poison::Poison};

/// Made with the mutex where it can be poisoned, else for the first task that waits. Whoever comes makes the box and puts
/// it in its place in one step, so a fork finds no lock held.
pub(super) struct Rare(OnceBox<Parts>);

struct Parts {
    /// With `poison=True`: the first error that left a block.
    poison: Poison,
    /// The tasks that wait.
    hooks: Hooks,
}

impl Parts {
    fn boxed(poison: bool) -> Box<Parts> {
        Box::new(Parts { poison: Poison::new(poison), hooks: Hooks::default() })
    }
}

impl Rare {
    pub(super) fn new(poison: bool) -> Rare {
        Rare(if poison { OnceBox::with_value(Parts::boxed(true)) } else { OnceBox::new() })
    }

    pub(super) fn poison(&self) -> Option<&Poison> {
        self.0.get().map(|parts| &parts.poison)
    }

    pub(super) fn hooks(&self) -> &Hooks {
        &self.0.get_or_init(|| Parts::boxed(false)).hooks
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get().map_or(Ok(()), |parts| parts.hooks.traverse(visit))
    }

    /// Drops what the collector found.
    pub(super) fn clear(&self) {
        if let Some(parts) = self.0.get() {
            parts.hooks.clear();
        }
    }
}
