/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "shard/port.h"

#include <stdio.h>

const char *
shard_steering_text(enum shard_steering steering)
{
	static const char *const texts[] = {
		[SHARD_STEERING_SOFTWARE] = "software",
		[SHARD_STEERING_BUCKETS] = "buckets",
		[SHARD_STEERING_TUPLE] = "tuple",
		[SHARD_STEERING_CID] = "cid",
	};

	return texts[steering];
}

const char *
shard_port_text(const struct shard_port *port, char *text)
{
	const struct shard_port_facts *f = &port->facts;
	bool ip = f->send_flags & NET_FRAME_IP_CHECKSUM_CARD,
	     udp = f->send_flags & NET_FRAME_UDP_CHECKSUM_CARD;

	snprintf(text, SHARD_PORT_TEXT,
		"port %s: driver %s, %02x:%02x:%02x:%02x:%02x:%02x, %u queues of %u+%u descriptors, MTU %u, RSS %s%s, "
		"checksum offload %s%s%s%s, steering %s%s%s%s",
		f->name, f->driver, f->mac[0], f->mac[1], f->mac[2], f->mac[3], f->mac[4], f->mac[5],
		f->queues, f->rx_descriptors, f->tx_descriptors, f->mtu,
		f->rss ? "on" : "off: ", f->rss ? "" : f->rss_reason, f->receive_checksums ? "receive " : "",
		ip ? "send-IPv4 " : "", udp ? "send-UDP" : "",
		f->receive_checksums || ip || udp ? "" : "none", shard_steering_text(f->steering),
		f->steering_how[0] != '\0' ? " (" : "", f->steering_how,
		f->steering_how[0] != '\0' ? ")" : "");
	return text;
}
