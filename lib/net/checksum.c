/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/checksum.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/frame.h"

/* 32-bit words into 64-bit sums: no carry is lost below 16 GB, and four sums keep the adders busy. */
uint64_t
net_checksum_add(uint64_t sum, const void *octets, size_t length)
{
	const uint8_t *at = octets;
	uint64_t sums[4] = {sum, 0, 0, 0};
	uint32_t words[4];
	uint16_t half;

	for (; length >= sizeof(words); at += sizeof(words), length -= sizeof(words)) {
		memcpy(words, at, sizeof(words));
		for (size_t i = 0; i < 4; i++)
			sums[i] += words[i];
	}
	sum = sums[0] + sums[1] + sums[2] + sums[3];
	for (; length >= sizeof(half); at += sizeof(half), length -= sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		sum += half;
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
