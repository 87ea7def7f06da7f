//! The pool's queue, step by step on one thread. Every interleaving of the steps is in `model_thread_pool.rs`.
#![cfg(not(loom))]

use fearless_core::{
    sync::Arc,
    thread_pool::{Next, Submit, ThreadPool},
    waiter::{Claim, Ticket, Waiter},
};

const GO: Claim = Claim::Ready(0);

fn started(pool: &ThreadPool<u32>, task: u32, waiter: &Arc<Waiter>) {
    assert!(matches!(pool.try_submit(task), Submit::Start));
    assert!(matches!(pool.begin(waiter), Next::Run(found, _) if found == task));
}

fn idle(pool: &ThreadPool<u32>, waiter: &Arc<Waiter>) -> Ticket {
    asleep(pool.next(waiter))
}

fn asleep(next: Next<u32>) -> Ticket {
    match next {
        Next::Wait(ticket, _) => ticket,
        other => panic!("not asleep: {other:?}"),
    }
}

#[test]
fn a_worker_is_started_only_when_none_is_idle() {
    let pool = ThreadPool::new(2, None);
    let worker = Waiter::new();
    started(&pool, 1, &worker);
    let ticket = idle(&pool, &worker);

    assert!(matches!(pool.try_submit(2), Submit::Queued(wakes) if !wakes.is_empty()));
    assert_eq!(worker.claimed(), Some(GO));
    assert!(matches!(pool.try_submit(3), Submit::Start));
    assert!(matches!(pool.try_submit(4), Submit::Queued(wakes) if wakes.is_empty()));

    assert!(matches!(pool.resume(ticket, GO, &worker), Next::Run(2, _)));
}

#[test]
fn a_task_goes_to_the_worker_that_looks_and_those_behind_it_to_one_that_is_woken() {
    let pool = ThreadPool::new(2, None).with_looks(true);
    let (first, second) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &first);
    started(&pool, 2, &second);
    assert!(matches!(pool.next(&first), Next::Look(_)));
    asleep(pool.next(&second));

    assert!(matches!(pool.try_submit(3), Submit::Queued(wakes) if wakes.is_empty()));
    assert!(matches!(pool.try_submit(4), Submit::Queued(wakes) if wakes.is_empty()));
    assert!(second.claimed().is_none());

    assert!(matches!(pool.looked(&first), Next::Run(3, wakes) if wakes.len() == 1));
    assert_eq!(second.claimed(), Some(GO));
}

#[test]
fn a_worker_that_looks_counts_for_one_task() {
    let pool = ThreadPool::new(2, None).with_looks(true);
    let worker = Waiter::new();
    started(&pool, 1, &worker);
    assert!(matches!(pool.next(&worker), Next::Look(_)));

    assert!(matches!(pool.try_submit(2), Submit::Queued(_)));
    assert!(matches!(pool.try_submit(3), Submit::Start));
}

#[test]
fn a_worker_that_has_looked_in_vain_sleeps_and_is_woken_and_rests_from_looking() {
    let pool = ThreadPool::new(1, None).with_looks(true);
    let worker = Waiter::new();
    started(&pool, 1, &worker);
    assert!(matches!(pool.next(&worker), Next::Look(_)));
    pool.look();

    let ticket = asleep(pool.looked(&worker));

    assert!(matches!(pool.try_submit(2), Submit::Queued(wakes) if wakes.len() == 1));
    assert!(matches!(pool.resume(ticket, GO, &worker), Next::Run(2, _)));
    asleep(pool.next(&worker));
}

#[test]
fn a_worker_that_looks_leaves_a_pool_that_was_closed_meanwhile() {
    let pool = ThreadPool::new(1, None).with_looks(true);
    let worker = Waiter::new();
    started(&pool, 1, &worker);
    assert!(matches!(pool.next(&worker), Next::Look(_)));

    assert!(pool.close(false).1.is_empty());

    assert!(matches!(pool.looked(&worker), Next::Leave(_)));
}

#[test]
fn a_task_reserved_for_a_woken_worker_is_not_taken_by_another() {
    let pool = ThreadPool::new(2, None);
    let (first, second) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &first);
    started(&pool, 2, &second);
    let ticket = idle(&pool, &first);
    assert!(matches!(pool.try_submit(3), Submit::Queued(_)));

    idle(&pool, &second);

    assert!(matches!(pool.resume(ticket, GO, &first), Next::Run(3, _)));
}

#[test]
fn a_full_backlog_takes_a_task_from_a_worker_of_its_own_only() {
    let pool = ThreadPool::new(1, Some(1));
    started(&pool, 1, &Waiter::new());
    assert!(matches!(pool.try_submit(2), Submit::Queued(_)));

    assert!(matches!(pool.try_submit(3), Submit::Full(3)));
    assert!(matches!(pool.submit_over(4), Submit::Queued(_)));
}

#[test]
fn a_worker_moves_the_blocked_submitters_task_into_the_room_it_makes() {
    let pool = ThreadPool::new(1, Some(1));
    let (worker, submitter) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &worker);
    assert!(matches!(pool.try_submit(2), Submit::Queued(_)));
    let Submit::Wait(ticket) = pool.submit(3, &submitter) else { panic!("there was room") };

    assert!(matches!(pool.next(&worker), Next::Run(2, wakes) if !wakes.is_empty()));

    assert_eq!(submitter.claimed(), Some(GO));
    assert!(matches!(pool.resume_submit(ticket, GO), Submit::Queued(_)));
    assert!(matches!(pool.next(&worker), Next::Run(3, _)));
}

#[test]
fn a_backlog_of_none_at_all_hands_tasks_to_free_workers() {
    let pool = ThreadPool::new(1, Some(0));
    let (worker, submitter) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &worker);
    assert!(matches!(pool.submit(2, &submitter), Submit::Wait(_)));

    assert!(matches!(pool.next(&worker), Next::Run(2, wakes) if !wakes.is_empty()));
}

#[test]
fn a_submitter_that_gives_up_gets_its_task_back() {
    let pool = ThreadPool::new(1, Some(0));
    let submitter = Waiter::new();
    started(&pool, 1, &Waiter::new());
    let Submit::Wait(ticket) = pool.submit(2, &submitter) else { panic!("there was room") };
    assert!(submitter.claim(Claim::TimedOut));

    assert!(matches!(pool.resume_submit(ticket, Claim::TimedOut), Submit::GaveUp(2)));
}

#[test]
fn a_closed_pool_is_drained_before_its_workers_leave() {
    let pool = ThreadPool::new(1, None);
    let (worker, joiner) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &worker);
    assert!(matches!(pool.try_submit(2), Submit::Queued(_)));
    assert!(pool.join(&joiner).is_some());

    assert!(pool.close(false).0.is_empty());

    assert!(matches!(pool.try_submit(3), Submit::Closed(3)));
    assert!(matches!(pool.next(&worker), Next::Run(2, _)));
    assert!(matches!(pool.next(&worker), Next::Leave(wakes) if !wakes.is_empty()));
    assert_eq!(joiner.claimed(), Some(GO));
    assert_eq!(pool.join(&joiner), None);
}

#[test]
fn closing_an_emptied_pool_sends_off_a_worker_that_was_on_its_way_to_a_task() {
    let pool = ThreadPool::new(1, None);
    let worker = Waiter::new();
    started(&pool, 1, &worker);
    let ticket = idle(&pool, &worker);
    assert!(matches!(pool.try_submit(2), Submit::Queued(_)));

    assert_eq!(pool.close(true).0, [2]);

    assert!(matches!(pool.resume(ticket, GO, &worker), Next::Leave(_)));
}

#[test]
fn a_task_whose_worker_is_still_being_started_goes_to_the_first_that_is_free() {
    let pool = ThreadPool::new(2, Some(0));
    let (first, second) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &first);
    assert!(matches!(pool.try_submit(2), Submit::Start));

    assert!(matches!(pool.next(&first), Next::Run(2, _)));

    assert!(matches!(pool.begin(&second), Next::Wait(..)));
}

#[test]
fn tasks_come_back_when_the_only_worker_could_not_be_started() {
    let pool = ThreadPool::new(2, None);
    assert!(matches!(pool.try_submit(1), Submit::Start));
    assert!(matches!(pool.try_submit(2), Submit::Start));

    assert_eq!(pool.not_started().0, []);
    assert_eq!(pool.not_started().0, [1, 2]);
}

#[test]
fn a_blocked_submitter_is_not_left_behind_when_the_only_worker_could_not_be_started() {
    let pool = ThreadPool::new(1, Some(0));
    assert!(matches!(pool.try_submit(1), Submit::Start));
    let waiter = Waiter::new();
    let Submit::Wait(ticket) = pool.submit(2, &waiter) else { panic!("the worker is promised to the first") };

    let (stranded, wakes) = pool.not_started();
    wakes.wake();

    assert_eq!(stranded, [1, 2]);
    let claim = waiter.claimed().expect("it was woken");
    assert!(matches!(pool.resume_submit(ticket, claim), Submit::Queued(_)));
}

#[test]
fn a_burst_wakes_one_worker_which_passes_the_wake_up_on() {
    let pool = ThreadPool::new(2, None);
    let (first, second) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &first);
    started(&pool, 2, &second);
    let ticket = idle(&pool, &first);
    idle(&pool, &second);

    assert!(matches!(pool.try_submit(3), Submit::Queued(wakes) if !wakes.is_empty()));
    assert!(matches!(pool.try_submit(4), Submit::Queued(wakes) if wakes.is_empty()));
    assert_eq!(second.claimed(), None);

    assert!(matches!(pool.resume(ticket, GO, &first), Next::Run(3, wakes) if !wakes.is_empty()));
    assert_eq!(second.claimed(), Some(GO));
}

#[test]
fn a_worker_that_never_begins_does_not_keep_the_last_from_being_refused() {
    let pool = ThreadPool::new(2, None);
    let (worker, waits) = (Waiter::new(), Waiter::new());
    started(&pool, 1, &worker);
    assert!(matches!(pool.try_submit(2), Submit::Start));
    let (ticket, wakes) = pool.stall(&waits, 1, false);
    assert!(wakes.is_empty()); // the second worker would come to what the first waits for

    let (stranded, wakes) = pool.not_started();

    assert!(stranded.is_empty() && wakes.len() == 1);
    assert_eq!(waits.claimed(), Some(Claim::Refused));
    pool.go_on(ticket);
}
