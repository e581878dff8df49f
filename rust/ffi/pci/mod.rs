// SPDX-License-Identifier: GPL-2.0

//! Drivers of PCI devices whose handlers know their context.
//!
//! A [`Driver`] has a state for each device, which may borrow the device while it is bound. Its two
//! handlers get that state and a token: one handler serves the device's interrupt, and the other
//! runs in a softirq that the first one can request.
//!
//! [`Registered`] makes a driver of the kernel crate out of it. It fixes the order of events.
//! Neither the driver nor its state can change the order: they get no value that they must keep
//! alive, and only the kernel can probe a device:
//!
//! ```text
//!   probe:  enable ─► no bus mastering ─► DMA mask ─► Driver::probe ─► interrupt
//!           ─► bus mastering ─► Driver::start
//!   unbind: Driver::stop ─► no bus mastering ─► no interrupt ─► no softirq
//!           ─► state dropped ─► disable
//! ```
//!
//! So when the state and its mappings are dropped, the device cannot reach memory any more, and
//! neither handler runs.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use super::{
    compat,
    context::{
        with_task,
        DeviceIrq,
        Softirq,
        Task, //
    },
    helpers,
    irq,
    unload::CallbackRegistration, //
};
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    container_of,
    device::{
        self,
        Bound,
        Core, //
    },
    dma::{
        Device as _,
        DmaMask, //
    },
    driver::Registration,
    error::to_result,
    pci,
    prelude::*,
    types::Opaque, //
};

/// The result of the interrupt handler.
pub enum Served {
    /// The interrupt was that of another device.
    NotOurs,
    /// The interrupt was served completely.
    Done,
    /// The softirq must do the rest.
    Softirq,
}

/// A driver.
pub trait Driver: 'static {
    /// The driver's name in `/proc/interrupts`.
    const NAME: &'static CStr;

    /// The devices that the driver supports.
    const IDS: pci::IdTable<()>;

    /// The driver's state for a device, while the device is bound. All methods can run at the same
    /// time.
    type State<'bound>: Send + Sync + 'bound;

    /// Returns the mask of the addresses that the devices can use. Task context.
    fn dma_mask() -> DmaMask;

    /// Makes the state. The device is enabled, but cannot reach memory yet. The interrupt is
    /// requested later: if this takes the device's vectors, that fails with `EBUSY`. Task context.
    fn probe<'bound>(
        device: &'bound pci::Device<Bound>,
    ) -> impl PinInit<Self::State<'bound>, Error> + 'bound;

    /// Starts the device, which can now reach memory and whose interrupts are now served.
    fn start(cx: &mut Task, state: &Self::State<'_>) -> Result;

    /// Makes the device stop its work.
    fn stop(cx: &mut Task, state: &Self::State<'_>);

    /// Serves an interrupt in hard interrupt context, or in a thread if the kernel threads
    /// interrupts.
    fn interrupt(cx: &mut DeviceIrq, state: &Self::State<'_>) -> Served;

    /// Does the work that [`Self::interrupt`] left. It never runs concurrently with itself.
    fn softirq(cx: &mut Softirq, state: &Self::State<'_>);
}

/// A registered [`Driver`]. Dropping it unbinds all its devices.
///
/// Task context only: making it and dropping it sleep. In atomic context, making it fails with
/// `EPERM`, and dropping it leaks it: the driver stays registered, and its module stays loaded. Also
/// fails with the errors of `pci_register_driver()`.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// # use labyrinth::pci::{Driver, Registered};
/// #[pin_data]
/// struct MyModule<T: Driver> {
///     #[pin]
///     _driver: Registered<T>,
/// }
///
/// fn init<T: Driver>(module: &'static ThisModule) -> impl PinInit<MyModule<T>, Error> {
///     try_pin_init!(MyModule {
///         _driver <- Registered::new(c"my_module", module),
///     })
/// }
/// ```
#[pin_data(PinnedDrop)]
pub struct Registered<T: Driver> {
    inner: ManuallyDrop<Pin<KBox<Inner<T>>>>,
}

#[pinned_drop]
impl<T: Driver> PinnedDrop for Registered<T> {
    fn drop(self: Pin<&mut Self>) {
        // Unbinding devices sleeps, and calls the driver with a token for task context.
        if with_task(|_| ()).is_err() {
            pr_err!("a PCI driver that is dropped in atomic context stays registered\n");
            return;
        }
        // SAFETY: This is the only call, in the destructor. The box is not moved.
        unsafe { ManuallyDrop::drop(self.project().inner) };
    }
}

/// The part whose address the kernel has, in an allocation of its own: safe code can free the
/// memory of a pinned value without dropping the value (`MaybeUninit::pin_init`).
#[pin_data]
struct Inner<T: Driver> {
    #[pin]
    registration: Registration<pci::Adapter<Bridge<T>>>,
    _registration: CallbackRegistration,
}

impl<T: Driver> Registered<T> {
    /// Code of the module that registers the driver.
    fn anchor() {}

    /// Registers the driver for `module` under a name. Task context only, may sleep. The kernel may
    /// probe devices before this returns.
    pub fn new(name: &'static CStr, module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _: { with_task(|_| ())? },
            inner: ManuallyDrop::new(KBox::try_pin_init(
                try_pin_init!(Inner {
                    _registration: CallbackRegistration::new(Self::anchor as *const c_void)?,
                    registration <- Registration::new(name, module),
                }? Error),
                GFP_KERNEL,
            )?),
        }? Error)
    }
}

/// A [`Driver`] as a driver of the kernel crate.
///
/// Only the kernel may call the functions of that trait, above all [`pci::Driver::probe`]. So this
/// type is private.
struct Bridge<T>(PhantomData<T>);

/// A device that has a driver. The fields are dropped in this order.
#[pin_data]
struct Running<'bound, T: Driver> {
    live: Live<'bound>,
    #[pin]
    softirq: BhWork,
    #[pin]
    state: T::State<'bound>,
    enabled: Enabled<'bound>,
}

impl<T: Driver> pci::Driver for Bridge<T> {
    type IdInfo = ();
    type Data<'bound> = Running<'bound, T>;

    const ID_TABLE: pci::IdTable<()> = T::IDS;

    fn probe<'bound>(
        device: &'bound pci::Device<Core<'_>>,
        _info: compat::IdInfo<'bound, ()>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        let core = device;
        let device: &'bound pci::Device<Bound> = device;

        // On a failure these are dropped in reverse order, which must be the order of the fields.
        try_pin_init!(&this in Running {
            enabled: {
                core.enable_device_mem()?;
                // INVARIANT: Just enabled.
                let enabled = Enabled(device.as_ref());
                // Firmware, or a kernel before this one, may have left it a bus master.
                enabled.clear_master();
                enabled
            },
            state <- {
                // SAFETY: The driver gets the device, and could map something, only after this.
                unsafe { core.dma_set_mask_and_coherent(T::dma_mask()) }?;
                T::probe(device)
            },
            // SAFETY: The state was initialised above, and is dropped after the work or not at all.
            softirq <- unsafe { BhWork::new(Self::on_softirq) },
            // SAFETY: The fields that the handlers use were initialised above, and they stay until
            // `live` was dropped: it is the first of the fields, and if the rest of this fails, it
            // is the first to be dropped again. The softirq is next, so it has its state to the
            // end.
            live: unsafe { Live::new(device.as_ref(), T::NAME, Self::on_interrupt, this.cast()) }?,
            _: {
                core.set_master();
                // SAFETY: Only the kernel can call this. It probes in the call that registers the
                // driver, which `Registered::new` makes in task context, or in a task of its own.
                // The token ends with the call.
                let mut cx = unsafe { Task::assume() };
                // SAFETY: Initialised above.
                T::start(&mut cx, unsafe { &(*this.as_ptr()).state })?;
            },
        })
    }

    fn unbind<'bound>(_: &'bound pci::Device<Core<'_>>, this: Pin<&Running<'bound, T>>) {
        // SAFETY: As in `probe`; `Registered` unregisters the driver in task context only.
        let mut cx = unsafe { Task::assume() };
        T::stop(&mut cx, &this.get_ref().state);
        // The bus releases the device, and its IOMMU group, before this value is dropped.
        this.get_ref().enabled.clear_master();
    }
}

impl<T: Driver> Bridge<T> {
    /// Called by the kernel for an interrupt.
    ///
    /// # Safety
    ///
    /// `data` must be a pinned [`Running`] of this driver whose `state` and `softirq` are
    /// initialised.
    unsafe extern "C" fn on_interrupt(_: c_int, data: *mut c_void) -> bindings::irqreturn_t {
        let this = data.cast::<Running<'_, T>>();
        // SAFETY: Both are initialised, by the requirement.
        let (state, softirq) = unsafe { (&(*this).state, &(*this).softirq) };
        // An interrupt controller can forbid threads (`IRQ_NOTHREAD`), though none does so for PCI
        // devices. If one did on PREEMPT_RT, no handler that needs a thread could work.
        if cfg!(CONFIG_PREEMPT_RT) && irq::are_off() {
            return compat::irq_return(false);
        }
        // SAFETY: The interrupt was requested so that it may be threaded. On PREEMPT_RT it is, and
        // the thread has bottom halves disabled, and interrupts enabled, as was checked. Elsewhere
        // interrupts are disabled: also in the thread that `threadirqs` makes, and also in the call
        // by a task that `CONFIG_DEBUG_SHIRQ` adds for a shared one. The token ends with the call.
        let mut cx = unsafe { DeviceIrq::assume() };

        compat::irq_return(match T::interrupt(&mut cx, state) {
            Served::NotOurs => false,
            Served::Done => true,
            Served::Softirq => {
                softirq.queue();
                true
            }
        })
    }

    /// Called by the kernel in a softirq.
    ///
    /// # Safety
    ///
    /// `work` must be that of the `softirq` of a pinned [`Running`] of this driver whose `state` is
    /// initialised.
    unsafe extern "C" fn on_softirq(work: *mut bindings::work_struct) {
        // SAFETY: By the requirement.
        let state = unsafe {
            let softirq = container_of!(Opaque::cast_from(work), BhWork, work);
            let this = container_of!(softirq.cast_mut(), Running<'_, T>, softirq);
            &(*this).state
        };
        // SAFETY: `system_bh_wq` runs its work in a softirq; the token ends with the call.
        let mut cx = unsafe { Softirq::assume() };
        T::softirq(&mut cx, state);
    }
}

/// An enabled device. Dropping the value disables the device.
///
/// # Invariants
///
/// The value has a PCI device, which was enabled once for this value.
struct Enabled<'bound>(&'bound device::Device<Bound>);

impl Enabled<'_> {
    /// Keeps the device from reaching memory. Task context.
    fn clear_master(&self) {
        // SAFETY: A PCI device, by the invariant.
        unsafe { helpers::labyrinth_pci_clear_master(as_raw(self.0)) };
    }
}

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        // SAFETY: A PCI device, enabled once for this value, by the invariant.
        unsafe { helpers::labyrinth_pci_disable(as_raw(self.0)) };
    }
}

/// The function that the kernel calls for an interrupt.
type Handler = unsafe extern "C" fn(c_int, *mut c_void) -> bindings::irqreturn_t;

/// A device that can raise interrupts, and may reach memory. Dropping the value ends both, and
/// waits for the handler.
///
/// # Invariants
///
/// `device` is a PCI device, whose interrupt `irq` was requested with `data`.
struct Live<'bound> {
    device: &'bound device::Device<Bound>,
    irq: c_uint,
    data: NonNull<c_void>,
}

// SAFETY: `data` serves only to tell the handlers of an interrupt apart.
unsafe impl Send for Live<'_> {}

impl<'bound> Live<'bound> {
    /// Requests the interrupt.
    ///
    /// # Safety
    ///
    /// `device` must be a PCI device. Calling `handler` with `data` must be allowed until this
    /// value is dropped, or for ever if it never is.
    unsafe fn new(
        device: &'bound device::Device<Bound>,
        name: &'static CStr,
        handler: Handler,
        data: NonNull<c_void>,
    ) -> Result<Self> {
        // SAFETY: A bound PCI device; the caller vouches for the rest.
        let irq = unsafe {
            helpers::labyrinth_pci_irq_request(
                as_raw(device),
                Some(handler),
                name.as_char_ptr(),
                data.as_ptr(),
            )
        };
        to_result(irq)?;
        // INVARIANT: Just requested.
        Ok(Self {
            device,
            irq: irq as c_uint,
            data,
        })
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        // SAFETY: A PCI device and its interrupt, by the invariant.
        unsafe {
            helpers::labyrinth_pci_clear_master(as_raw(self.device));
            helpers::labyrinth_pci_irq_free(as_raw(self.device), self.irq, self.data.as_ptr());
        }
    }
}

/// Work for a softirq.
///
/// # Invariants
///
/// `work` is initialised.
#[pin_data(PinnedDrop)]
struct BhWork {
    #[pin]
    work: Opaque<bindings::work_struct>,
}

// SAFETY: A `work_struct` may be queued and cancelled from any thread.
unsafe impl Send for BhWork {}
// SAFETY: As above.
unsafe impl Sync for BhWork {}

impl BhWork {
    /// Makes work that can be queued.
    ///
    /// # Safety
    ///
    /// Calling `function` with the work must be allowed whenever the work was queued, until this
    /// value is dropped, or for ever if it never is.
    unsafe fn new(
        function: unsafe extern "C" fn(*mut bindings::work_struct),
    ) -> impl PinInit<Self> {
        // INVARIANT: Initialised here.
        pin_init!(Self {
            work <- Opaque::ffi_init(|work| {
                // SAFETY: `work` points to memory for a `work_struct` that stays in place.
                unsafe { helpers::labyrinth_bh_work_init(work, Some(function)) }
            }),
        })
    }

    fn queue(&self) {
        // SAFETY: Initialised by the invariant.
        unsafe { helpers::labyrinth_bh_work_queue(self.work.get()) };
    }
}

#[pinned_drop]
impl PinnedDrop for BhWork {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: Initialised by the invariant; the interrupt, which alone queues it, is gone.
        unsafe { helpers::labyrinth_bh_work_cancel(self.work.get()) };
    }
}

fn as_raw(device: &device::Device<Bound>) -> *mut bindings::device {
    // CAST: A `Device` is a transparent wrapper of a `struct device`.
    core::ptr::from_ref(device).cast_mut().cast()
}
