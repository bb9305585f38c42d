/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two endpoints of lib/quic in virtual time: a client endpoint with any number of connections, a server endpoint, a NAT in front of the
 * client and an impaired link in each direction. Everything follows from the seed, so a failure is replayed by it: the certificate is
 * Ed25519, whose signatures have one length, and what TLS draws at random changes octets but no sizes and no times.
 *
 * The application: each request is a stream that begins with two 64-bit numbers, how many octets it goes on with and how many it
 * wants back, all of a pattern that every octet is checked against.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/crypto.h"
#include "net/impair.h"
#include "quic/conn.h"
#include "quic/conn_id.h"
#include "quic/endpoint.h"
#include "quic/limits.h"
#include "quic/slot.h"
#include "tests/sim/pool.h"
#include "tests/sim/seen.h"

enum {
	SIM_CONNECTIONS_MAX = 128,
	SIM_CLIENT_PORT = 20000, /* of connection 0, then one more each */
	SIM_BATCH = 32,
	SIM_BUFFER_BYTES = 1500,
	SIM_REQUEST_HEADER_BYTES = 16,
};

struct sim;
struct sim_group_ops;
struct service_set;

/* What a scenario asks of the world. */
struct sim_config {
	struct quic_limits server_limits;
	struct quic_limits client_limits;
	struct net_impair_config up;   /* client to server */
	struct net_impair_config down; /* server to client */
	uint32_t connections;
	uint32_t requests; /* per connection */
	uint32_t later;    /* of the connections: the last ones, begun by the scenario with sim_connect() */
	uint32_t at_once;  /* of them open at a time */
	uint64_t upload_bytes;
	uint64_t download_bytes;
	bool empty_ids, clear_ids; /* the clients' have no length, the server's are in clear mode */
	bool unidirectional;       /* requests on unidirectional streams, answers too */
	uint64_t time_limit_ns;
	uint64_t elephant_bytes; /* connection 0 downloads this instead; 0: it is like the others */
	bool tickets;            /* the server issues session tickets */
	bool idle_end;           /* do not close: wait for the idle timeout */
	uint32_t datagrams;      /* DATAGRAM frames to be echoed, per connection */
	uint64_t turn_ns;        /* a turn takes this long and sends one burst; 0: no time, all there is */
	uint64_t packet_ns;      /* the server needs this long for each packet that it opens */
	const struct sim_group_ops *group; /* group.h; NULL: one server endpoint */
	uint16_t shards;                   /* of the group */
	uint16_t mailbox;                  /* datagrams that wait for a shard of it at most */
	uint32_t moves_per_second;
	bool rebalances;          /* a manager evens the load out, with made-up cycles: */
	uint32_t datagram_cycles; /* of one sent; one received costs twice as much */
	bool one_home;            /* the hash of every tuple is the same */
	bool posts;               /* services post to shards and connections */
	uint64_t control_ns;      /* as long as control messages may wait to be looked at */
	bool reads_late;          /* the server's application does not read at once */
	uint32_t plant;           /* enum sim_plant: a fault of the simulator's own, to see it found */
	const char *finding;      /* what is said of it; then the process ends, with 0 if it is this */
	bool watch_pauses;        /* no connection that nothing was lost of may wait for longer than a PTO */
	/* Called once per millisecond of virtual time. */
	void (*tick)(struct sim *sim);
	/* When the run is over; NULL: all requests are answered and no connection was closed. */
	bool (*done)(const struct sim *sim);
	/* Called at the end, before what is left is closed. */
	void (*verify)(struct sim *sim);
	/* Takes a datagram of the server's or client's away (true) before the link sees it. */
	bool (*intercept)(struct sim *sim, bool from_server, struct base_datagram *datagram);
};

struct sim_stream {
	uint64_t id;
	struct sim_conn *conn;
	struct quic_handle handle; /* of its connection at this end */
	struct sim_lent *lent;     /* lent.h */
	uint64_t received;
	uint64_t to_receive;
	uint64_t sent;
	uint64_t to_send;
	uint64_t begun_ns;
	uint8_t header[SIM_REQUEST_HEADER_BYTES];
	uint32_t header_length;
	bool is_server;
	bool fin_received;
	bool fin_sent;
	bool counted;
	bool unread;             /* reads_late: there is something */
	struct sim_stream *next; /* all of them, to be freed */
};

struct sim_conn {
	uint32_t number;
	struct quic_handle handle;
	struct quic_handle server; /* the gateway's */
	bool connected;
	bool closed;
	uint64_t received; /* octets of streams */
	uint64_t hurt_ns;  /* when something of it was last lost or late for a reason of its own */
	uint32_t opened;
	uint32_t answered;
	uint32_t datagrams_sent;
	uint32_t datagrams_back;
	uint64_t error_code;
	bool timed_out;
	bool closed_by_peer;
	uint64_t begun_ns;
	uint64_t connected_ns;
	uint64_t done_ns;
	uint64_t slowest_ns; /* request */
};

struct sim_node {
	struct quic_endpoint *endpoint;
	void *endpoint_memory;
	void *slot_memory;
	void *table_memory;
	struct quic_endpoint_config endpoint_config;
	struct quic_slots slots;
	struct quic_conn_id_codec codec;
	struct base_pool *elements[QUIC_POOL_COUNT];
	struct sim_pool pools[QUIC_POOL_COUNT];
	struct service_set *services; /* of a shard; NULL: events go to the application at once */
	struct tls_context *tls;
	struct base_datagram datagrams[SIM_BATCH];
	uint8_t (*buffers)[SIM_BUFFER_BYTES];
	struct net_impair_item *items[SIM_BATCH]; /* received in this turn */
	uint32_t item_count;
	uint64_t sent_bytes;
	uint64_t received_bytes;
	bool is_server;
};

struct sim {
	uint64_t seed;
	const char *scenario;
	struct sim_config config;
	struct base_random random;
	uint64_t now_ns;
	uint64_t ticked_ns;
	struct crypto_backend *crypto;
	struct sim_node client;
	struct sim_node server;
	struct net_impair up;
	struct net_impair down;
	struct base_pool *items;
	struct net_impair_item **heaps;
	struct sim_shards *shards; /* of the group */
	struct sim_conn connections[SIM_CONNECTIONS_MAX];
	struct sim_stream *streams;
	uint32_t open_connections; /* not told CLOSED yet */
	uint16_t nat_port;         /* added to the client's ports */
	uint8_t nat_ip;            /* last octet of the client's address as the server sees it */
	uint32_t server_closed;
	uint64_t server_error;
	uint64_t server_busy_ns; /* until when it is, with packet_ns */
	uint64_t marks[4];       /* a scenario's own, as the next two */
	void *stolen;
	struct base_datagram kept;
	uint8_t kept_octets[SIM_BUFFER_BYTES];
	uint64_t steps;
	uint64_t cookies; /* of octets lent so far */
	uint64_t seen[SIM_SEEN_COUNT];
	uint64_t digest; /* of everything sent: what and when */
	bool trace;      /* print every datagram sent */
	char failure[512];
};

/* An allowance that nothing else is wrong about: what a scenario begins from. */
struct sim_config sim_config_default(void);

/* Runs to the end; sim->trace is kept. True when all went well; else sim->failure says what did not. */
bool sim_run(struct sim *sim, const char *scenario, const struct sim_config *config, uint64_t seed);
/* Goodput of connection 0 in bits per second, handshake included. */
uint64_t sim_goodput(const struct sim *sim);
/* Only the first failure is kept. */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Begins connection `number`, by the ticket and token of connection 0 if it has them. */
void sim_connect(struct sim *sim, uint32_t number);
struct quic_conn *sim_client_conn(struct sim *sim, uint32_t number);
/* The endpoint forgets all its connections, as after a restart with the same keys. */
void sim_restart(struct sim *sim, struct sim_node *node);
uint64_t sim_counter(const struct sim_node *node, const char *name);

/* The application, app.c. */
void sim_app_event(struct sim *sim, struct sim_node *node, const struct quic_event *event);
/* Reads some of what was left, of the connections that this node owns. */
void sim_app_read_late(struct sim *sim, struct sim_node *node);

#endif
