// SPDX-License-Identifier: GPL-2.0

//! Leaks one owner of callbacks, in safe code, for `tests/selftests/drivers_leak.py`. The kernel
//! may then call these callbacks at any time. Each callback logs that it was called.

#![forbid(unsafe_code)]

use core::mem::{
    forget,
    MaybeUninit, //
};
#[cfg(CONFIG_PCI)]
use kernel::{
    device::Bound,
    dma::DmaMask,
    pci, //
};
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    sync::Arc,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};
#[cfg(CONFIG_PCI)]
use labyrinth::{
    context::DeviceIrq,
    pci::{
        Driver,
        Registered,
        Served, //
    }, //
};
use labyrinth::{
    context::{
        with_task,
        HardIrq,
        Softirq,
        Task, //
    },
    cpu::{
        CpuDead,
        CpuHandler,
        DeadCpu,
        EachCpu,
        Hotplug,
        HotplugGuard,
        OnlineCpu, //
    },
    debugfs::{
        Root,
        Show, //
    },
    mm::{
        BadMemory,
        Listener,
        Shrink,
        Shrinker, //
    },
    stats::{
        Registration,
        Row, //
    },
    task::{
        Body,
        Running,
        ShouldStop,
        Thread, //
    },
    time::{
        Handler,
        Next,
        Timer, //
    },
    user_map::{
        MapDevice,
        Mappable,
        MappedArea,
        NewArea, //
    },
    Pool,
    PoolConfig, //
};
use pin_init::Wrapper;

labyrinth::import!();

module! {
    type: Leaks,
    // The tests change the last letter, to load the module more than once.
    name: "labyrinth_leaks_x",
    authors: ["The labyrinth developers"],
    description: "Leaks an owner of callbacks, for labyrinth's tests",
    license: "GPL",
    params: {
        kind: u32 {
            default: 0,
            description: "which, by its place in KINDS",
        },
    },
}

const PERIOD_US: u32 = 200_000;

/// Callbacks that only log that they were called.
struct Said;

fn called(what: &str) {
    pr_info!("{what} called\n");
}

impl Handler for Said {
    fn expired(&mut self, _cx: &mut Softirq) -> Next {
        called("timer");
        Next::After(PERIOD_US)
    }
}

impl Handler<HardIrq> for Said {
    fn expired(&mut self, _cx: &mut HardIrq) -> Next {
        called("hard_timer");
        Next::After(PERIOD_US)
    }
}

impl Body for Said {
    fn run(&mut self, thread: &mut Running) {
        while thread.sleep_us(PERIOD_US) == ShouldStop::No {
            called("thread");
        }
    }
}

impl CpuDead for Said {
    fn dead(&self, _cpu: &mut DeadCpu<'_>) {
        called("cpu_dead");
    }
}

impl CpuHandler for Said {
    fn arrive(&self, _cpu: OnlineCpu<'_>) -> Result {
        called("each_cpu");
        Ok(())
    }

    fn leave(&self, _cpu: OnlineCpu<'_>) {
        called("each_cpu");
    }
}

impl Shrink for Said {
    fn count(&self) -> usize {
        called("shrinker");
        0
    }

    fn scan(&self, _wanted: usize) -> usize {
        0
    }
}

impl Listener for Said {
    fn reported(&self) {
        called("bad_memory");
    }
}

impl Mappable for Said {
    fn mmap<'a>(&self, _cx: &Task, _area: NewArea<'a>) -> Result<MappedArea<'a>> {
        called("map_device");
        Err(EINVAL)
    }
}

impl Show<Said> for Said {
    fn show(_data: &Said, out: &SeqFile) -> Result {
        called("debugfs");
        seq_print!(out, "called\n");
        Ok(())
    }
}

#[cfg(CONFIG_PCI)]
labyrinth::pci_table!(
    PCI_TABLE,
    MODULE_PCI_TABLE,
    // No device has this class. The test makes the kernel probe a device nevertheless.
    [pci::DeviceId::from_class(0xfe_fefe, 0xff_ffff)]
);

#[cfg(CONFIG_PCI)]
impl Driver for Said {
    const NAME: &'static CStr = c"labyrinth_leaks";
    const IDS: pci::IdTable<()> = &PCI_TABLE;
    type State<'bound> = Said;

    fn dma_mask() -> DmaMask {
        DmaMask::new::<32>()
    }

    fn probe<'bound>(_device: &'bound pci::Device<Bound>) -> impl PinInit<Said, Error> + 'bound {
        called("pci_driver");
        Err::<Said, _>(ENODEV)
    }

    fn start(_cx: &mut Task, _state: &Said) -> Result {
        Ok(())
    }

    fn stop(_cx: &mut Task, _state: &Said) {}

    fn interrupt(_cx: &mut DeviceIrq, _state: &Said) -> Served {
        Served::NotOurs
    }

    fn softirq(_cx: &mut Softirq, _state: &Said) {}
}
static ROWS: [Row<()>; 1] = [Row::gauge("leaked", "A leaked number.", &[], |(), _| {
    called("statistics");
    7
})];
static BAD_ROWS: [Row<()>; 1] = [Row::gauge("Bad-Name", "A number.", &[], |(), _| 0)];

/// Makes the owner and leaks it.
type Leak = fn(&mut Task, &'static ThisModule) -> Result;

/// `tests/selftests/drivers_leak.py` names them in this order.
const KINDS: [Leak; 19] = [
    |cx, _| {
        let hotplug = HotplugGuard::new(cx);
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        forget(KBox::pin_init(
            Timer::<Said>::start_on(cpu, PERIOD_US, Said),
            GFP_KERNEL,
        )?);
        Ok(())
    },
    |cx, _| {
        let hotplug = HotplugGuard::new(cx);
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        forget(KBox::pin_init(
            Timer::<Said, HardIrq>::start_on(cpu, PERIOD_US, Said),
            GFP_KERNEL,
        )?);
        Ok(())
    },
    |_, _| {
        forget(Thread::spawn(c"labyrinth_leaks", Said)?);
        Ok(())
    },
    |_, _| {
        forget(Hotplug::new(c"labyrinth:leaks", Said)?);
        Ok(())
    },
    |cx, _| {
        forget(EachCpu::new(cx, c"labyrinth:leaks", Said)?);
        Ok(())
    },
    |_, _| {
        forget(Shrinker::new(c"labyrinth_leaks", Said)?);
        Ok(())
    },
    |_, _| {
        forget(BadMemory::new(Said)?);
        Ok(())
    },
    |_, _| {
        let device = MapDevice::new(c"labyrinth_leaks", Said)?;
        device.admit();
        forget(device);
        Ok(())
    },
    |_, _| {
        let root = Root::new(c"labyrinth_leaks", Arc::new(Said, GFP_KERNEL)?)?;
        root.top().read_only::<Said>(c"file");
        forget(root);
        Ok(())
    },
    |cx, _| {
        let hotplug = HotplugGuard::new(cx);
        let cpu = hotplug.online().next().ok_or(ENODEV)?;
        // Frees the memory of the timer without dropping the timer.
        drop(KBox::pin_init(
            <MaybeUninit<Timer<Said>>>::pin_init(Timer::start_on(cpu, PERIOD_US, Said)),
            GFP_KERNEL,
        )?);
        Ok(())
    },
    |_, _| {
        forget(Registration::of_statics(&[&ROWS])?);
        Ok(())
    },
    // Leaks nothing, but fails while its file can be open.
    |_, _| {
        let root = Root::new(c"labyrinth_leaks", Arc::new(Said, GFP_KERNEL)?)?;
        root.top().read_only::<Said>(c"file");
        fsleep(Delta::from_secs(2));
        Err(EXDEV)
    },
    |_, module| {
        #[cfg(CONFIG_PCI)]
        forget(KBox::pin_init(
            Registered::<Said>::new(c"labyrinth_leaks", module),
            GFP_KERNEL,
        )?);
        let _ = module;
        Ok(())
    },
    // Leaks a pool. The kernel does not call this driver for it.
    |cx, _| {
        forget(Pool::new(cx, c"leaks", PoolConfig::default())?);
        Ok(())
    },
    // These leak nothing, and are refused. `tests/selftests/drivers.py` names them in this order.
    |_, _| Registration::of_statics(&[&BAD_ROWS]).map(drop),
    |_, _| {
        let _first = Registration::of_statics(&[&ROWS])?;
        Registration::of_statics(&[&ROWS]).map(drop)
    },
    |cx, _| {
        let _first = Pool::new(cx, c"leaks", PoolConfig::default())?;
        Pool::new(cx, c"leaks", PoolConfig::default()).map(drop)
    },
    |cx, _| {
        let config = PoolConfig {
            reserve: 1 << 40,
            ..PoolConfig::default()
        };
        Pool::new(cx, c"leaks", config).map(drop)
    },
    |cx, _| Pool::new(cx, c"two words", PoolConfig::default()).map(drop),
];

struct Leaks;

impl kernel::Module for Leaks {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let kind = labyrinth::compat::parameter(&module_parameters::kind) as usize;
        let leak = KINDS.get(kind).ok_or(EINVAL)?;
        with_task(|cx| leak(cx, module))??;
        Ok(Self)
    }
}
