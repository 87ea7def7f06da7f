"""The table of blocking calls: for each the situations in which it blocks."""

from tests.support import blocking_atomics as atomics
from tests.support import blocking_channel as channel
from tests.support import blocking_compat as compat
from tests.support import blocking_condvar as condvar
from tests.support import blocking_coordination as coordination
from tests.support import blocking_mutex as mutex
from tests.support import blocking_once as once
from tests.support import blocking_par as par
from tests.support import blocking_rwlock as rwlock
from tests.support import blocking_tasks as tasks
from tests.support import blocking_timer as timer
from tests.support.blocking import Situation

RECIPES: dict[str, tuple[type[Situation], ...]] = {
    "Sender.send": (channel.Send, channel.SendRendezvous),
    "Receiver.recv": (channel.Recv, channel.RecvRendezvous, channel.RecvUnbounded),
    "Sender.send_many": (channel.SendMany,),
    "Receiver.recv_many": (channel.RecvMany,),
    "Receiver.__next__": (channel.Next,),
    "select": (
        channel.Select,
        channel.SelectRendezvous,
        channel.SelectSend,
        coordination.SelectEvent,
        coordination.SelectLatch,
        coordination.SelectSemaphore,
    ),
    "merge": (channel.Merge,),
    "Timer.recv": (timer.TimerRecv,),
    "Timer.__next__": (timer.TimerNext,),
    "Mutex.lock": (mutex.Lock,),
    "Mutex.__enter__": (mutex.With,),
    "Mutex.update": (mutex.Update,),
    "Mutex.with_lock": (mutex.WithLock,),
    "Mutex.replace": (mutex.Replace,),
    "Mutex.copy": (mutex.Copy,),
    "LockAll.__enter__": (mutex.LockAll,),
    "Condvar.wait": (condvar.CondvarWait,),
    "Condvar.wait_while": (condvar.CondvarWaitWhile,),
    "OnceCell.get_or_init": (once.GetOrInit,),
    "OnceCell.set": (once.Set,),
    "Once.call": (once.OnceCall,),
    "Lazy.get": (once.LazyGet,),
    "compat.Lock.acquire": (compat.CompatLock,),
    "compat.Lock.__enter__": (compat.CompatLockWith,),
    "compat.RLock.acquire": (compat.CompatRLock,),
    "compat.RLock.__enter__": (compat.CompatRLockWith,),
    "compat.Condition.wait": (compat.CompatWait,),
    "compat.Condition.wait_for": (compat.CompatWaitFor,),
    "compat.Semaphore.acquire": (compat.CompatAcquire,),
    "compat.Semaphore.__enter__": (compat.CompatPermit,),
    "compat.BoundedSemaphore.acquire": (compat.CompatBounded,),
    "compat.BoundedSemaphore.__enter__": (compat.CompatBoundedPermit,),
    "compat.Event.wait": (compat.CompatEvent,),
    "compat.Barrier.wait": (compat.CompatBarrier,),
    "Semaphore.acquire": (coordination.Acquire, coordination.AcquireAll),
    "Semaphore.__enter__": (coordination.WithSemaphore,),
    "Permits.__enter__": (coordination.WithPermits,),
    "Event.wait": (coordination.EventWait,),
    "Latch.wait": (coordination.LatchWait,),
    "Barrier.wait": (coordination.BarrierWait,),
    "AtomicBool.wait_until": (atomics.BoolUntil,),
    "AtomicFloat.wait_until": (atomics.FloatUntil,),
    "AtomicInt.wait_until": (atomics.IntUntil,),
    "AtomicRef.wait_until": (atomics.RefUntil,),
    "RwLock.read": (rwlock.Read,),
    "RwLock.write": (rwlock.Write,),
    "RwLock.upgradable": (rwlock.Upgradable,),
    "UpgradableGuard.upgrade": (rwlock.Upgrade,),
    "RwLock.read_with": (rwlock.ReadWith,),
    "RwLock.write_with": (rwlock.WriteWith,),
    "RwLock.update": (rwlock.UpdateValue,),
    "RwLock.replace": (rwlock.ReplaceValue,),
    "RwLock.copy": (rwlock.CopyValue,),
    "sleep": (tasks.Sleep,),
    "Task.result": (tasks.Result,),
    "Task.join": (tasks.Join,),
    "Task.exception": (tasks.Exception_,),
    "Scope.__exit__": (tasks.ScopeExit,),
    "Scope.submit": (tasks.ScopeSubmit,),
    "ThreadPool.submit": (tasks.Submit,),
    "PoolOptions.submit": (tasks.SubmitWithOptions,),
    "ThreadPool.map": (tasks.Map,),
    "ThreadPool.shutdown": (tasks.Shutdown,),
    "Par.collect": (par.Collect,),
    "Par.for_each": (par.ForEach,),
    "Par.fold": (par.Fold,),
    "Par.reduce": (par.Reduce,),
    "Par.sum": (par.Sum,),
    "Par.count": (par.Count,),
    "Par.min": (par.Min,),
    "Par.max": (par.Max,),
    "Par.any": (par.Any_,),
    "Par.all": (par.All,),
    "invoke": (par.Invoke,),
    "Par.__iter__": (par.Iterate,),
    "Par.unordered": (par.Unordered,),
}

SITUATIONS = {situation.__name__: situation for recipes in RECIPES.values() for situation in recipes}
