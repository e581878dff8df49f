/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints labyrinth:page_alloc, page_free, fallback, refill and resize.
 *
 * rust/ffi/trace/mod.rs calls them. The table of contexts is literal, because user
 * space (libtraceevent) evaluates it, too. Tiers have no table here: the events
 * contain their names.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM labyrinth

#if !defined(LABYRINTH_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define LABYRINTH_TRACE_H

#include <linux/tracepoint.h>
#include <trace/events/mmflags.h>

/*
 * The size of the longest name of a pool with its terminating NUL. This is an array and
 * not a __string(), which bpftrace 0.23 reads as empty.
 */
#define LABYRINTH_TRACE_NAME 32

/* The same for the name of a tier, and of a reason. */
#define LABYRINTH_TRACE_TIER 16

/* The numbers of enum Kind in context.rs. */
#define labyrinth_show_context(context)			\
	__print_symbolic(context,			\
		{ 0, "task" },				\
		{ 1, "softirq" },			\
		{ 2, "spinlock" },			\
		{ 3, "irqs_off" })

/* A request was answered: with a page from a source, or with no page (pfn is then 0). */
TRACE_EVENT(page_alloc,
	TP_PROTO(const char *pool, const char *source, unsigned int context,
		 unsigned int order, unsigned long pfn, gfp_t gfp),

	TP_ARGS(pool, source, context, order, pfn, gfp),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned long, gfp_flags)
		__field(unsigned int, order)
		__array(char, source, LABYRINTH_TRACE_TIER)
		__field(u8, context)
		__array(char, pool, LABYRINTH_TRACE_NAME)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->gfp_flags = (__force unsigned long)gfp;
		__entry->order = order;
		strscpy_pad(__entry->source, source);
		__entry->context = context;
		strscpy_pad(__entry->pool, pool);
	),

	TP_printk("pool=%s source=%s context=%s order=%u pfn=0x%lx gfp_flags=%s",
		  __entry->pool, __entry->source,
		  labyrinth_show_context(__entry->context), __entry->order,
		  __entry->pfn, show_gfp_flags(__entry->gfp_flags))
);

/* A page was given back. It belongs to the tier "to" from now on. */
TRACE_EVENT(page_free,
	TP_PROTO(const char *pool, const char *to, unsigned int order,
		 unsigned long pfn),

	TP_ARGS(pool, to, order, pfn),

	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(unsigned int, order)
		__array(char, to, LABYRINTH_TRACE_TIER)
		__array(char, pool, LABYRINTH_TRACE_NAME)
	),

	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->order = order;
		strscpy_pad(__entry->to, to);
		strscpy_pad(__entry->pool, pool);
	),

	TP_printk("pool=%s to=%s order=%u pfn=0x%lx",
		  __entry->pool, __entry->to,
		  __entry->order, __entry->pfn)
);

/* A tier had no page for a request, so the request went on to the next tier. */
TRACE_EVENT(fallback,
	TP_PROTO(const char *pool, const char *from, const char *to),

	TP_ARGS(pool, from, to),

	TP_STRUCT__entry(
		__array(char, from, LABYRINTH_TRACE_TIER)
		__array(char, to, LABYRINTH_TRACE_TIER)
		__array(char, pool, LABYRINTH_TRACE_NAME)
	),

	TP_fast_assign(
		strscpy_pad(__entry->from, from);
		strscpy_pad(__entry->to, to);
		strscpy_pad(__entry->pool, pool);
	),

	TP_printk("pool=%s from=%s to=%s", __entry->pool,
		  __entry->from,
		  __entry->to)
);

/* Pages were fetched ahead of requests. wanted, got and target count blocks of pages. */
TRACE_EVENT(refill,
	TP_PROTO(const char *pool, const char *tier, unsigned int wanted,
		 unsigned int got, unsigned int target),

	TP_ARGS(pool, tier, wanted, got, target),

	TP_STRUCT__entry(
		__field(unsigned int, wanted)
		__field(unsigned int, got)
		__field(unsigned int, target)
		__array(char, tier, LABYRINTH_TRACE_TIER)
		__array(char, pool, LABYRINTH_TRACE_NAME)
	),

	TP_fast_assign(
		__entry->wanted = wanted;
		__entry->got = got;
		__entry->target = target;
		strscpy_pad(__entry->tier, tier);
		strscpy_pad(__entry->pool, pool);
	),

	TP_printk("pool=%s tier=%s wanted=%u got=%u target=%u", __entry->pool,
		  __entry->tier, __entry->wanted,
		  __entry->got, __entry->target)
);

/*
 * The target of a reserve that sizes itself has changed, or a window of time with demand has
 * ended. All numbers count blocks of pages.
 */
TRACE_EVENT(resize,
	TP_PROTO(const char *pool, const char *reason, unsigned int from,
		 unsigned int to, unsigned int high_water),

	TP_ARGS(pool, reason, from, to, high_water),

	TP_STRUCT__entry(
		__field(unsigned int, from)
		__field(unsigned int, to)
		__field(unsigned int, high_water)
		__array(char, reason, LABYRINTH_TRACE_TIER)
		__array(char, pool, LABYRINTH_TRACE_NAME)
	),

	TP_fast_assign(
		__entry->from = from;
		__entry->to = to;
		__entry->high_water = high_water;
		strscpy_pad(__entry->reason, reason);
		strscpy_pad(__entry->pool, pool);
	),

	TP_printk("pool=%s reason=%s from=%u to=%u high_water=%u",
		  __entry->pool, __entry->reason, __entry->from,
		  __entry->to, __entry->high_water)
);

#endif /* LABYRINTH_TRACE_H */

/*
 * Kbuild adds the folder of this file to the include path of trace.c. The kernel's
 * include/trace is searched first, so no file there may have the name of this one.
 */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE labyrinth_trace
#include <trace/define_trace.h>
