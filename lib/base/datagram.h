/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A UDP datagram and a burst of them: what passes between lib/net, lib/quic and whoever owns the buffers. A
 * datagram describes octets, it does not own them; `buffer` is the owner's (an mbuf, a pool element) and no
 * library below lib/shard looks at it.
 */
#ifndef BASE_DATAGRAM_H
#define BASE_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BASE_BURST_MAX = 64 };

/* An IPv4 address is held IPv4-mapped (RFC 4291 section 2.5.5.2); the port is in host order. */
struct base_address {
	uint8_t ip[16];
	uint16_t port;
};

/* One path of RFC 9000 section 9: our address and the peer's. */
struct base_path {
	struct base_address local;
	struct base_address remote;
};

/* Explicit congestion notification, RFC 3168 section 5: the two bits of the IP header. */
enum base_ecn { BASE_ECN_NOT_ECT = 0, BASE_ECN_ECT_1 = 1, BASE_ECN_ECT_0 = 2, BASE_ECN_CE = 3 };

#define BASE_SLOT_NONE UINT32_MAX

struct base_datagram {
	uint8_t *octets;       /* the UDP payload */
	uint16_t length;       /* octets used */
	uint16_t room;         /* octets that may be written at `octets`; for sending */
	uint16_t port_index;   /* which port it came from or leaves by */
	uint8_t ecn;           /* enum base_ecn */
	uint8_t hops;          /* mailboxes passed through */
	uint32_t tuple_hash;   /* hash of the path as the card computes it; 0: not known */
	uint32_t slot;         /* connection slot found by routing, or BASE_SLOT_NONE */
	uint32_t generation;   /* of the connection ID that named the slot */
	uint32_t id_sequence;  /* sequence number of that connection ID */
	struct base_path path; /* for sending too: local is the source */
	bool placed; /* its home shard gave it to this one, which may accept it (shard/placement.h) */
	void *buffer;
};

/*
 * A burst. For receiving, [0, count) are datagrams to handle. For sending, [0, capacity) come with octets,
 * room and buffer set, and the sender fills them from `count` on.
 */
struct base_batch {
	struct base_datagram *datagrams;
	uint16_t count;
	uint16_t capacity;
};

static inline bool
base_address_is_ipv4(const struct base_address *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return memcmp(address->ip, mapped, sizeof(mapped)) == 0;
}

static inline bool
base_address_equal(const struct base_address *a, const struct base_address *b)
{
	return a->port == b->port && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static inline bool
base_path_equal(const struct base_path *a, const struct base_path *b)
{
	return base_address_equal(&a->remote, &b->remote) && base_address_equal(&a->local, &b->local);
}

/* Octets of IP and UDP header in front of a datagram on this path. */
static inline uint16_t
base_path_overhead_bytes(const struct base_path *path)
{
	return base_address_is_ipv4(&path->remote) ? 28 : 48;
}

/* "192.0.2.1:443" or "[2001:db8::1]:443"; `text` has room for BASE_ADDRESS_TEXT octets. */
enum { BASE_ADDRESS_TEXT = 56 };
const char *base_address_text(const struct base_address *address, char *text);

#endif
