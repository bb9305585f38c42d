/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The world of bench_wire.c, bench_move.c and bench_skew.c: the whole server, its shards with their services, at one end of
 * drivers/port/wire, and a client endpoint of lib/quic at the other, taking turns in one thread. Time is virtual, so that every run sends
 * the same packets; only the cycles differ. They are counted for the server's turns, never for the client.
 */
#ifndef PERF_WIRE_H
#define PERF_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/crypto.h"
#include "http3/http3.h"
#include "quic/conn.h"
#include "quic/conn_id.h"
#include "service/echo.h"
#include "service/files.h"
#include "service/h3.h"
#include "service/hq.h"
#include "shard/group.h"
#include "tls/tls.h"

struct rte_mempool;

enum {
	WIRE_CONNECTIONS_MAX = 1024,
	WIRE_MTU = 1428, /* datagrams of 1,400 octets over IPv4 */
	WIRE_LARGE_BYTES = 8 << 20,
	WIRE_SMALL_BYTES = 512,
};

enum { WIRE_PROTOCOLS = 3, WIRE_SHARDS_MAX = 8, WIRE_ASKED_MAX = 4096, WIRE_ANY_QUEUE = -1 };
/* A turn by its stages, or as a whole. */
enum wire_stage { WIRE_RECEIVE, WIRE_SERVE, WIRE_EXPIRE, WIRE_SEND, WIRE_WHOLE, WIRE_STAGE_COUNT };

struct perf_histogram;

/* Zeros are one shard, connection IDs in sealed mode, and no time between two moves of a connection. */
struct wire_shape {
	uint16_t shards;
	bool clear; /* connection IDs that a card can steer by, and a card that can */
	uint64_t dwell_ns;
};

/* What the client's connections do. */
struct wire_task {
	const char *name;
	const char *alpn; /* hq-interop or h3: GET of `path`; echo: `upload_bytes` there and back */
	const char *path;
	uint32_t connections; /* at a time */
	uint32_t total;       /* one after the other, then */
	uint32_t requests;    /* per connection */
	uint32_t at_once;     /* of them */
	uint64_t upload_bytes;
	bool handshake; /* counted too; else requests begin when all are connected */
	bool driven;    /* requests are those of wire_client_ask() alone; h3 */
};

struct wire_figures {
	uint64_t cycles[WIRE_STAGE_COUNT];
	uint64_t turns;
	uint64_t received, sent; /* packets, of the server */
	uint64_t received_octets, sent_octets;
	uint64_t payload_octets; /* of streams, that the client got */
	uint64_t answered;
	uint64_t closed; /* connections */
};

struct wire_conn {
	bool live;
	struct quic_handle handle;
	struct http3_conn *h3;
	uint32_t opened, answered;
	uint64_t left; /* to upload */
	/* When each request was asked for that the peer's limit of streams holds back, oldest first. */
	uint32_t asked_first, asked_count;
	uint64_t asked_ns[WIRE_ASKED_MAX];
};

/* What is a shard's own. */
struct wire_seat {
	struct tls_memory *tls_memory;
	struct service_set set;
	struct service_h3 h3;
	struct service_files h3_files;
	struct service_hq hq;
	struct service_echo echo;
};

struct wire_server {
	struct rte_mempool *buffers;
	struct shard_port *port;
	struct shard_group_config config;
	struct shard_group *group;
	struct shard *shard; /* the first */
	struct file_set *files;
	struct wire_seat seats[WIRE_SHARDS_MAX];
};

struct wire_client {
	struct rte_mempool *buffers;
	struct shard_port *port;
	struct net_interface interface;
	struct quic_endpoint *endpoint;
	struct quic_endpoint_config config;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct http3 *http3;
	const struct wire_task *task;
	struct wire_conn connections[WIRE_CONNECTIONS_MAX];
	uint32_t begun, connected;
	bool started; /* requests may begin */
	void *endpoint_memory;
	struct tls_context *tls[WIRE_PROTOCOLS]; /* the client offers what its context says */
	uint16_t next_port;
	int queue; /* where the server's card is to bring new connections, or WIRE_ANY_QUEUE */
	const struct shard_port_facts *server; /* of that card */
	struct net_rss rss;
	uint64_t now_ns;
	struct wire_figures *figures;
	struct perf_histogram *latency; /* of requests that were asked for, ns; may be NULL */
	uint64_t arrived_ns;            /* when what this turn takes arrived; 0: now */
};

struct wire {
	struct wire_shape shape;
	bool whole; /* one shard's turns are the program's own, and are counted as WIRE_WHOLE */
	struct wire_server server;
	struct wire_client client;
	uint64_t now_ns;
	struct wire_figures figures;
};

/* The EAL for one thread and no card, with memory for a world of so many shards; in hugepages if they are wanted and free: true. Ends the program when it cannot. */
bool wire_eal_open(const char *program, unsigned shards, bool hugepages);
/* Takes all memory; ends the program with a sentence when something is missing. */
void wire_open(struct wire *wire, const struct wire_shape *shape);
void wire_close(struct wire *wire);
/* Runs a task to its end, closes its connections and lets both sides forget them; figures are of the task alone. */
void wire_run(struct wire *wire, const struct wire_task *task);
/* As far as all connections have their requests answered; wire_end() closes them. */
void wire_begin(struct wire *wire, const struct wire_task *task);
void wire_end(struct wire *wire);
/* One turn of the first shard by its stages, without what several shards want; their cycles are counted. */
void wire_server_turn(struct wire *wire);
/* The program's own turn of a shard, at this time by its clock: true when it did something. */
bool wire_shard_turn(struct wire *wire, uint16_t shard, uint64_t now_ns, uint64_t *cycles);
/* The client's turn, then one of each shard, for this long in steps of 20 us. */
void wire_pass(struct wire *wire, uint64_t duration_ns);
/* The same for a long time in which nothing happens but timers, in steps of 5 ms. */
void wire_rest(struct wire *wire, uint64_t duration_ns);

/* Ends the program with a sentence. */
void wire_fail(const char *sentence);
/* Has the card read connection IDs, or not any more. */
void wire_steer(struct wire *wire, bool on);
/* The server's name for the client's connection of this number, and the shard that owns it. */
struct quic_handle wire_handle(struct wire *wire, uint32_t number);
uint16_t wire_owner(struct wire *wire, uint32_t number);
uint64_t wire_counter(const struct wire *wire, uint16_t shard, enum shard_counter counter);

/* ---- the client, wire_client.c ---- */
void wire_client_open(struct wire_client *client);
/* Forgets all connections; the next ones are the task's. */
void wire_client_use(struct wire_client *client, const struct wire_task *task, uint64_t now_ns);
void wire_client_close(struct wire_client *client);
/* True when more has come than a turn takes. */
bool wire_client_turn(struct wire_client *client, uint64_t now_ns);
/* GETs the task's path on the connection of this number. */
void wire_client_ask(struct wire_client *client, uint32_t number, uint64_t asked_ns);
/* A PING with the next packet of the connection of this number. */
void wire_client_ping(struct wire_client *client, uint32_t number);
/* Requests begin on all connections that there are. */
void wire_client_start(struct wire_client *client);
/* Begins as many connections as the task wants at a time. */
void wire_client_connect(struct wire_client *client, uint64_t now_ns);

/* ---- common to both ---- */
enum { WIRE_SERVER_LAST = 1, WIRE_CLIENT_LAST = 2, WIRE_QUIC_PORT = 443 };
extern const uint8_t wire_macs[2][NET_MAC_BYTES];
struct base_address wire_address(uint8_t last, uint16_t port);
struct net_interface_config wire_interface(uint8_t last);
struct quic_limits wire_limits(void);
/* From the heap, zeroed, aligned to 64 octets; never NULL. */
void *wire_memory(size_t bytes);

#endif
