// SPDX-License-Identifier: GPL-2.0

//! DMA transfers, one after the other: the interrupt at the end of a transfer starts the next one.
//!
//! A round is two transfers: bytes go to the device and come back. In two of three rounds, each
//! transfer has a page of its own. In the third, one page is mapped for both, and stays mapped for
//! later rounds.

use crate::{
    pages,
    registers::{
        Registers,
        Way, //
    },
    tally::{
        Count,
        TALLY, //
    }, //
};
use kernel::{
    prelude::*,
    static_lock_class, //
};
use labyrinth::{
    context::{
        MaySleep,
        PlainAlloc, //
    },
    dma::{
        Bidirectional,
        DmaDevice,
        FromDevice,
        Mapped,
        Stash,
        ToDevice, //
    },
    sync::RawSpinLock,
    Bytes, //
};

/// The number of blocks of pages that can stay mapped.
const STASH: usize = 2;

/// The transfer that the device works on, and the pages that it owns meanwhile.
enum Transfer<'d> {
    Out(Mapped<'d, ToDevice>),
    In(Mapped<'d, FromDevice>),
    BothOut(Mapped<'d, Bidirectional>),
    BothIn(Mapped<'d, Bidirectional>),
}

impl Transfer<'_> {
    /// Starts the transfer, of one page of the block.
    fn start(&self, registers: &Registers<'_>, round: u64) {
        match self {
            Self::Out(pages) => registers.start(Way::Out, pages::part(pages, round), true),
            Self::In(pages) => registers.start(Way::In, pages::part(pages, round), true),
            Self::BothOut(pages) => registers.start(Way::Out, pages::part(pages, round), true),
            Self::BothIn(pages) => registers.start(Way::In, pages::part(pages, round), true),
        }
    }
}

/// The transfers of one device.
#[pin_data]
pub(crate) struct Engine<'d> {
    device: DmaDevice<'d>,
    order: u32,
    rounds: u64,
    #[pin]
    now: RawSpinLock<Now<'d>>,
}

struct Now<'d> {
    round: u64,
    transfer: Option<Transfer<'d>>,
    stash: Stash<'d, Bidirectional>,
    stopped: bool,
}

impl<'d> Engine<'d> {
    /// Makes an engine that stops after `rounds` rounds, or never if `rounds` is 0.
    pub(crate) fn new<C: MaySleep>(
        cx: &C,
        device: DmaDevice<'d>,
        order: u32,
        rounds: u64,
    ) -> Result<impl PinInit<Self> + use<'d, C>> {
        let now = Now {
            round: 0,
            transfer: None,
            stash: Stash::new(cx, device, STASH)?,
            stopped: false,
        };
        Ok(pin_init!(Self {
            device,
            order,
            rounds,
            now <- RawSpinLock::new(now, c"edu", static_lock_class!()),
        }))
    }

    /// Starts the first round.
    pub(crate) fn start<C: PlainAlloc>(&self, cx: &C, registers: &Registers<'_>) {
        self.launch(registers, self.begin(cx, 0), 0);
    }

    /// Prevents further transfers.
    pub(crate) fn stop(&self) {
        self.now.with(|now| now.stopped = true);
    }

    /// Returns whether the end of the current transfer is handled in the softirq.
    pub(crate) fn for_softirq(&self) -> bool {
        self.now.with(|now| now.round) % 2 == 1
    }

    /// Checks the result of a transfer, and starts the next one. `rounds` is the counter of the
    /// rounds that end in this context.
    pub(crate) fn completed<C: PlainAlloc>(
        &self,
        cx: &C,
        registers: &Registers<'_>,
        rounds: &Count,
    ) {
        let (transfer, round) = self.now.with(|now| (now.transfer.take(), now.round));
        let next = match transfer {
            Some(Transfer::Out(mapped)) => {
                // The device should only have read the page.
                pages::check(&mapped.unmap(), round);
                pages::fresh(cx, self.order)
                    .and_then(|pages| pages::map(cx, self.device, FromDevice, pages))
                    .map(Transfer::In)
            }
            Some(Transfer::BothOut(mut mapped)) => {
                let mut contents = mapped.sync_for_cpu();
                pages::check(&contents, round);
                contents.as_flattened_mut().fill(0);
                drop(contents);
                Some(Transfer::BothIn(mapped))
            }
            Some(Transfer::In(mut mapped)) => {
                pages::check(&mapped.sync_for_cpu(), round);
                drop(mapped);
                rounds.one();
                return self.launch(registers, self.begin(cx, round + 1), round + 1);
            }
            Some(Transfer::BothIn(mut mapped)) => {
                pages::check(&mapped.sync_for_cpu(), round);
                // If the stash is full, the pages are freed.
                drop(self.now.with(|now| now.stash.give_back(mapped)));
                rounds.one();
                return self.launch(registers, self.begin(cx, round + 1), round + 1);
            }
            None => None,
        };
        self.launch(registers, next, round);
    }

    /// Prepares the first transfer of a round.
    fn begin<C: PlainAlloc>(&self, cx: &C, round: u64) -> Option<Transfer<'d>> {
        if self.rounds != 0 && round == self.rounds {
            return None;
        }
        let stamp = |contents: &mut [Bytes]| pages::fill(contents, round);
        if round % 3 != 2 {
            let mut pages = pages::fresh(cx, self.order)?;
            stamp(&mut pages);
            return pages::map(cx, self.device, ToDevice, pages).map(Transfer::Out);
        }
        let mut mapped = match self.now.with(|now| now.stash.take()) {
            Some(mapped) => {
                TALLY.recycled.one();
                mapped
            }
            None => pages::map(
                cx,
                self.device,
                Bidirectional,
                pages::fresh(cx, self.order)?,
            )?,
        };
        stamp(&mut mapped.sync_for_cpu());
        Some(Transfer::BothOut(mapped))
    }

    fn launch(&self, registers: &Registers<'_>, transfer: Option<Transfer<'d>>, round: u64) {
        let Some(transfer) = transfer else { return };
        // A transfer that comes too late is dropped after the lock was released.
        drop(self.now.with(|now| {
            if now.stopped {
                return Some(transfer);
            }
            transfer.start(registers, round);
            now.round = round;
            now.transfer = Some(transfer);
            None
        }));
    }
}
