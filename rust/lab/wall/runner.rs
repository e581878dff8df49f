// SPDX-License-Identifier: GPL-2.0

//! Runs the work of a contestant in its context.

use super::{
    burst::{
        Job,
        Work, //
    },
    contestant::Contestant, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Completion,
        Mutex, //
    }, //
};
use labyrinth::{
    context::{
        Softirq,
        Task, //
    },
    cpu::HotplugGuard,
    time::{
        Handler,
        Next,
        Timer, //
    }, //
};

/// The place of a job while it does not run.
#[pin_data]
pub(super) struct Home<T> {
    #[pin]
    job: Mutex<Option<KBox<Job<T>>>>,
}

impl<T> Home<T> {
    /// Makes a job and its home. Task context only, may sleep.
    pub(super) fn new(contestant: T) -> Result<Arc<Self>> {
        let job = Job::new(contestant)?;

        Arc::pin_init(
            pin_init!(Self {
                job <- new_mutex!(Some(job)),
            }),
            GFP_KERNEL,
        )
    }

    /// Calls `look` with the job, which it may change. Task context only, may sleep.
    ///
    /// Fails with `EBUSY` while the job runs.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Job<T>) -> R) -> Result<R> {
        match &mut *self.job.lock() {
            Some(job) => Ok(look(job)),
            None => Err(EBUSY),
        }
    }
}

/// A job that runs. Dropping this puts the job back, in task context, which may sleep.
struct Errand<T> {
    /// The job. It is there until the drop.
    job: Option<KBox<Job<T>>>,
    work: Work,
    home: Arc<Home<T>>,
    done: Arc<Completion>,
}

impl<T> Errand<T> {
    /// Takes the job from its home. Fails with `EBUSY` if it runs already.
    fn new(home: &Arc<Home<T>>, work: Work) -> Result<Self> {
        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;

        Ok(Self {
            job: Some(home.job.lock().take().ok_or(EBUSY)?),
            work,
            home: home.clone(),
            done,
        })
    }
}

impl<T> Drop for Errand<T> {
    fn drop(&mut self) {
        *self.home.job.lock() = self.job.take();
    }
}

/// A job for the timer softirq.
struct InSoftirq<T>(Errand<T>);

impl<T: Contestant<Softirq>> Handler for InSoftirq<T> {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        if let Some(job) = &mut self.0.job {
            job.work(&*cx, self.0.work);
        }
        self.0.done.complete_all();
        Next::Stop
    }
}

/// Does work in the timer softirq of the first CPU, and waits for its end. Task context only,
/// sleeps.
pub(super) fn in_softirq<T: Contestant<Softirq>>(
    cx: &Task,
    home: &Arc<Home<T>>,
    work: Work,
) -> Result {
    let errand = Errand::new(home, work)?;
    let done = errand.done.clone();
    let hotplug = HotplugGuard::new(cx);
    let cpu = hotplug.online().next().ok_or(ENODEV)?;
    // If the CPU goes offline in the meantime, the kernel moves the timer to another CPU.
    let timer = KBox::pin_init(Timer::start_on(cpu, 0, InSoftirq(errand)), GFP_KERNEL)?;

    drop(hotplug);
    done.wait_for_completion();
    drop(timer);
    Ok(())
}

/// Does work in this task. Task context only, may sleep.
pub(super) fn in_task<T: Contestant<Task>>(cx: &Task, home: &Home<T>, work: Work) -> Result {
    home.with(|job| job.work(cx, work))
}
