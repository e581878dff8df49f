/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All of the C side of the library. Each header lies beside the Rust code that calls its
 * functions. They exist in the kernel only as macros or inline functions, or are simpler to
 * write in C. bindgen reads this file (see Kbuild); only rust/ffi/ and rust/page/ call the
 * functions.
 */
#ifndef LABYRINTH_HELPERS_H
#define LABYRINTH_HELPERS_H

#include "cpu/hotplug.h"
#include "cpu/online.h"
#include "debugfs.h"
#include "exports.h"
#include "irq/interrupt.h"
#include "mm/attribute.h"
#include "mm/bad_memory.h"
#include "mm/contiguous.h"
#include "mm/dma.h"
#include "mm/host.h"
#include "mm/oom.h"
#include "mm/page.h"
#include "mm/page_mark.h"
#include "mm/shrinker.h"
#include "mm/vmap.h"
#include "mm/watermark.h"
#include "mm/zone.h"
#include "pci/pci.h"
#include "percpu/percpu.h"
#include "report.h"
#include "sync/spin_lock.h"
#include "task/thread.h"
#include "task/waker.h"
#include "time/timer.h"
#include "unload.h"

#ifdef __BINDGEN__
#include "mm/alloc_tag.h"
#include "trace/labyrinth_trace.h"
#endif

#endif /* LABYRINTH_HELPERS_H */
