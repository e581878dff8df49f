// SPDX-License-Identifier: GPL-2.0
/*
 * What a port counts, for the interfaces of the network stack.
 */
#include <linux/ethtool.h>
#include <linux/string.h>
#include <net/netdev_queues.h>

#include "c_netdev.h"

/* `ip -s link`. */
void statistics_sum(struct net_device *dev, struct rtnl_link_stats64 *sum)
{
	struct counters *counts = &((struct port *)netdev_priv(dev))->counts;

	sum->tx_packets = READ_ONCE(counts->tx_packets);
	sum->tx_bytes = READ_ONCE(counts->tx_bytes);
	sum->tx_dropped = READ_ONCE(counts->tx_dropped);
	sum->rx_packets = READ_ONCE(counts->rx_packets);
	sum->rx_bytes = READ_ONCE(counts->rx_bytes);
	sum->rx_missed_errors = READ_ONCE(counts->rx_missed);
	sum->rx_dropped = READ_ONCE(counts->rx_no_page) + READ_ONCE(counts->rx_no_skb);
}

/* `ethtool -S`. */
static const struct {
	char name[ETH_GSTRING_LEN];
	size_t offset;
} shown[] = {
	{ "rx_missed", offsetof(struct counters, rx_missed) },
	{ "rx_interrupts", offsetof(struct counters, rx_interrupts) },
	{ "rx_polls", offsetof(struct counters, rx_polls) },
	{ "rx_no_page", offsetof(struct counters, rx_no_page) },
	{ "rx_no_skb", offsetof(struct counters, rx_no_skb) },
};

static int count_strings(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? ARRAY_SIZE(shown) : -EOPNOTSUPP;
}

static void strings(struct net_device *dev, u32 set, u8 *data)
{
	int i;

	for (i = 0; set == ETH_SS_STATS && i < ARRAY_SIZE(shown); i++)
		ethtool_puts(&data, shown[i].name);
}

static void values(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	void *counts = &((struct port *)netdev_priv(dev))->counts;
	int i;

	for (i = 0; i < ARRAY_SIZE(shown); i++)
		data[i] = READ_ONCE(*(u64 *)(counts + shown[i].offset));
}

static const struct ethtool_ops ethtool = {
	.get_sset_count = count_strings,
	.get_strings = strings,
	.get_ethtool_stats = values,
	.get_link = ethtool_op_get_link,
};

/* The queue statistics of the family "netdev" of generic netlink. */
static void rx_queue(struct net_device *dev, int index, struct netdev_queue_stats_rx *stats)
{
	struct counters *counts = &((struct port *)netdev_priv(dev))->counts;

	stats->packets = READ_ONCE(counts->rx_packets);
	stats->bytes = READ_ONCE(counts->rx_bytes);
	stats->alloc_fail = READ_ONCE(counts->rx_no_page) + READ_ONCE(counts->rx_no_skb);
	stats->hw_drops = READ_ONCE(counts->rx_missed);
	stats->hw_drop_overruns = READ_ONCE(counts->rx_missed);
}

static void tx_queue(struct net_device *dev, int index, struct netdev_queue_stats_tx *stats)
{
	struct counters *counts = &((struct port *)netdev_priv(dev))->counts;

	stats->packets = READ_ONCE(counts->tx_packets);
	stats->bytes = READ_ONCE(counts->tx_bytes);
}

/* There is one queue for each direction, and it counts everything. */
static void base(struct net_device *dev, struct netdev_queue_stats_rx *rx,
		 struct netdev_queue_stats_tx *tx)
{
	rx->packets = 0;
	rx->bytes = 0;
	rx->alloc_fail = 0;
	rx->hw_drops = 0;
	rx->hw_drop_overruns = 0;
	tx->packets = 0;
	tx->bytes = 0;
}

static const struct netdev_stat_ops queues = {
	.get_queue_stats_rx = rx_queue,
	.get_queue_stats_tx = tx_queue,
	.get_base_stats = base,
};

void statistics_setup(struct net_device *dev)
{
	dev->ethtool_ops = &ethtool;
	dev->stat_ops = &queues;
}
