/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clients of ours over kernel sockets have in common: client.c, crowd.c. */
#ifndef TESTS_SYSTEM_PEER_H
#define TESTS_SYSTEM_PEER_H

#include "quic/conn_id.h"
#include "quic/endpoint.h"

struct peer {
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct quic_endpoint *endpoint;
};

enum { PEER_ROOM = 1500, PEER_PATTERN = 251 };

/* Ends the program with this sentence. */
_Noreturn void peer_die(const char *sentence);
uint64_t peer_now_ns(void);
/* A socket connected to the address, and the path that it is. */
int peer_socket(const char *host, const char *port, struct base_path *path);
/* An endpoint for so many connections that offer this ALPN and verify nobody. */
void peer_open(struct peer *peer, const char *alpn, uint32_t connections);
/* A datagram of this path, with the slot that its connection ID names. */
struct base_datagram peer_datagram(
	struct peer *peer, uint8_t *octets, size_t length, const struct base_path *path);
/* The octets of a stream from `offset` on: the same there and back. */
void peer_pattern(uint64_t offset, uint8_t *octets, size_t length);
bool peer_is_pattern(uint64_t offset, const uint8_t *octets, size_t length);

#endif
