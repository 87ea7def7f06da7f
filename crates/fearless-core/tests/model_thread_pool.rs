//! Every interleaving of small pools: submitting against taking, waiting for room, and closing.
//!
//! Each model was seen to fail without one line of the protocol, which its comment names.
#![cfg(loom)]

#[path = "common/notified.rs"]
mod notified;

use fearless_core::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        thread,
    },
    task::{Pass, Step, Task},
    thread_pool::{Next, Submit, Submitting, ThreadPool},
    waiter::{Claim, Waiter},
};
use loom::{model::Builder, sync::mpsc::channel};

type Pool = Arc<ThreadPool<usize>>;

/// A worker of the shipped protocol.
fn work_with(pool: &ThreadPool<usize>, mut run: impl FnMut(usize)) {
    let waiter = Waiter::new();
    let mut next = pool.begin(&waiter);
    loop {
        next = match next {
            Next::Run(task, wakes) => {
                wakes.wake();
                run(task);
                pool.next(&waiter)
            }
            Next::Look(wakes) => {
                wakes.wake();
                pool.looked(&waiter) // the model has no clock: it has looked for long enough
            }
            Next::Wait(ticket, wakes) => {
                wakes.wake();
                pool.resume(ticket, waiter.wait(None), &waiter)
            }
            Next::Leave(wakes) => return wakes.wake(),
        };
    }
}

/// A worker whose tasks are numbers; their sum.
fn work(pool: &ThreadPool<usize>) -> usize {
    let mut sum = 0;
    work_with(pool, |task| sum += task);
    sum
}

fn start_worker(pool: &Pool) -> thread::JoinHandle<usize> {
    let pool = Arc::clone(pool);
    thread::spawn(move || work(&pool))
}

/// Submits, waiting for room; 1 if the task came back.
fn submit(pool: &ThreadPool<usize>, task: usize, give_up: bool) -> usize {
    let waiter = Waiter::new();
    match pool.submit(task, &waiter) {
        Submit::Wait(ticket) => {
            if give_up && waiter.claim(Claim::Cancelled) {
                // Its own claim won, so nothing was submitted.
                assert!(matches!(pool.resume_submit(ticket, Claim::Cancelled), Submit::GaveUp(_)));
                return 1;
            }
            match pool.resume_submit(ticket, waiter.wait(None)) {
                Submit::Queued(wakes) => {
                    wakes.wake();
                    0
                }
                Submit::Closed(_) => 1,
                other => panic!("a claimed submission is settled: {other:?}"),
            }
        }
        Submit::Queued(wakes) => {
            wakes.wake();
            0
        }
        Submit::Closed(_) => 1,
        other => panic!("there is a worker: {other:?}"),
    }
}

fn close(pool: &ThreadPool<usize>, empty: bool) -> Vec<usize> {
    let (tasks, wakes) = pool.close(empty);
    wakes.wake();
    tasks
}

fn model(preemptions: usize, check: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(check);
}

/// A task that meets a worker on its way to sleep is run, and a closed pool sends its worker off.
///
/// Fails (the worker sleeps beside a task) without waking the idle worker in `claim_idle`: `wakes.add(worker);`, and
/// (it sleeps for ever) without `state.idle.claim_all(CLOSED, &mut wakes);` in `close`.
#[test]
fn every_task_is_run_before_a_closed_pool_ends() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, None).with_looks(true));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let worker = start_worker(&pool);

        assert_eq!(submit(&pool, 2, false), 0);
        close(&pool, false);

        assert_eq!(worker.join().expect("no panic"), 3);
    });
}

/// A woken worker finds its task although a busy one comes by first.
///
/// Fails (a task stays behind) without giving the reservation back in `resume`:
/// `state.reserved = state.reserved.saturating_sub(1);`.
#[test]
fn two_workers_share_the_tasks_without_losing_one() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(2, None).with_looks(true));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        assert!(matches!(pool.try_submit(2), Submit::Start));
        let workers = [start_worker(&pool), start_worker(&pool)];

        assert_eq!(submit(&pool, 4, false), 0);
        close(&pool, false);

        let sums = workers.map(|worker| worker.join().expect("no panic"));
        assert_eq!(sums.into_iter().sum::<usize>(), 7);
    });
}

/// A worker is found for a task although the one that was woken stays in the task before it.
///
/// Fails (the second worker sleeps beside the task that the first waits for) without passing the wake-up on in `next`:
/// `if self.reserved == 0 && !self.looking.is_on && self.queue.len() > 0 {` and its line; and (both sleep) without the end of the
/// look in `looked`: `state.looking.is_on = false;`.
#[test]
fn a_wake_up_is_passed_on() {
    model(2, || {
        let pool: Pool = Arc::new(ThreadPool::new(2, None).with_looks(true));
        assert!(matches!(pool.try_submit(0), Submit::Start));
        assert!(matches!(pool.try_submit(0), Submit::Start));
        let (met, meeting) = channel();
        let (ended, both) = channel();
        let meeting = Arc::new(Mutex::new(meeting));
        let workers = [(met.clone(), ended.clone()), (met, ended)].map(|(met, ended)| {
            let (pool, meeting) = (Arc::clone(&pool), Arc::clone(&meeting));
            thread::spawn(move || {
                work_with(&pool, |task| match task {
                    0 => {}
                    1 => {
                        meeting.lock().expect("no panic").recv().expect("the other comes");
                        ended.send(()).expect("somebody waits");
                    }
                    _ => {
                        met.send(()).expect("somebody waits");
                        ended.send(()).expect("somebody waits");
                    }
                });
            })
        });

        assert_eq!(submit(&pool, 1, false), 0);
        assert_eq!(submit(&pool, 2, false), 0);
        (0..2).for_each(|_| both.recv().expect("a task ends"));
        close(&pool, false);

        workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
    });
}

/// A submitter that waits for room is let in by the worker that makes it.
///
/// Fails (the submitter sleeps for ever) without the line that takes from blocked submitters in `next`:
/// `if let Some(task) = self.let_in(&mut wakes)`.
#[test]
fn a_blocked_submitter_is_let_in() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, Some(0)));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let worker = start_worker(&pool);

        assert_eq!(submit(&pool, 2, false), 0);
        close(&pool, false);

        assert_eq!(worker.join().expect("no panic"), 3);
    });
}

/// A submitter that gives up has its task back, or the task is run; never both, never neither.
///
/// Fails (a call that gave up was let in) without the heed of the claim in `let_in`: `waiter.claim(GO).then_some(true)`.
#[test]
fn giving_up_meets_being_let_in() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, Some(0)));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let worker = start_worker(&pool);

        let back = submit(&pool, 2, true);
        close(&pool, false);

        assert_eq!(worker.join().expect("no panic") + 2 * back, 3);
    });
}

/// Emptying a pool while somebody submits: every task is run or comes back, once, and the joiner sees the last worker go.
///
/// Fails (the joiner sleeps for ever) without `self.joiners.claim_all(GO, &mut wakes);` in `gone`.
#[test]
fn emptying_meets_submitting() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, Some(0)));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let worker = start_worker(&pool);
        let back = Arc::new(AtomicUsize::new(0));
        let submitter = {
            let (pool, back) = (Arc::clone(&pool), Arc::clone(&back));
            thread::spawn(move || back.fetch_add(2 * submit(&pool, 2, false), Ordering::Relaxed))
        };

        let emptied: usize = close(&pool, true).into_iter().sum();
        let waiter = Waiter::new();
        if let Some(ticket) = pool.join(&waiter) {
            assert_eq!(waiter.wait(None), Claim::Ready(0));
            pool.leave_join(ticket);
        }

        submitter.join().expect("no panic");
        assert_eq!(worker.join().expect("no panic") + emptied + back.load(Ordering::Relaxed), 3);
    });
}

/// Waits for `task`, as a worker of `pool`; whether it was refused because no worker would be left.
fn join(pool: &ThreadPool<usize>, worker: u64, task: &Task<()>, is_firm: bool) -> bool {
    let waiter = Waiter::new();
    let Some(place) = task.join(&waiter) else { return false };
    let (ticket, wakes) = pool.stall(&waiter, worker, is_firm);
    wakes.wake();
    let claim = waiter.wait(None);
    pool.go_on(ticket);
    task.leave(place);
    claim == Claim::Refused
}

fn end(task: &Task<()>) {
    task.advance(Pass::Unshared, Step::Finish, |()| ()).expect("it ends once").1.wake();
}

/// Two workers and tasks 1 to 3, which `run` runs by pool, worker, task, and the ends of all three; the third is queued.
fn three_tasks_for_two(run: impl Fn(&ThreadPool<usize>, u64, usize, &[Task<()>; 3]) + Send + Sync + 'static) {
    let pool: Pool = Arc::new(ThreadPool::new(2, None));
    let (run, ends) = (Arc::new(run), Arc::new([1, 2, 3].map(|_| Task::new(()))));
    assert!(matches!(pool.try_submit(1), Submit::Start));
    assert!(matches!(pool.try_submit(2), Submit::Start));
    assert!(matches!(pool.try_submit(3), Submit::Queued(_)));
    close(&pool, false);
    let workers = [1, 2].map(|number| {
        let (pool, run, ends) = (Arc::clone(&pool), Arc::clone(&run), Arc::clone(&ends));
        thread::spawn(move || work_with(&pool, |task| run(&pool, number, task, &ends)))
    });
    workers.into_iter().for_each(|worker| worker.join().expect("no panic"));
}

/// Two workers that both wait for a third task: one is refused, and then runs it for the other.
///
/// Fails (both sleep for ever) without the refusal in `stall`: `state.refuse_if_starving(&mut wakes);`.
#[test]
fn the_last_worker_does_not_wait_for_a_queued_task() {
    model(2, || {
        let refused = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&refused);
        three_tasks_for_two(move |pool, worker, task, [_, _, third]| match task {
            3 => end(third),
            _ => {
                seen.fetch_add(usize::from(join(pool, worker, third, false)), Ordering::Relaxed);
            }
        });
        assert!(refused.load(Ordering::Relaxed) <= 1);
    });
}

/// A worker whose task has ended is not taken for one that waits: the second task ends before its worker waits for the third,
/// which the first worker will run.
///
/// Fails (refused) without the look at the claim in `is_starving`: `filter(|(waiter, _)| waiter.claimed().is_none())`.
#[test]
fn a_worker_that_was_woken_does_not_count_as_waiting() {
    model(2, || {
        three_tasks_for_two(|pool, worker, task, [_, second, third]| match task {
            1 => assert!(!join(pool, worker, second, false), "the second task is being run or has ended"),
            2 => {
                end(second);
                assert!(!join(pool, worker, third, false), "the first worker is free");
            }
            _ => end(third),
        });
    });
}

/// The end of a scope on one worker, which waits for a task that the other has begun; that task waits for one in the queue.
/// Whoever comes last, the wait of the task is refused, and the scope has its end.
///
/// Fails (both sleep for ever) without the choice in `refuse`: with `true` for `!stalled.is_firm`, the scope is refused when
/// it comes last.
#[test]
fn the_end_of_a_scope_is_never_refused() {
    model(2, || {
        three_tasks_for_two(|pool, worker, task, [_, second, third]| match task {
            1 => assert!(!join(pool, worker, second, true), "a firm wait was refused"),
            2 => {
                assert!(join(pool, worker, third, false), "nobody was left to run the third");
                end(second);
            }
            _ => end(third),
        });
    });
}

/// Submits as a coroutine.
fn submit_async(pool: &Pool, task: usize) {
    let submitted = notified::run(Submitting::new(Arc::clone(pool), task, false));
    assert!(matches!(submitted.outcome, Some(Submit::Queued(_))), "{:?}", submitted.outcome);
}

/// A coroutine that waits for room is told by the worker that is about to sleep.
///
/// Fails (it sleeps for ever) without the notice in `let_in`: `*told = waiter.claim(Claim::Ready(*operation));`.
#[test]
fn a_waiting_coroutine_is_told_of_room() {
    model(3, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, Some(0)));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let worker = start_worker(&pool);

        submit_async(&pool, 2);
        close(&pool, false);

        assert_eq!(worker.join().expect("no panic"), 3);
    });
}

/// A coroutine that is cancelled in the turn in which it was told has submitted nothing, and the next is told.
///
/// Fails (the other sleeps for ever) without passing it on in `leave`: `state.pass_on(self.limit, self.backlog, &mut wakes);`.
#[test]
fn a_cancelled_submission_passes_the_room_on() {
    model(2, || {
        let pool: Pool = Arc::new(ThreadPool::new(1, Some(0)));
        assert!(matches!(pool.try_submit(1), Submit::Start));
        let fickle = {
            let pool = Arc::clone(&pool);
            thread::spawn(move || {
                let (_, source) = notified::is_cancelled_when_woken(Submitting::new(pool, 4, false));
                assert!(source.outcome.is_none());
            })
        };
        let worker = start_worker(&pool);

        submit_async(&pool, 2);
        fickle.join().expect("no panic");
        close(&pool, false);

        assert_eq!(worker.join().expect("no panic"), 3);
    });
}
