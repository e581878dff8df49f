// SPDX-License-Identifier: GPL-2.0

//! A driver for QEMU's `edu` device. It allocates pages in the device's interrupt and in a softirq,
//! and the device owns them during each transfer.
//!
//! The types ensure that no page is misused or lost. A page that is mapped for the device has no
//! contents for the CPU, so no code can access it. When the device goes away, the driver drops the
//! pages that the device owned, which unmaps and frees them.

#![forbid(unsafe_code)]

mod engine;
mod pages;
mod registers;
mod tally;
mod trials;

use engine::Engine;
use kernel::{
    device::Bound,
    dma::DmaMask,
    pci,
    prelude::*,
    time::{
        delay::fsleep,
        Delta, //
    },
    InPlaceModule,
    ModuleMetadata, //
};
use labyrinth::{
    compat::parameter,
    context::{
        with_task,
        DeviceIrq,
        Softirq,
        Task, //
    },
    dma::DmaDevice,
    pci::{
        Driver,
        Registered,
        Served, //
    },
    stats::Registration, //
};
use registers::Registers;
use tally::TALLY;

module! {
    type: Module,
    name: "rust_dma",
    authors: ["The labyrinth developers"],
    description: "Sample: gives pages to QEMU's edu device",
    license: "GPL",
    params: {
        dma_bits: u32 {
            default: 28,
            description: "how many bits an address of the device has",
        },
        order: u32 {
            default: 0,
            description: "the order of the blocks that it is given",
        },
        rounds: u32 {
            default: 0,
            description: "how often bytes go there and back (0: without end)",
        },
        trespass: u32 {
            default: 0,
            description: "whether it is told to use pages that it does not own, instead (0 or 1)",
        },
        exhaust: u32 {
            default: 0,
            description: "how many pages it is given at once, instead",
        },
        vectors: u32 {
            default: 0,
            description: "whether the driver takes the interrupts itself, which it must not (0 or 1)",
        },
        probe_ms: u32 {
            default: 0,
            description: "how long the driver looks at a device before that is started",
        },
    },
}

labyrinth::import!();

labyrinth::pci_table!(
    EDU_TABLE,
    MODULE_EDU_TABLE,
    // The kernel crate has no name for the vendor; the class is that of "others".
    [pci::DeviceId::from_class(0x00_ff00, 0xff_ffff)]
);

/// A device with its driver.
#[pin_data]
struct Edu<'bound> {
    #[pin]
    engine: Engine<'bound>,
    registers: Registers<'bound>,
    device: DmaDevice<'bound>,
    vectors: Option<KBox<dyn Vectors + 'bound>>,
    counted: Counted,
}

/// A device that is counted for as long as this exists.
struct Counted(());

impl Counted {
    fn new() -> Self {
        TALLY.devices.one();
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        TALLY.devices.one_less();
    }
}

/// The kernel crate's type for a driver that takes interrupts, which differs between versions.
trait Vectors: Send + Sync {}

impl<T: Send + Sync> Vectors for T {}

impl Driver for Edu<'static> {
    const NAME: &'static CStr = c"rust_dma";
    const IDS: pci::IdTable<()> = &EDU_TABLE;
    type State<'bound> = Edu<'bound>;

    fn dma_mask() -> DmaMask {
        let bits = parameter(&module_parameters::dma_bits);
        DmaMask::try_new(bits.min(registers::MAX_BITS)).unwrap_or(DmaMask::new::<0>())
    }

    fn probe<'bound>(
        device: &'bound pci::Device<Bound>,
    ) -> impl PinInit<Edu<'bound>, Error> + 'bound {
        let dma = DmaDevice::new(device.as_ref());

        try_pin_init!(Edu {
            _: {
                TALLY.probed.one();
                fsleep(Delta::from_millis(
                    parameter(&module_parameters::probe_ms).into(),
                ));
            },
            vectors: match parameter(&module_parameters::vectors) {
                0 => None,
                _ => Some(KBox::new(
                    device.alloc_irq_vectors(1, 1, pci::IrqTypes::all())?,
                    GFP_KERNEL,
                )?),
            },
            registers: {
                let registers = Registers::new(device)?;
                // The previous driver may have left a transfer in progress. It must not continue
                // when the device can reach memory again.
                with_task(|cx| registers.wait(cx))??;
                registers
            },
            engine <- with_task(|cx| {
                let order = parameter(&module_parameters::order);
                let rounds = parameter(&module_parameters::rounds);
                Engine::new(cx, dma, order, rounds.into())
            })??,
            device: dma,
            counted: Counted::new(),
        })
    }

    fn start(cx: &mut Task, edu: &Edu<'_>) -> Result {
        let exhaust = parameter(&module_parameters::exhaust);

        if parameter(&module_parameters::trespass) != 0 {
            trials::trespass(cx, edu.device, &edu.registers)
        } else if exhaust != 0 {
            trials::exhaust(cx, edu.device, exhaust as usize)
        } else {
            edu.engine.start(cx, &edu.registers);
            Ok(())
        }
    }

    fn stop(_cx: &mut Task, edu: &Edu<'_>) {
        edu.engine.stop();
    }

    fn interrupt(cx: &mut DeviceIrq, edu: &Edu<'_>) -> Served {
        if !edu.registers.interrupted() {
            return Served::NotOurs;
        }
        edu.registers.acknowledge();
        if edu.engine.for_softirq() {
            return Served::Softirq;
        }
        edu.engine
            .completed(cx, &edu.registers, &TALLY.rounds_interrupt);
        Served::Done
    }

    fn softirq(cx: &mut Softirq, edu: &Edu<'_>) {
        edu.engine
            .completed(cx, &edu.registers, &TALLY.rounds_softirq);
    }
}

/// The loaded module. The driver is dropped first.
#[pin_data]
struct Module {
    #[pin]
    _driver: Registered<Edu<'static>>,
    _statistics: Registration,
}

impl InPlaceModule for Module {
    fn init(module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _statistics: Registration::of_statics(&[tally::ROWS])?,
            _driver <- Registered::new(<Self as ModuleMetadata>::NAME, module),
        })
    }
}
