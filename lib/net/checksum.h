/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Internet checksum, RFC 1071. A sum is collected over pieces, each but the last of even length, and
 * finished into the complement. Sums are held in the machine's own octet order, which RFC 1071 section 2(B)
 * allows; net_checksum_finish() gives the value to be written in network order.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/datagram.h"

uint64_t net_checksum_add(uint64_t sum, const void *octets, size_t length);

/* Zero when the octets summed hold a right checksum. */
uint16_t net_checksum_finish(uint64_t sum);

/* The pseudo-header of RFC 768 or RFC 8200 section 8.1; `length` is of the upper-layer header and payload. */
uint64_t net_checksum_pseudo(
	const uint8_t source[16], const uint8_t destination[16], uint8_t protocol, uint32_t length);

#endif
