// SPDX-License-Identifier: GPL-2.0

//! Transfers without end: each is started when the one before it has interrupted us.
//!
//! A round takes bytes to the device and back. In two of three rounds that is a page for the way
//! out and another one for the way back; in the third it is one page, mapped for both and recycled.

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

/// The pages that stay mapped.
const STASH: usize = 2;

/// What the device is at, and the pages that it owns meanwhile.
enum Transfer<'d> {
    Out(Mapped<'d, ToDevice>),
    In(Mapped<'d, FromDevice>),
    BothOut(Mapped<'d, Bidirectional>),
    BothIn(Mapped<'d, Bidirectional>),
}

impl Transfer<'_> {
    /// Makes the device begin. It sees one page of the block.
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
    /// Makes one that stops after `rounds`, 0 for never.
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

    /// Begins with the first round.
    pub(crate) fn start<C: PlainAlloc>(&self, cx: &C, registers: &Registers<'_>) {
        self.launch(registers, self.begin(cx, 0), 0);
    }

    /// Starts nothing any more.
    pub(crate) fn stop(&self) {
        self.now.with(|now| now.stopped = true);
    }

    /// Whether the transfer that runs is for the softirq.
    pub(crate) fn for_softirq(&self) -> bool {
        self.now.with(|now| now.round) % 2 == 1
    }

    /// Looks at what has come of a transfer, and starts the next one. `rounds` counts those that
    /// end here.
    pub(crate) fn completed<C: PlainAlloc>(
        &self,
        cx: &C,
        registers: &Registers<'_>,
        rounds: &Count,
    ) {
        let (transfer, round) = self.now.with(|now| (now.transfer.take(), now.round));
        let next = match transfer {
            Some(Transfer::Out(mapped)) => {
                // The device was to read, and no more.
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
                // Should it be full, the pages go.
                drop(self.now.with(|now| now.stash.give_back(mapped)));
                rounds.one();
                return self.launch(registers, self.begin(cx, round + 1), round + 1);
            }
            None => None,
        };
        self.launch(registers, next, round);
    }

    /// Gets ready for a round.
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
        // What comes too late is dropped without the lock.
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
