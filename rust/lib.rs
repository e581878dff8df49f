// SPDX-License-Identifier: GPL-2.0

//! labyrinth: page allocation in atomic context, with exclusive access proven by types.
//!
//! Drivers use this crate. It is part of `labyrinth.ko`. The other crate of that module,
//! `labyrinth_mod.rs`, uses the same public interface as drivers do.
//!
//! ```text
//!   drivers, labyrinth_mod.rs ──► pool ──► page ──► ffi ──► kernel crate, bindings
//!                                   └───────┴─► stats ─► ffi
//! ```
//!
//! # What is where
//!
//! - At the top: [`ExclusivePage`] and [`ExclusivePages`], the allocation flags ([`Gfp`]), and the
//!   types that pages can be transferred to, such as [`Shared`] and [`Guarded`]. Transfers to
//!   devices are in [`dma`].
//! - [`context`]: tokens, which prove the context that code runs in. They decide which flags can be
//!   used.
//! - [`pool`]: pages from a per-CPU cache, the allocator and reserves.
//! - [`time`], [`task`], [`sync`], [`irq`]: timers, threads, locks and sections with interrupts
//!   disabled, which pass tokens to the code that they run.
//! - [`cpu`], [`percpu`], [`mm`], [`debugfs`], [`user_map`]: other parts of the kernel that drivers
//!   need.
//! - [`stats`]: counters and latencies. Reports also show the numbers of drivers, see
//!   [`stats::Row`].
//!
//! # No stable interface
//!
//! A driver has to be built against the build of labyrinth that it is loaded with, because the
//! layout of types may change with each build. The module loader refuses other drivers, see
//! [`import!`]. The C interface, `include/labyrinth.h`, is stable.

// A driver can name each type that it can get a value of.
#![warn(unnameable_types)]

pub mod capi;
mod ffi;
mod import;
#[cfg(CONFIG_KUNIT = "y")]
mod kunit;
mod page;
pub mod pool;
pub mod stats;

pub use ffi::mm::call_site::CallSite;
pub use page::transfer::*;
pub use page::{
    sentinel,
    AllocPages,
    AllocPagesNoLock,
    AllowedIn,
    Bounds,
    Bytes,
    CalledIn,
    Calls,
    Chain,
    Contents,
    ContiguousPages,
    ExclusivePage,
    ExclusivePages,
    Gfp,
    GfpAtomic,
    GfpKernel,
    GfpNoLock,
    GfpNoWait,
    MayFail,
    Movable,
    NoKswapd,
    NoWarn,
    Node,
    Place,
    Shape,
    SlabGfp,
    Uninit,
    ZoneLimit,
    MAX_ORDER, //
};
pub use pool::{
    Pool,
    PoolConfig, //
};

/// Proofs of the context that code runs in.
pub mod context {
    pub use crate::ffi::context::{
        of_hard_hrtimer,
        of_hrtimer,
        of_soft_hrtimer,
        with_device_irq,
        with_hard_irq,
        with_task,
        Context,
        DeviceIrq,
        HardIrq,
        HardMode,
        IrqsOff,
        IrqsOn,
        Kind,
        MaySleep,
        NoSleep,
        NoToken,
        PlainAlloc,
        SoftMode,
        Softirq,
        SpinLocked,
        Task,
        UnmarkedMode, //
    };
}

/// Timers and the clock.
pub mod time {
    pub use crate::ffi::time::{
        clock::Moment,
        timer::{
            Expiry,
            Handler,
            Next,
            Timer, //
        }, //
    };
}

/// Kernel threads, and waking them from any context.
pub mod task {
    pub use crate::ffi::task::{
        thread::{
            Body,
            Running,
            ShouldStop,
            Thread, //
        },
        waker::Waker, //
    };
}

/// Locks, and values that code in any context can reach.
pub mod sync {
    pub use crate::ffi::sync::{
        handles::{
            Handle,
            Handles, //
        },
        rcu_slot::{
            Publication,
            RcuSlot, //
        },
        spin_lock::{
            RawSpinLock,
            SpinLockBh, //
        }, //
    };
}

/// The interrupts of this CPU.
pub mod irq {
    pub use crate::ffi::irq::irqs_off;
}

/// CPU hotplug: CPUs that come and go.
pub mod cpu {
    pub use crate::ffi::cpu::{
        each_cpu::{
            CpuHandler,
            EachCpu, //
        },
        hotplug::{
            CpuDead,
            DeadCpu,
            Hotplug, //
        },
        online::{
            HotplugGuard,
            OnlineCpu, //
        }, //
    };
}

/// Values of each CPU.
pub mod percpu {
    pub use crate::ffi::percpu::{
        cell::CpuCell,
        counters::{
            Counter,
            CpuCounters, //
        }, //
    };
}

/// Memory: free pages, shrinkers, callbacks before the OOM killer, and memory that goes bad.
pub mod mm {
    pub use crate::ffi::mm::{
        bad_memory::{
            BadMemory,
            Listener, //
        },
        oom::{
            OomContext,
            OomNotifier,
            OutOfMemory, //
        },
        shrinker::{
            Shrink,
            Shrinker, //
        },
        watermark::{
            allocations_counted,
            Gauge,
            Memory, //
        },
        zone::{
            has_free_cma,
            CpuList,
            Zone, //
        }, //
    };
}

/// Pages that a device owns.
pub mod dma {
    pub use crate::{
        ffi::mm::dma::DmaDevice,
        page::transfer::dma::*, //
    };
}

#[cfg(CONFIG_PCI)]
/// Drivers of PCI devices. Their interrupt handlers get a token.
pub mod pci {
    pub use crate::ffi::pci::{
        Driver,
        Registered,
        Served, //
    };
}

/// Files in debugfs.
pub mod debugfs {
    pub use crate::ffi::{
        debugfs::{
            Dir,
            Root,
            Show,
            Store, //
        },
        number::parse_u64, //
    };
}

/// Device files that processes map pages from.
pub mod user_map {
    pub use crate::{
        ffi::mm::user_map::{
            MapDevice,
            Mappable,
            MappedArea,
            NewArea, //
        },
        page::transfer::user::Refused, //
    };
}

/// Device files whose sessions end with the process.
pub mod session {
    pub use crate::ffi::session::{
        Session,
        SessionDevice, //
    };
}

/// The barrier that delays the end of an unload until the kernel no longer calls the module.
pub mod unload {
    pub use crate::ffi::unload::{
        OwnModule,
        UnloadBarrier, //
    };
}

/// Differences between kernel versions.
pub mod compat {
    pub use crate::ffi::compat::parameter;
}

/// Used by the benchmark of `labyrinth_lab.ko` only, which measures a tier by itself.
#[doc(hidden)]
pub mod __lab {
    pub use crate::pool::tier::reserve::{
        fill_reserve,
        take_from_reserve, //
    };
}

/// Used by the macros of this crate only.
#[doc(hidden)]
pub mod __private {
    #[cfg(CONFIG_MEM_ALLOC_PROFILING)]
    pub use crate::ffi::mm::call_site::Tag;
    pub use crate::{
        ffi::mm::call_site::call_site,
        import::{
            BUILT_AGAINST_ANOTHER_LABYRINTH,
            NAMESPACE, //
        }, //
    };
}

/// The sources that latencies are told apart by: the tiers of a pool. Statistics know nothing else
/// of pools.
pub(crate) const SOURCES: usize = pool::Tier::COUNT;

/// `pr_err!` and its like need it. In other crates `module!` defines it.
const __LOG_PREFIX: &[u8] = b"labyrinth\0";

ffi::exports::export_to_c!(capi::CApi);
