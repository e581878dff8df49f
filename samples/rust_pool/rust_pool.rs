// SPDX-License-Identifier: GPL-2.0

//! Takes pages from a pool of its own: in a softirq, as a network driver would for each packet, and
//! in task context.

#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    context::{
        with_task,
        PlainAlloc,
        Softirq,
        Task, //
    },
    cpu::HotplugGuard,
    pool::{
        PoolConfig,
        Priority,
        RegisteredPool,
        Request, //
    },
    time::{
        Handler,
        Next,
        Timer, //
    },
    Pool, //
};

labyrinth::import!();

module! {
    type: RustPool,
    name: "rust_pool",
    authors: ["The labyrinth developers"],
    description: "Sample: takes pages from a labyrinth pool",
    license: "GPL",
}

/// How often the timer expires, in microseconds.
const PERIOD_US: u32 = 1000;

/// The loaded module. Dropping it waits for the timer.
struct RustPool {
    _timer: Pin<KBox<Timer<Receiver>>>,
}

/// Receives a packet into a page.
fn receive<C: PlainAlloc>(cx: &C, pool: &Pool) -> Result {
    // High priority: may use the pool's reserve and, within the pool's budget, the kernel's.
    let page = pool
        .get(cx, &mut Request::new(Priority::High))
        .ok_or(ENOMEM)?;
    let mut packet = page.zeroed();

    packet[0][..5].copy_from_slice(b"hello");
    // Gives the page back. Code that uses `packet` after this does not compile; try it.
    pool.put(cx, packet.into_uninit());
    Ok(())
}

struct Receiver(Arc<RegisteredPool>);

impl Handler for Receiver {
    fn expired(&mut self, cx: &mut Softirq) -> Next {
        if receive(cx, &self.0).is_err() {
            pr_warn!("a packet was dropped\n");
        }
        Next::After(PERIOD_US)
    }
}

impl RustPool {
    fn start(cx: &mut Task) -> Result<Self> {
        let config = PoolConfig {
            reserve: 64,
            ..PoolConfig::default()
        };
        let pool = Pool::new(cx, c"rust_pool", config)?;
        receive(cx, &pool)?;

        let hotplug = HotplugGuard::new(cx);
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        let timer = KBox::pin_init(Timer::start_on(cpu, PERIOD_US, Receiver(pool)), GFP_KERNEL)?;
        Ok(Self { _timer: timer })
    }
}

impl kernel::Module for RustPool {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        with_task(Self::start)?
    }
}
