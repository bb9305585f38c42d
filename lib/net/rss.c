/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/rss.h"

#include "base/writer.h"

const uint8_t net_rss_key_default[NET_RSS_KEY_BYTES] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41,
	0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb,
	0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* A key of period 16 hashes (a, b) and (b, a) alike. */
const uint8_t net_rss_key_symmetric[NET_RSS_KEY_BYTES] = {0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
	0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d,
	0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a};

/* The 32 bits of the key from `bit` on: what one set bit of the tuple adds. */
static uint32_t
key_window(const uint8_t key[NET_RSS_KEY_BYTES], unsigned bit)
{
	uint64_t window = 0;

	for (unsigned i = 0; i < 5; i++) {
		unsigned octet = bit / 8 + i;

		window = window << 8 | (octet < NET_RSS_KEY_BYTES ? key[octet] : 0);
	}
	return (uint32_t)(window >> (8 - bit % 8));
}

void
net_rss_init(struct net_rss *rss, const uint8_t key[NET_RSS_KEY_BYTES])
{
	for (unsigned half = 0; half < NET_RSS_TUPLE_BYTES * 2; half++) {
		for (unsigned value = 0; value < 16; value++) {
			uint32_t hash = 0;

			for (unsigned bit = 0; bit < 4; bit++)
				if (value & (8U >> bit))
					hash ^= key_window(key, half * 4 + bit);
			rss->half[half][value] = hash;
		}
	}
}

static uint32_t
hash_octets(const struct net_rss *rss, const uint8_t *octets, unsigned count)
{
	uint32_t hash = 0;

	for (unsigned i = 0; i < count; i++)
		hash ^= rss->half[2 * i][octets[i] >> 4] ^ rss->half[2 * i + 1][octets[i] & 15];
	return hash;
}

uint32_t
net_rss_path(const struct net_rss *rss, const struct base_path *path)
{
	bool ipv4 = base_address_is_ipv4(&path->remote);
	unsigned ip_bytes = ipv4 ? 4 : 16, skip = 16 - ip_bytes;
	uint8_t tuple[NET_RSS_TUPLE_BYTES];
	uint32_t hash;

	memcpy(tuple, path->remote.ip + skip, ip_bytes);
	memcpy(tuple + ip_bytes, path->local.ip + skip, ip_bytes);
	base_put_uint(tuple + 2 * ip_bytes, path->remote.port, 2);
	base_put_uint(tuple + 2 * ip_bytes + 2, path->local.port, 2);
	hash = hash_octets(rss, tuple, 2 * ip_bytes + 4);
	return hash != 0 ? hash : 1;
}
