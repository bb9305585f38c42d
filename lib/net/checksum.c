/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/checksum.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/frame.h"

/* Whole vectors, unaligned; what a compiler makes of them depends on the CPU it builds for. */
typedef uint64_t words __attribute__((vector_size(32)));

enum { HALF_BITS = 32 };

/* The 32-bit halves of each word are summed apart, so no carry is lost below 2^32 vectors. */
static uint64_t
add_vectors(uint64_t sum, const uint8_t *at, size_t count)
{
	words low = {0}, high = {0}, next;

	for (size_t i = 0; i < count; i++) {
		memcpy(&next, at + i * sizeof(next), sizeof(next));
		low += next & UINT32_MAX;
		high += next >> HALF_BITS;
	}
	for (unsigned i = 0; i < sizeof(words) / sizeof(uint64_t); i++)
		sum += low[i] + high[i];
	return sum;
}

uint64_t
net_checksum_add(uint64_t sum, const void *octets, size_t length)
{
	const uint8_t *at = octets;
	size_t vectors = length / sizeof(words);
	uint32_t word;
	uint16_t half;

	if (vectors > 0)
		sum = add_vectors(sum, at, vectors);
	at += vectors * sizeof(words);
	length -= vectors * sizeof(words);
	for (; length >= sizeof(word); at += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	if (length >= sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		sum += half;
		at += sizeof(half);
		length -= sizeof(half);
	}
	if (length == 1) {
		/* An odd octet is the high half of a word in network order. */
		half = 0;
		memcpy(&half, at, 1);
		sum += half;
	}
	return sum;
}

uint16_t
net_checksum_finish(uint64_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ntohs((uint16_t)~sum);
}

uint64_t
net_checksum_pseudo(
	const uint8_t source[16], const uint8_t destination[16], uint8_t protocol, uint32_t length)
{
	/* An IPv4-mapped prefix adds 0xffff, which is zero in one's complement: both versions sum alike. */
	uint8_t rest[8] = {
		length >> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff, 0, 0, 0, protocol};
	uint64_t sum = net_checksum_add(0, source, 16);

	sum = net_checksum_add(sum, destination, 16);
	return net_checksum_add(sum, rest, sizeof(rest));
}
