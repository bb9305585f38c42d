/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "drivers/port/ethdev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/assert.h"
#include "base/log.h"
#include "drivers/port/ethdev_rules.h"

enum { DESCRIPTORS = 1024, RETA_GROUP = RTE_ETH_RETA_GROUP_SIZE, LONG_KEY_BYTES = 52 };

#define UDP_HASHES (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP)

struct ethdev {
	struct shard_port port;
	uint16_t id;
	uint8_t key[LONG_KEY_BYTES]; /* some cards want more than the tuple needs */
	struct ethdev_rules rules;
};

static struct ethdev *
of(struct shard_port *port)
{
	return (struct ethdev *)port;
}

static uint16_t
least(uint16_t a, uint16_t b)
{
	return a < b ? a : b;
}

static uint16_t
receive_burst(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(of(port)->id, queue, mbufs, count);
}

static uint16_t
send_burst(struct shard_port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(of(port)->id, queue, mbufs, count);
}

/* The list is exact; where the card has none, all groups or all frames are let through and lib/net sorts. */
static bool
join_groups(struct shard_port *port, const uint8_t (*macs)[NET_MAC_BYTES], uint8_t count)
{
	struct rte_ether_addr list[UINT8_MAX];
	uint16_t id = of(port)->id;

	for (uint8_t i = 0; i < count; i++)
		memcpy(list[i].addr_bytes, macs[i], NET_MAC_BYTES);
	return rte_eth_dev_set_mc_addr_list(id, list, count) == 0 || rte_eth_allmulticast_enable(id) == 0 ||
		rte_eth_promiscuous_enable(id) == 0;
}

static bool
write_reta(const struct ethdev *ethdev, const uint16_t *queues)
{
	struct rte_eth_rss_reta_entry64 reta[NET_RSS_RETA_MAX / RETA_GROUP];
	const struct shard_port_facts *facts = &ethdev->port.facts;

	for (unsigned i = 0; i < facts->reta_size; i++) {
		base_assert(queues[i] < facts->queues);
		reta[i / RETA_GROUP].mask = UINT64_MAX;
		reta[i / RETA_GROUP].reta[i % RETA_GROUP] = queues[i];
	}
	return rte_eth_dev_rss_reta_update(ethdev->id, reta, facts->reta_size) == 0;
}

static bool
start(struct shard_port *port, char *error, size_t room)
{
	struct ethdev *ethdev = of(port);
	int result = rte_eth_dev_start(ethdev->id);

	if (result != 0) {
		snprintf(error, room,
			"port %s: the %s driver does not start it (%s): see the driver's own lines above",
			port->facts.name, port->facts.driver, rte_strerror(-result));
		return false;
	}
	if (port->facts.reta_size > 0 && !write_reta(ethdev, port->facts.reta)) {
		base_log(BASE_LOG_WARNING,
			"port %s: the indirection table cannot be written; no bucket of it can be moved",
			port->facts.name);
		port->facts.reta_size = 0;
	}
	ethdev_rules_try(&ethdev->rules, ethdev->id, &port->facts);
	return true;
}

static void
stop(struct shard_port *port)
{
	ethdev_rules_close(&of(port)->rules);
	rte_eth_dev_stop(of(port)->id);
}

static void
close_port(struct shard_port *port)
{
	rte_eth_dev_close(of(port)->id);
	free(port);
}

static bool
link_up(struct shard_port *port)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(of(port)->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static void
statistics(struct shard_port *port, struct shard_port_statistics *to)
{
	struct rte_eth_stats stats = {0};

	*to = (struct shard_port_statistics){0};
	if (rte_eth_stats_get(of(port)->id, &stats) != 0)
		return;
	*to = (struct shard_port_statistics){.received = stats.ipackets,
		.received_octets = stats.ibytes,
		.sent = stats.opackets,
		.sent_octets = stats.obytes,
		.missed = stats.imissed + stats.rx_nombuf,
		.errors = stats.ierrors + stats.oerrors};
}

static uint32_t
install_rule(struct shard_port *port, const struct shard_port_rule *rule)
{
	base_assert(rule->queue < port->facts.queues);
	return ethdev_rules_install(&of(port)->rules, rule);
}

static bool
remove_rule(struct shard_port *port, uint32_t rule)
{
	return ethdev_rules_remove(&of(port)->rules, rule);
}

static bool
set_reta(struct shard_port *port, const uint16_t *queues)
{
	return shard_port_has(port, SHARD_STEERING_BUCKETS) && write_reta(of(port), queues);
}

static const struct shard_port_ops ops = {.receive = receive_burst,
	.send = send_burst,
	.join_groups = join_groups,
	.start = start,
	.stop = stop,
	.close = close_port,
	.link_up = link_up,
	.statistics = statistics,
	.install_rule = install_rule,
	.remove_rule = remove_rule,
	.set_reta = set_reta};

/* A device already there by this name, or the one that probing these arguments brings. */
static bool
find(const char *device, uint16_t *id, char *error, size_t room)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_dev_iterator iterator;
	int result;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return true;
	result = rte_dev_probe(device);
	if (result != 0) {
		snprintf(error, room,
			"port %s: no such device (%s): bind a card with dpdk-devbind.py -b vfio-pci, or name a vdev such as "
			"net_af_packet0,iface=eth0",
			device, rte_strerror(-result));
		return false;
	}
	if (rte_eth_dev_get_port_by_name(name, id) == 0)
		return true;
	RTE_ETH_FOREACH_MATCHING_DEV(*id, device, &iterator)
	{
		rte_eth_iterator_cleanup(&iterator);
		return true;
	}
	snprintf(error, room, "port %s: the device is there but is no network port", device);
	return false;
}

uint16_t
port_ethdev_queues(const char *device, char *error, size_t room)
{
	struct rte_eth_dev_info info;
	uint16_t id;

	if (!find(device, &id, error, room))
		return 0;
	if (rte_eth_dev_info_get(id, &info) != 0) {
		snprintf(error, room, "port %s: the driver says nothing about it", device);
		return 0;
	}
	return least(info.max_rx_queues, info.max_tx_queues);
}

/* RSS over UDP's ports where the card hashes them and has a table of a size we keep; says why not. */
static void
choose_rss(struct ethdev *ethdev, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	struct shard_port_facts *facts = &ethdev->port.facts;
	uint64_t hashes = info->flow_type_rss_offloads & UDP_HASHES;
	bool key_fits = info->hash_key_size == NET_RSS_KEY_BYTES || info->hash_key_size == LONG_KEY_BYTES ||
		info->hash_key_size == 0;
	const char *why_not = facts->queues == 1 ? "one queue is enough"
		: hashes == 0                    ? "the device has none for UDP"
		: info->reta_size == 0           ? "the device has no indirection table"
		: !key_fits                      ? "the device's key has another length"
						 : NULL;

	memcpy(facts->rss_key, net_rss_key_default, NET_RSS_KEY_BYTES);
	memcpy(ethdev->key, net_rss_key_default, NET_RSS_KEY_BYTES);
	if (why_not != NULL) {
		snprintf(facts->rss_reason, sizeof(facts->rss_reason), "%s", why_not);
		return;
	}
	facts->rss = true;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = hashes;
	conf->rx_adv_conf.rss_conf.rss_key = ethdev->key;
	conf->rx_adv_conf.rss_conf.rss_key_len =
		info->hash_key_size == LONG_KEY_BYTES ? LONG_KEY_BYTES : NET_RSS_KEY_BYTES;
	conf->rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_RSS_HASH;
	if (info->reta_size > NET_RSS_RETA_MAX)
		return;
	facts->reta_size = info->reta_size;
	for (unsigned i = 0; i < facts->reta_size; i++)
		facts->reta[i] = i % facts->queues;
}

static void
forget_rss(struct shard_port_facts *facts, struct rte_eth_conf *conf, const char *reason)
{
	facts->rss = false;
	facts->reta_size = 0;
	snprintf(facts->rss_reason, sizeof(facts->rss_reason), "%s", reason);
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
	conf->rxmode.offloads &= ~(uint64_t)RTE_ETH_RX_OFFLOAD_RSS_HASH;
	memset(&conf->rx_adv_conf.rss_conf, 0, sizeof(conf->rx_adv_conf.rss_conf));
}

static void
choose_offloads(struct shard_port_facts *facts, const struct port_ethdev_config *config,
	const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	const uint64_t receive_checksums = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	/* Shards without a queue send by others' queues: on machines of several sockets out of other pools. */
	bool one_pool = rte_socket_count() == 1;

	for (uint16_t i = 1; i < config->queues; i++)
		one_pool &= config->buffers[i] == config->buffers[0];
	/* A card that frees in bulk wants all buffers of a queue from one pool, each referred to once. */
	if (one_pool)
		conf->txmode.offloads |= info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	if (config->no_offloads)
		return;
	conf->rxmode.offloads |= info->rx_offload_capa & receive_checksums;
	facts->receive_checksums = (conf->rxmode.offloads & receive_checksums) != 0;
	conf->txmode.offloads |=
		info->tx_offload_capa & (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
	if (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)
		facts->send_flags |= NET_FRAME_IP_CHECKSUM_CARD;
	if (conf->txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
		facts->send_flags |= NET_FRAME_UDP_CHECKSUM_CARD;
}

static bool
configure(struct ethdev *ethdev, const struct port_ethdev_config *config, const struct rte_eth_dev_info *info,
	struct rte_eth_conf *conf, char *error, size_t room)
{
	struct shard_port_facts *facts = &ethdev->port.facts;
	int result;

	if (config->mtu < info->min_mtu || config->mtu > info->max_mtu) {
		snprintf(error, room,
			"port %s: MTU %u is outside of what the %s driver takes (%u to %u): change mtu",
			facts->name, config->mtu, facts->driver, info->min_mtu, info->max_mtu);
		return false;
	}
	conf->rxmode.mtu = config->mtu;
	choose_rss(ethdev, info, conf);
	choose_offloads(facts, config, info, conf);
	result = rte_eth_dev_configure(ethdev->id, facts->queues, facts->queues, conf);
	if (result != 0 && facts->rss) {
		forget_rss(facts, conf, "the driver refused it");
		result = rte_eth_dev_configure(ethdev->id, facts->queues, facts->queues, conf);
	}
	if (result != 0)
		snprintf(error, room, "port %s: the %s driver refuses %u queues (%s): lower queues",
			facts->name, facts->driver, facts->queues, rte_strerror(-result));
	return result == 0;
}

static bool
set_up_queues(struct ethdev *ethdev, const struct port_ethdev_config *config, struct rte_eth_dev_info *info,
	const struct rte_eth_conf *conf, char *error, size_t room)
{
	struct shard_port_facts *facts = &ethdev->port.facts;
	uint16_t rx = config->rx_descriptors != 0 ? config->rx_descriptors : DESCRIPTORS;
	uint16_t tx = config->tx_descriptors != 0 ? config->tx_descriptors : DESCRIPTORS;
	struct rte_eth_rxconf rxconf = info->default_rxconf;
	struct rte_eth_txconf txconf = info->default_txconf;
	unsigned socket = facts->socket >= 0 ? (unsigned)facts->socket : (unsigned)SOCKET_ID_ANY;
	int result = rte_eth_dev_adjust_nb_rx_tx_desc(ethdev->id, &rx, &tx);

	rxconf.offloads = conf->rxmode.offloads;
	txconf.offloads = conf->txmode.offloads;
	for (uint16_t queue = 0; result == 0 && queue < facts->queues; queue++) {
		result = rte_eth_rx_queue_setup(
			ethdev->id, queue, rx, socket, &rxconf, config->buffers[queue]);
		if (result == 0)
			result = rte_eth_tx_queue_setup(ethdev->id, queue, tx, socket, &txconf);
	}
	if (result != 0) {
		snprintf(error, room,
			"port %s: the %s driver refuses its queues (%s): lower the descriptors or queues",
			facts->name, facts->driver, rte_strerror(-result));
		return false;
	}
	facts->rx_descriptors = rx;
	facts->tx_descriptors = tx;
	return true;
}

/* Drivers without a call for it (several virtual ones) take what the interface behind them has. */
static bool
set_mtu(struct ethdev *ethdev, const struct port_ethdev_config *config, char *error, size_t room)
{
	struct shard_port_facts *facts = &ethdev->port.facts;
	int result = rte_eth_dev_set_mtu(ethdev->id, config->mtu);

	facts->mtu = config->mtu;
	if (result == 0 || result == -ENOTSUP)
		return true;
	snprintf(error, room, "port %s: MTU %u cannot be set (%s): choose one that the link can carry",
		facts->name, config->mtu, rte_strerror(-result));
	return false;
}

static void
learn(struct ethdev *ethdev, const struct port_ethdev_config *config, const struct rte_eth_dev_info *info)
{
	struct shard_port_facts *facts = &ethdev->port.facts;
	struct rte_ether_addr mac = {0};

	if (rte_eth_dev_get_name_by_port(ethdev->id, facts->name) != 0)
		snprintf(facts->name, sizeof(facts->name), "%s", config->device);
	snprintf(facts->driver, sizeof(facts->driver), "%s", info->driver_name);
	rte_eth_macaddr_get(ethdev->id, &mac);
	memcpy(facts->mac, mac.addr_bytes, NET_MAC_BYTES);
	facts->socket = rte_eth_dev_socket_id(ethdev->id);
	facts->queues = least(config->queues, least(info->max_rx_queues, info->max_tx_queues));
}

static bool
open_device(struct ethdev *ethdev, const struct port_ethdev_config *config, char *error, size_t room)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};

	if (!find(config->device, &ethdev->id, error, room))
		return false;
	if (rte_eth_dev_info_get(ethdev->id, &info) != 0 || info.max_rx_queues == 0 ||
		info.max_tx_queues == 0) {
		snprintf(error, room, "port %s: the device has no queues to receive and send by",
			config->device);
		return false;
	}
	learn(ethdev, config, &info);
	if (!configure(ethdev, config, &info, &conf, error, room) ||
		!set_up_queues(ethdev, config, &info, &conf, error, room) ||
		!set_mtu(ethdev, config, error, room))
		return false;
	if (config->promiscuous)
		rte_eth_promiscuous_enable(ethdev->id);
	return true;
}

struct shard_port *
port_ethdev_open(const struct port_ethdev_config *config, char *error, size_t room)
{
	struct ethdev *ethdev = calloc(1, sizeof(*ethdev));

	if (ethdev == NULL) {
		snprintf(error, room, "port %s: no memory", config->device);
		return NULL;
	}
	ethdev->port.ops = &ops;
	if (open_device(ethdev, config, error, room))
		return &ethdev->port;
	free(ethdev);
	return NULL;
}
