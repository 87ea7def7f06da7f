//! What a task holds, and shows to the collector.
//!
//! It belongs to the task's core, which changes it together with the state. Not here: who changes it when.

use std::{collections::HashMap, mem};

use fearless_core::{scope as scopes, sync::Arc};
use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyString};

use super::{unretrieved::Concern, watch::Watchers};
use crate::call::Call;

#[derive(Default)]
pub(super) struct Content {
    /// Until it begins.
    pub(super) call: Option<Call>,
    /// Until it begins.
    pub(super) scope: Option<Arc<scopes::Scope>>,
    pub(super) result: Option<Py<PyAny>>,
    pub(super) exception: Option<Py<PyAny>>,
    pub(super) rare: Option<Box<Rare>>,
}

/// What most tasks never have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) name: Option<Py<PyString>>,
    pub(super) callbacks: Vec<Py<PyAny>>,
    pub(super) watchers: Option<Watchers>,
    /// The coroutines that wait for the task, by address.
    pub(super) hooks: Option<HashMap<usize, Py<PyAny>>>,
    pub(super) concern: Concern,
    /// By the scope that it is a task of, until it is over.
    pub(super) counted: Option<scopes::Counted>,
}

impl Content {
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(super) fn take_callbacks(&mut self) -> Vec<Py<PyAny>> {
        self.rare.as_mut().map_or_else(Vec::new, |rare| mem::take(&mut rare.callbacks))
    }
}

impl Rare {
    pub(super) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(watchers) = &self.watchers {
            visit.call(&watchers.condition)?;
            visit.call(&watchers.waiters)?;
        }
        if let Concern::Alarm(alarm) = &self.concern {
            visit.call(alarm)?;
        }
        let hooks = self.hooks.iter().flat_map(HashMap::values);
        self.callbacks.iter().chain(hooks).try_for_each(|object| visit.call(object))
    }
}
