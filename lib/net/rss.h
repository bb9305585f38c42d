/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Receive-side scaling: the Toeplitz hash of a received datagram's tuple as cards compute it (source address,
 * destination address, source port, destination port in network order), for ports that give none. From the same
 * key it equals the card's hash and rte_softrss_be().
 */
#ifndef NET_RSS_H
#define NET_RSS_H

#include <stdint.h>

#include "base/datagram.h"

enum { NET_RSS_KEY_BYTES = 40, NET_RSS_TUPLE_BYTES = 36, NET_RSS_RETA_MAX = 512 };

/* The key of Microsoft's verification suite, and one that hashes both directions of a flow alike. */
extern const uint8_t net_rss_key_default[NET_RSS_KEY_BYTES];
extern const uint8_t net_rss_key_symmetric[NET_RSS_KEY_BYTES];

/* What each half-octet of the tuple adds to the hash: 4.6 KB, read-only after init. */
struct net_rss {
	uint32_t half[NET_RSS_TUPLE_BYTES * 2][16];
};

void net_rss_init(struct net_rss *rss, const uint8_t key[NET_RSS_KEY_BYTES]);

/* The hash of what comes from path->remote to path->local; never 0, which means "not known". */
uint32_t net_rss_path(const struct net_rss *rss, const struct base_path *path);

#endif
