/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An endpoint without QUIC, in the place of lib/quic's, so that the shard is tested alone: it remembers what it was given
 * and sends what it is told to.
 */
#ifndef TESTS_SHARD_FAKE_ENDPOINT_H
#define TESTS_SHARD_FAKE_ENDPOINT_H

#include "quic/endpoint.h"

struct quic_conn {
	struct quic_handle handle;
	struct base_path path;
	uint64_t settled_ns;
};

struct quic_endpoint {
	uint16_t shard;
	uint32_t received;
	uint32_t asked;            /* calls of send, which end a turn for the endpoint */
	struct base_datagram last; /* its octets are of no use after the turn */
	uint32_t to_send;          /* datagrams of `length` octets, on the path of the last one */
	uint16_t length;
	uint32_t connections;
	uint32_t events;      /* to be pulled */
	uint64_t initial_key; /* of what it has accepted */
	bool has_conn;        /* `conn`, which is found by its handle */
	struct quic_conn conn;
	bool switched; /* its client uses IDs that name switched_to */
	uint16_t switched_to;
	uint32_t detached;
	bool repathed;                 /* it has another path */
	uint32_t repathed_lost;        /* others that had */
	void (*on_expire)(void *with); /* once, when it is asked to expire */
	void *with;
	bool stopped;
	bool closed_all;
};

/* By shard number. */
extern struct quic_endpoint *fake_endpoints[64];
/* What quic_endpoint_find() finds otherwise, NULL at first, and whether it is open. */
extern struct quic_conn *fake_conn;
extern bool fake_conn_open;
/* A service that closes its connection when it is to let it go; how often one was told that it has come. */
extern bool fake_detach_closes;
extern uint32_t fake_attached;

#endif
