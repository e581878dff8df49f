// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware of a port, and receiving.
 *
 * The hardware writes each packet that arrives to the page in the next slot of the ring, and
 * raises an interrupt, but at most once in `usecs` microseconds. If no slot is free, the
 * packet is lost ("missed").
 *
 * NAPI takes a new page for each packet before it passes the page of the packet to the
 * stack. If there is no new page, the packet is dropped, and its page stays in the slot. So
 * all slots have pages at all times.
 */
#include <linux/etherdevice.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "c_netdev.h"

static struct slot *ring_slot(struct ring *ring, unsigned int index)
{
	return &ring->slots[index & (ring->size - 1)];
}

static void raise_interrupt(struct port *port)
{
	count(&port->counts.rx_interrupts, 1);
	if (usecs)
		hrtimer_start(&port->interrupt, us_to_ktime(usecs), HRTIMER_MODE_REL);
	else
		napi_schedule(&port->napi);
}

static enum hrtimer_restart interrupt_expired(struct hrtimer *timer)
{
	struct port *port = container_of(timer, struct port, interrupt);

	napi_schedule(&port->napi);
	return HRTIMER_NORESTART;
}

/*
 * Writes a packet into the ring of the port that it is sent to. Called by the peer, with
 * bottom halves disabled and the lock of its queue held. Returns false if it was missed.
 */
bool ring_deliver(struct port *port, const struct sk_buff *skb)
{
	struct ring *ring = &port->ring;
	struct slot *slot = ring_slot(ring, ring->filled);

	/* NAPI has put a page that nobody uses into each slot that it has cleaned. */
	if (ring->filled - smp_load_acquire(&ring->cleaned) == ring->size) {
		count(&port->counts.rx_missed, 1);
		return false;
	}
	/* This is the only copy. Hardware would make it by DMA. */
	skb_copy_bits(skb, 0, page_address(slot->page) + HEADROOM, skb->len);
	slot->length = skb->len;
	/* The packet is complete. */
	smp_store_release(&ring->filled, ring->filled + 1);
	if (!test_and_set_bit(0, &port->interrupted))
		raise_interrupt(port);
	return true;
}

/* Makes a packet of the page in a slot. Returns NULL if it has to be dropped. */
static struct sk_buff *receive(struct port *port, struct slot *slot)
{
	struct page *page = port->source->take(port);
	struct sk_buff *skb;

	if (unlikely(!page)) {
		count(&port->counts.rx_no_page, 1);
		return NULL;
	}
	skb = napi_build_skb(page_address(slot->page), PAGE_SIZE);
	if (unlikely(!skb)) {
		count(&port->counts.rx_no_skb, 1);
		port->source->put(port, page);
		return NULL;
	}
	port->source->pass(port, slot->page, skb);
	slot->page = page;
	skb_reserve(skb, HEADROOM);
	skb_put(skb, slot->length);
	skb->protocol = eth_type_trans(skb, port->dev);
	return skb;
}

static int poll(struct napi_struct *napi, int budget)
{
	struct port *port = container_of(napi, struct port, napi);
	struct ring *ring = &port->ring;
	int done = 0;

	count(&port->counts.rx_polls, 1);
	/* Pairs with ring_deliver(). */
	while (done < budget && ring->cleaned != smp_load_acquire(&ring->filled)) {
		struct slot *slot = ring_slot(ring, ring->cleaned);
		unsigned int length = slot->length;
		struct sk_buff *skb = receive(port, slot);

		/* The slot has its next page, or still has this one. */
		smp_store_release(&ring->cleaned, ring->cleaned + 1);
		done++;
		if (unlikely(!skb))
			continue;
		count(&port->counts.rx_packets, 1);
		count(&port->counts.rx_bytes, length);
		napi_gro_receive(napi, skb);
	}
	if (done < budget && napi_complete_done(napi, done)) {
		clear_bit(0, &port->interrupted);
		/* Packets that arrived before that have raised no interrupt. */
		smp_mb__after_atomic();
		if (ring->cleaned != READ_ONCE(ring->filled) &&
		    !test_and_set_bit(0, &port->interrupted))
			raise_interrupt(port);
	}
	return done;
}

void ring_setup(struct port *port)
{
	hrtimer_setup(&port->interrupt, interrupt_expired, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	netif_napi_add(port->dev, &port->napi, poll);
}

static void put_pages(struct port *port)
{
	unsigned int i;

	for (i = 0; i < port->ring.size && port->ring.slots[i].page; i++)
		port->source->put(port, port->ring.slots[i].page);
	kvfree(port->ring.slots);
}

/* Fills the ring, and lets the hardware receive. */
int ring_open(struct port *port)
{
	struct ring *ring = &port->ring;
	unsigned int i;

	ring->size = ring_size;
	ring->slots = kvcalloc(ring->size, sizeof(*ring->slots), GFP_KERNEL);
	if (!ring->slots)
		return -ENOMEM;
	for (i = 0; i < ring->size; i++) {
		ring->slots[i].page = port->source->take(port);
		if (!ring->slots[i].page) {
			put_pages(port);
			return -ENOMEM;
		}
	}
	napi_enable(&port->napi);
	/* The queue statistics name the NAPI instance of a queue. */
	netif_queue_set_napi(port->dev, 0, NETDEV_QUEUE_TYPE_RX, &port->napi);
	WRITE_ONCE(port->running, true);
	return 0;
}

void ring_close(struct port *port)
{
	struct ring *ring = &port->ring;

	WRITE_ONCE(port->running, false);
	/* Wait for a peer that is sending. */
	synchronize_net();
	hrtimer_cancel(&port->interrupt);
	netif_queue_set_napi(port->dev, 0, NETDEV_QUEUE_TYPE_RX, NULL);
	napi_disable(&port->napi);
	/* NAPI may have started it once more. */
	hrtimer_cancel(&port->interrupt);
	port->interrupted = 0;
	/* Nobody receives these packets any more. */
	count(&port->counts.rx_missed, ring->filled - ring->cleaned);
	ring->cleaned = ring->filled;
	put_pages(port);
}
