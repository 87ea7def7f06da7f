//! What every model shares: how it is explored.

/// Runs `model` in every interleaving that takes the processor from a running thread at most `preemptions` times.
/// Switches at a wait are free. Most bugs of concurrency need two preemptions or fewer.
pub(crate) fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

pub(crate) mod notified;
pub(crate) mod rwlock;
pub(crate) mod select;
