// SPDX-License-Identifier: GPL-2.0

//! The module's own crate of `labyrinth.ko`: exercises, reports in debugfs, `/dev/labyrinth` and
//! the module parameters. It uses the library, crate [`labyrinth`], as a driver does.
//!
//! This file only wires the parts together:
//!
//! ```text
//!   debugfs ──► exercise, device, squeeze ──► labyrinth
//! ```

#[path = "rust/debugfs/mod.rs"]
mod debugfs;
#[path = "rust/device/mod.rs"]
mod device;
#[path = "rust/exercise/mod.rs"]
mod exercise;
#[path = "rust/parameters.rs"]
mod parameters;
#[path = "rust/squeeze/mod.rs"]
mod squeeze;

use device::Device;
use exercise::{
    exercises,
    settings,
    Exercises, //
};
use kernel::{
    macros::paste,
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

/// Declares the module with its parameters. The arguments are the settings, the parameters so far,
/// and the exercises. Each recursion turns one exercise into parameters: `NAME_start`, and one for
/// each setting.
macro_rules! declare {
    (
        [$($setting:ident: $variant:ident $bounds:tt = $default:tt, $text:tt;)*]
        [$($parameters:tt)*]
        $name:ident: $type:ident, $start:tt; $($others:tt)*
    ) => {
        declare! {
            [$($setting: $variant $bounds = $default, $text;)*]
            [
                $($parameters)*
                [<$name _start>]: u32 {
                    default: 0,
                    description: $start,
                },
                $([<$name _ $setting>]: u32 {
                    default: $default,
                    description: $text,
                },)*
            ]
            $($others)*
        }
    };
    ([$($_settings:tt)*] [$($parameters:tt)*]) => {
        paste! {
            module! {
                type: Labyrinth,
                name: "labyrinth",
                authors: ["The labyrinth developers"],
                description:
                    "Page allocation in atomic context: exclusive pages and their statistics",
                license: "GPL",
                params: {
                    $($parameters)*
                },
            }
        }
    };
}

/// Declares the module with these parameters and those of the exercises.
macro_rules! parameters {
    ($settings:tt $($own:tt)*) => {
        exercises!(declare $settings [$($own)*]);
    };
}

settings! {
    parameters
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
    pool_reserve_max: u32 {
        default: 0,
        description:
            "most pages of a reserve that sizes itself, from pool_reserve pages up (0: fixed size)",
    },
    pool_reserve_half_life_ms: u32 {
        default: 1_200_000,
        description: "time of calm that halves a reserve that sizes itself (ms, 100 or more)",
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
        description: "whether pages must come from that node only (0 or 1)",
    },
    pool_highest: u64 {
        default: 0xffff_ffff_ffff_ffff,
        description: "highest physical address that pages of the pool may have (4095 or more)",
    },
    pool_excluded_start: u64 {
        default: 0,
        description: "first physical address that is excluded from the pool",
    },
    pool_excluded_end: u64 {
        default: 0,
        description: "first physical address after the excluded ones (0: none are excluded)",
    },
    pool_excluded_nodes: u64 {
        default: 0,
        description: "NUMA nodes excluded from the pool (bit N: node N)",
    },
    pool_excluded_zones: u32 {
        default: 0,
        description: "zones excluded from the pool (1: DMA, 2: DMA32, 4: others; 0 to 6)",
    },
    prime: u32 {
        default: 0,
        description: "pages that each CPU's cache is filled with at load (0 to pool_cache)",
    },
    user_pages: u32 {
        default: 64,
        description: "pages of /dev/labyrinth that can be mapped at a time (0 to 4096)",
    },
}

/// The loaded module.
///
/// The order of the fields matters: first the files are removed, then the exercises stop. The last
/// field waits until the kernel can no longer call into the module.
struct Labyrinth {
    _device: Device,
    _squeeze: Pin<KBox<squeeze::Device>>,
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
        let own_module = unload_barrier.own_module();
        let registry = Registry::new()?.publish()?;
        sentinel::set_policy(own_module, given.sentinel);
        let stats = exercise::statistics(given.recording)?;
        let transfers = Transfer::record_in(stats.clone())?;
        let manager = PoolManager::new(own_module)?;
        let pools = manager.publish()?;
        let pool = manager.pool(c"default", given.pool, given.prime)?;
        let c_api = CApi::new(pool.clone())?;
        let device = Device::new(stats.clone(), given.user_pages)?;
        let squeeze = squeeze::device()?;
        let shown = pool::register(&stats)?;
        let exercises = with_task(|cx| Exercises::new(cx, own_module, stats, pool, given.plans))??;
        let shown = [shown, sentinel::register()?, exercises.register()?];
        let files = debugfs::create(exercises.clone());

        // Processes may open the device from here on, so nothing may fail any more.
        device.admit();
        squeeze.admit();
        Ok(Self {
            _device: device,
            _squeeze: squeeze,
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
