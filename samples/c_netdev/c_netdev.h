/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pair of network interfaces. Each receives what the other one sends.
 *
 *	device.c	the interfaces: setting them up, and sending
 *	ring.c		the hardware of a port, and receiving in NAPI
 *	statistics.c	what `ip -s`, `ethtool -S` and the queue statistics show
 *	plain.c, page_pool.c, labyrinth.c
 *			where the pages for received packets come from
 */
#ifndef C_NETDEV_H
#define C_NETDEV_H

#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct labyrinth_pages;
struct page_pool;
struct port;

/*
 * A source of pages. All of them are asked for one page for each packet, in the same place,
 * and may keep up to RECYCLED pages that the network stack is done with.
 */
struct source {
	const char *name;
	/* Process context. */
	int (*open)(struct port *port);
	/* Process context. Pages can still be with the stack. */
	void (*close)(struct port *port);
	/* In NAPI, and in process context while the port is being opened. May not sleep. */
	struct page *(*take)(struct port *port);
	/* In NAPI. The page is the head of the packet, and the stack will drop it. */
	void (*pass)(struct port *port, struct page *page, struct sk_buff *skb);
	/* As take(), for a page that the stack has not seen. */
	void (*put)(struct port *port, struct page *page);
};

#define RECYCLED 1024

extern const struct source plain_source;
extern const struct source page_pool_source;
extern const struct source labyrinth_source;

/* Each counter has one writer at a time, and any readers. */
struct counters {
	/* Written by the sending side, under the lock of its queue. */
	u64 tx_packets;
	u64 tx_bytes;
	u64 tx_dropped;
	/* Written by the peer's sending side: packets that found no free slot. */
	u64 rx_missed;
	/* Written by whoever sets @interrupted of the port. */
	u64 rx_interrupts;
	/* Written in NAPI. */
	u64 rx_packets;
	u64 rx_bytes;
	u64 rx_polls;
	/* Packets dropped as there was no page to replace theirs, or no struct sk_buff. */
	u64 rx_no_page;
	u64 rx_no_skb;
};

static inline void count(u64 *counter, u64 more)
{
	WRITE_ONCE(*counter, *counter + more);
}

/*
 * The slots are used in turn. @filled and @cleaned only grow. Slots from @cleaned to @filled
 * have packets, and the other slots have pages that packets can be written to.
 */
struct ring {
	struct slot {
		struct page *page;
		unsigned int length;
	} *slots;
	unsigned int size;
	/* Written by the hardware. */
	unsigned int filled ____cacheline_aligned_in_smp;
	/* Written in NAPI. */
	unsigned int cleaned ____cacheline_aligned_in_smp;
};

struct port {
	struct net_device *dev;
	struct port *peer;
	const struct source *source;
	union {
		struct page_pool *page_pool;
		struct labyrinth_pages *labyrinth;
	};
	struct ring ring;
	struct napi_struct napi;
	/* Expires when the hardware would raise an interrupt. */
	struct hrtimer interrupt;
	/* Whether the timer was started, or NAPI is scheduled. */
	unsigned long interrupted;
	bool running;
	struct counters counts;
};

/* device.c */
extern unsigned int ring_size;
extern unsigned int reserve;
extern unsigned int cache;
extern unsigned int usecs;

/* ring.c */
#define HEADROOM (NET_SKB_PAD + NET_IP_ALIGN)
#define MAX_LENGTH							\
	(PAGE_SIZE - HEADROOM - SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))

void ring_setup(struct port *port);
int ring_open(struct port *port);
void ring_close(struct port *port);
bool ring_deliver(struct port *port, const struct sk_buff *skb);

/* statistics.c */
void statistics_setup(struct net_device *dev);
void statistics_sum(struct net_device *dev, struct rtnl_link_stats64 *sum);

#endif /* C_NETDEV_H */
