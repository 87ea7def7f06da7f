//! Models of a mutex that tasks wait for beside threads: nobody waits for a task that does not run, and none is forgotten.
#![cfg(loom)]

mod common;

use common::explore;
use fearless_core::{
    mutex::{Lock, Locking, Mutex, Number},
    owner::Owner,
    select::{Select, Standing},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
    waiter::{Claim, Notice, Waiter},
};

#[derive(Debug)]
struct Count(Arc<AtomicUsize>);

impl Notice for Count {
    fn claimed(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A task that waits, and how often its loop was told.
struct Task {
    waiter: Arc<Waiter>,
    told: Arc<AtomicUsize>,
    select: Select,
    sources: [Locking<Arc<Mutex>>; 1],
}

impl Task {
    /// Enlists; its mutex is held by another.
    fn new(mutex: &Arc<Mutex>, number: u64) -> Task {
        let told = Arc::new(AtomicUsize::new(0));
        let owner = Owner { thread: 9, task: number };
        let mut task = Task {
            waiter: Waiter::for_loop(Box::new(Count(Arc::clone(&told)))),
            told,
            select: Select::default(),
            sources: [Locking::new(Arc::clone(mutex), owner)],
        };
        assert_eq!(task.select.start(&mut task.sources, &task.waiter), Standing::Wait);
        task
    }

    /// Acts, as its loop would let it after it was told; the acquisition, or `None` after it has enlisted again.
    fn act(&mut self) -> Option<Number> {
        match self.select.finish(&mut self.sources, &self.waiter) {
            Standing::Done(_) => match self.sources[0].outcome.take() {
                Some(Lock::Acquired(number)) => Some(number),
                other => panic!("found {other:?}"),
            },
            _ => None,
        }
    }
}

fn acquire(mutex: &Mutex, me: u64) -> Number {
    let waiter = Waiter::new();
    let mut lock = mutex.lock(Owner::thread(me), &waiter);
    loop {
        match lock {
            Lock::Acquired(number) => return number,
            Lock::Wait(ticket) => {
                let (next, wakes) = mutex.resume(ticket, &waiter, waiter.wait(None));
                wakes.wake();
                lock = next.expect("it does not give up");
            }
            Lock::Deadlock | Lock::Vanished => panic!("{me} found {lock:?}"),
        }
    }
}

fn release(mutex: &Mutex, number: Number) {
    mutex.release(number).expect("it is held").wake();
}

/// The task in front never runs; the thread behind it has its turn all the same.
///
/// Fails if `tell_first` stops at a coroutine that it told, and if `hand_over` looks at the first entry of any kind.
#[test]
fn a_thread_does_not_wait_for_a_task_that_does_not_run() {
    explore(3, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let task = Task::new(&mutex, 1);
        let behind = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || release(&mutex, acquire(&mutex, 2))
        });

        release(&mutex, held);

        behind.join().expect("no panic");
        assert_eq!(task.told.load(Ordering::Relaxed), 1);
        assert!(!mutex.is_locked());
    });
}

/// A task is told, and comes too late or not at all: the next one is told.
///
/// Fails without `notify` in `leave`.
#[test]
fn a_cancelled_task_passes_the_notice_on() {
    explore(3, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let mut first = Task::new(&mutex, 1);
        let mut second = Task::new(&mutex, 2);
        let holder = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || release(&mutex, held)
        });

        assert_eq!(first.select.abandon(&mut first.sources, &first.waiter), None);
        holder.join().expect("no panic");

        assert_eq!(second.told.load(Ordering::Relaxed), 1);
        let number = second.act().expect("the lock is free");
        release(&mutex, number);
        assert_eq!((mutex.waiting(), mutex.is_locked()), (0, false));
    });
}

/// A task enlists while the lock is being released: it is told, or finds it free.
///
/// Fails without the announcement in `enlist`, and without the look at the word that follows it.
#[test]
fn a_release_during_the_enlisting_is_not_missed() {
    explore(3, || {
        let mutex = Arc::new(Mutex::new());
        let held = mutex.try_lock(Owner::thread(1)).expect("it is new");
        let holder = thread::spawn({
            let mutex = Arc::clone(&mutex);
            move || release(&mutex, held)
        });
        let told = Arc::new(AtomicUsize::new(0));
        let waiter = Waiter::for_loop(Box::new(Count(Arc::clone(&told))));
        let mut select = Select::default();
        let mut sources = [Locking::new(Arc::clone(&mutex), Owner { thread: 9, task: 1 })];

        let standing = select.start(&mut sources, &waiter);
        holder.join().expect("no panic");

        let standing = if standing == Standing::Wait {
            assert_eq!(waiter.claimed(), Some(Claim::Ready(0)));
            select.finish(&mut sources, &waiter)
        } else {
            standing
        };
        assert_eq!(standing, Standing::Done(0));
    });
}
