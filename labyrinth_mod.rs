// SPDX-License-Identifier: GPL-2.0

//! The module's own crate of `labyrinth.ko`: exercises, reports in debugfs, `/dev/labyrinth` and
//! the module parameters. It uses the library, crate [`labyrinth`], as a driver does.
//!
//! This file only wires the parts together:
//!
//! ```text
//!   debugfs ──► exercise, device ──► labyrinth
//! ```

#[path = "rust/debugfs/mod.rs"]
mod debugfs;
#[path = "rust/device/mod.rs"]
mod device;
#[path = "rust/exercise/mod.rs"]
mod exercise;
#[path = "rust/parameters.rs"]
mod parameters;

use device::Device;
use exercise::Exercises;
use kernel::{
    prelude::*,
    sync::Arc, //
};
use labyrinth::{
    capi::CApi,
    context::with_task,
    debugfs::Root,
    pool::{
        self,
        PoolManager, //
    },
    sentinel,
    stats::{
        Registration,
        Registry,
        Stats, //
    },
    sync::Publication,
    unload::UnloadBarrier,
    Transfer, //
};

module! {
    type: Labyrinth,
    name: "labyrinth",
    authors: ["The labyrinth developers"],
    description: "Page allocation in atomic context: exclusive pages and their statistics",
    license: "GPL",
    params: {
        recording: u32 {
            default: 1,
            description: "record from the start (0: nothing, 1: all, 2: outcomes without latencies)",
        },
        sentinel: u32 {
            default: 1,
            description: "what to do about a damaged guard (0: count it, 1: warn, 2: panic)",
        },
        pool_cache: u32 {
            default: 64,
            description: "pages that each CPU's cache of the pool can keep (0 to 1024)",
        },
        pool_reserve: u32 {
            default: 256,
            description: "pages in the reserve of the pool (0 to 262144, at most half of the memory)",
        },
        pool_emergency: u32 {
            default: 64,
            description: "allocations below the min watermark until the reserve is full again",
        },
        pool_node: i32 {
            default: -1,
            description: "NUMA node that the pages of the pool come from (-1: any)",
        },
        pool_node_only: u32 {
            default: 0,
            description: "whether no other node will do (0 or 1)",
        },
        pool_highest: u64 {
            default: 0xffff_ffff_ffff_ffff,
            description: "highest physical address that pages of the pool may have (4095 or more)",
        },
        pool_excluded_start: u64 {
            default: 0,
            description: "first of the physical addresses that no page of the pool may have",
        },
        pool_excluded_end: u64 {
            default: 0,
            description: "the address after the last of them (0: there are none)",
        },
        pool_excluded_nodes: u64 {
            default: 0,
            description: "NUMA nodes that no page of the pool may be from (bit N: node N)",
        },
        pool_excluded_zones: u32 {
            default: 0,
            description: "zones that no page of the pool may be from (1: DMA, 2: DMA32, 4: others; 0 to 6)",
        },
        prime: u32 {
            default: 0,
            description: "pages that each CPU's cache is filled with at load (0 to pool_cache)",
        },
        user_pages: u32 {
            default: 64,
            description: "pages of /dev/labyrinth that can be mapped at a time (0 to 4096)",
        },
        timer_softirq_start: u32 {
            default: 0,
            description: "start the exercise in the timer softirq (0 or 1)",
        },
        timer_softirq_period_us: u32 {
            default: 10_000,
            description: "its period in microseconds (100 to 10000000)",
        },
        timer_softirq_batch: u32 {
            default: 16,
            description: "its pages in a batch (1 to 4096)",
        },
        timer_softirq_hold_us: u32 {
            default: 0,
            description: "how long it holds them in microseconds (0 to 10000000)",
        },
        timer_softirq_pool: u32 {
            default: 0,
            description: "whether its pages come from the pool (0 or 1)",
        },
        timer_softirq_priority: u32 {
            default: 2,
            description: "how much its requests to the pool matter (0 low, 1 normal, 2 high)",
        },
        timer_softirq_guard: u32 {
            default: 0,
            description: "whether its pages have guards (0 or 1)",
        },
        spinlock_start: u32 {
            default: 0,
            description: "start the exercise under a spinlock (0 or 1)",
        },
        spinlock_period_us: u32 {
            default: 10_000,
            description: "its period in microseconds (100 to 10000000)",
        },
        spinlock_batch: u32 {
            default: 16,
            description: "its pages in a batch (1 to 4096)",
        },
        spinlock_hold_us: u32 {
            default: 0,
            description: "how long it holds them in microseconds (0 to 10000000)",
        },
        spinlock_pool: u32 {
            default: 0,
            description: "whether its pages come from the pool (0 or 1)",
        },
        spinlock_priority: u32 {
            default: 2,
            description: "how much its requests to the pool matter (0 low, 1 normal, 2 high)",
        },
        spinlock_guard: u32 {
            default: 0,
            description: "whether its pages have guards (0 or 1)",
        },
        task_start: u32 {
            default: 0,
            description: "start the exercise in task context (0 or 1)",
        },
        task_period_us: u32 {
            default: 10_000,
            description: "its period in microseconds (100 to 10000000)",
        },
        task_batch: u32 {
            default: 16,
            description: "its pages in a batch (1 to 4096)",
        },
        task_hold_us: u32 {
            default: 0,
            description: "how long it holds them in microseconds (0 to 10000000)",
        },
        task_pool: u32 {
            default: 0,
            description: "whether its pages come from the pool (0 or 1)",
        },
        task_priority: u32 {
            default: 2,
            description: "how much its requests to the pool matter (0 low, 1 normal, 2 high)",
        },
        task_guard: u32 {
            default: 0,
            description: "whether its pages have guards (0 or 1)",
        },
        hard_irq_start: u32 {
            default: 0,
            description: "start the exercise in hard interrupts (0 or 1)",
        },
        hard_irq_period_us: u32 {
            default: 10_000,
            description: "its period in microseconds (100 to 10000000)",
        },
        hard_irq_batch: u32 {
            default: 16,
            description: "its pages in a batch (1 to 4096)",
        },
        hard_irq_hold_us: u32 {
            default: 0,
            description: "how long it holds them in microseconds (0 to 10000000)",
        },
        hard_irq_pool: u32 {
            default: 0,
            description: "whether its pages come from the pool (0 or 1)",
        },
        hard_irq_priority: u32 {
            default: 2,
            description: "how much its requests to the pool matter (0 low, 1 normal, 2 high)",
        },
        hard_irq_guard: u32 {
            default: 0,
            description: "whether its pages have guards (0 or 1)",
        },
    },
}

/// The loaded module.
///
/// The order of the fields matters: first the files are removed, then the exercises stop, and the
/// last field waits until the kernel can no longer call anything of the module.
struct Labyrinth {
    _device: Device,
    _files: Option<Root<Exercises>>,
    _shown: [Registration; 3],
    _exercises: Arc<Exercises>,
    _c_api: CApi,
    _pools: Publication<Arc<PoolManager>>,
    _transfers: Publication<Arc<Stats>>,
    _registry: Publication<Arc<Registry>>,
    _unload_barrier: UnloadBarrier,
}

impl kernel::Module for Labyrinth {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let unload_barrier = UnloadBarrier::new()?;
        let given = parameters::read()?;
        let registry = Registry::new()?.publish()?;
        sentinel::set_policy(given.sentinel);
        let stats = Stats::new(given.recording, Transfer::KINDS)?;
        let transfers = Transfer::record_in(stats.clone())?;
        let manager = PoolManager::new()?;
        let pools = manager.publish()?;
        let pool = manager.pool(c"default", given.pool, given.prime)?;
        let c_api = CApi::new(pool.clone())?;
        let device = Device::new(stats.clone(), given.user_pages)?;
        let shown = pool::register(&stats)?;
        let exercises = with_task(|cx| Exercises::new(cx, stats, pool, given.plans))??;
        let shown = [shown, sentinel::register()?, exercises.register()?];
        let files = debugfs::create(exercises.clone());

        // From here on nothing fails any more.
        device.admit();
        Ok(Self {
            _device: device,
            _files: files,
            _shown: shown,
            _exercises: exercises,
            _c_api: c_api,
            _pools: pools,
            _transfers: transfers,
            _registry: registry,
            _unload_barrier: unload_barrier,
        })
    }
}
