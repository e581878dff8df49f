// SPDX-License-Identifier: GPL-2.0
/*
 * The two interfaces, lab0 and lab1.
 */
#include <linux/etherdevice.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "c_netdev.h"

static char *source = "labyrinth";
module_param(source, charp, 0444);
MODULE_PARM_DESC(source, "where pages come from: plain, page_pool or labyrinth");

unsigned int ring_size = 256;
module_param_named(ring, ring_size, uint, 0444);
MODULE_PARM_DESC(ring, "slots in the ring of a port, a power of two");

unsigned int usecs = 20;
module_param(usecs, uint, 0644);
MODULE_PARM_DESC(usecs, "microseconds from a packet to the interrupt; 0: at once");

unsigned int cache = 64;
module_param(cache, uint, 0444);
MODULE_PARM_DESC(cache, "labyrinth: pages that each CPU can keep");

unsigned int reserve = 256;
module_param(reserve, uint, 0444);
MODULE_PARM_DESC(reserve, "labyrinth: pages in the reserve of a port");

static const struct source *const sources[] = {
	&plain_source,
#ifdef CONFIG_PAGE_POOL
	&page_pool_source,
#endif
	&labyrinth_source,
};

static struct port *ports[2];

static void set_carrier(struct port *port)
{
	bool up = port->running && port->peer->running;
	int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		if (up)
			netif_carrier_on(ports[i]->dev);
		else
			netif_carrier_off(ports[i]->dev);
	}
}

static int port_open(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);
	int error = port->source->open(port);

	if (error)
		return error;
	error = ring_open(port);
	if (error) {
		port->source->close(port);
		return error;
	}
	netif_start_queue(dev);
	set_carrier(port);
	return 0;
}

static int port_stop(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	netif_stop_queue(dev);
	ring_close(port);
	set_carrier(port);
	port->source->close(port);
	return 0;
}

static netdev_tx_t port_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	if (unlikely(!READ_ONCE(port->peer->running) || skb->len > MAX_LENGTH)) {
		count(&port->counts.tx_dropped, 1);
		dev_kfree_skb_any(skb);
		return NETDEV_TX_OK;
	}
	/* It is sent, even if the peer misses it. */
	count(&port->counts.tx_packets, 1);
	count(&port->counts.tx_bytes, skb->len);
	ring_deliver(port->peer, skb);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops port_ops = {
	.ndo_open = port_open,
	.ndo_stop = port_stop,
	.ndo_start_xmit = port_xmit,
	.ndo_get_stats64 = statistics_sum,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static struct port *make_port(const struct source *from)
{
	struct net_device *dev = alloc_netdev(sizeof(struct port), "lab%d", NET_NAME_ENUM,
					      ether_setup);
	struct port *port;

	if (!dev)
		return NULL;
	port = netdev_priv(dev);
	port->dev = dev;
	port->source = from;
	dev->netdev_ops = &port_ops;
	dev->max_mtu = MAX_LENGTH - ETH_HLEN;
	/* Nothing is queued for sending: the hardware takes each packet at once. */
	dev->priv_flags |= IFF_NO_QUEUE;
	eth_hw_addr_random(dev);
	statistics_setup(dev);
	ring_setup(port);
	return port;
}

static const struct source *find_source(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sources); i++) {
		if (sysfs_streq(source, sources[i]->name))
			return sources[i];
	}
	pr_err("there is no source '%s' in this kernel\n", source);
	return NULL;
}

static void free_ports(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		if (ports[i])
			free_netdev(ports[i]->dev);
	}
}

static int __init c_netdev_init(void)
{
	const struct source *from = find_source();
	int i, error = -ENOMEM;

	if (!from || !is_power_of_2(ring_size) || ring_size > 65536)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		ports[i] = make_port(from);
		if (!ports[i])
			goto free;
	}
	ports[0]->peer = ports[1];
	ports[1]->peer = ports[0];
	error = register_netdev(ports[0]->dev);
	if (error)
		goto free;
	error = register_netdev(ports[1]->dev);
	if (error)
		goto unregister;
	return 0;

unregister:
	unregister_netdev(ports[0]->dev);
free:
	free_ports();
	return error;
}

static void __exit c_netdev_exit(void)
{
	/* Neither port may be freed before both have been closed. */
	unregister_netdev(ports[0]->dev);
	unregister_netdev(ports[1]->dev);
	free_ports();
}

module_init(c_netdev_init);
module_exit(c_netdev_exit);

MODULE_AUTHOR("The labyrinth developers");
MODULE_DESCRIPTION("Sample: a pair of network interfaces that receives into pages");
MODULE_LICENSE("GPL");
