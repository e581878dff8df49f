// SPDX-License-Identifier: GPL-2.0

//! Carries a contestant into the context of its work and back.

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

/// Where a job waits while it is not on its way.
#[pin_data]
pub(super) struct Home<T> {
    #[pin]
    job: Mutex<Option<KBox<Job<T>>>>,
}

impl<T> Home<T> {
    /// Task context only, may sleep.
    pub(super) fn new(contestant: T) -> Result<Arc<Self>> {
        let job = Job::new(contestant)?;

        Arc::pin_init(
            pin_init!(Self {
                job <- new_mutex!(Some(job)),
            }),
            GFP_KERNEL,
        )
    }

    /// Looks at the job, or changes it, at home. Task context only, may sleep.
    ///
    /// `EBUSY` while it is on its way.
    pub(super) fn with<R>(&self, look: impl FnOnce(&mut Job<T>) -> R) -> Result<R> {
        match &mut *self.job.lock() {
            Some(job) => Ok(look(job)),
            None => Err(EBUSY),
        }
    }
}

/// A job on its way. It goes home when this is dropped, in task context, which may sleep.
struct Errand<T> {
    /// Always there until the end.
    job: Option<KBox<Job<T>>>,
    work: Work,
    home: Arc<Home<T>>,
    done: Arc<Completion>,
}

impl<T> Errand<T> {
    /// Sends the job out. `EBUSY` if it is out already.
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

/// Work in the timer softirq.
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

/// Has work done in the timer softirq of the first CPU and waits for its end. Task context only,
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
    // It stays where it is when the CPU goes offline meanwhile: the kernel moves it.
    let timer = KBox::pin_init(Timer::start_on(cpu, 0, InSoftirq(errand)), GFP_KERNEL)?;

    drop(hotplug);
    done.wait_for_completion();
    drop(timer);
    Ok(())
}

/// Has work done here. Task context only, may sleep.
pub(super) fn in_task<T: Contestant<Task>>(cx: &Task, home: &Home<T>, work: Work) -> Result {
    home.with(|job| job.work(cx, work))
}
