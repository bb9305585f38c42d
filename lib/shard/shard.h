/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One lcore's loop. A shard owns a queue of each port (or uses a neighbour's through mailboxes), an endpoint with its
 * connections, its interfaces' neighbours and its services, and shares nothing but the slot table's words, the
 * mailboxes and the pools' backs. The turn: receive -> route -> endpoint -> serve -> expire -> serve -> send.
 *
 * shard_group opens them all (group.h); a shard is run by its own lcore from start to end.
 */
#ifndef SHARD_SHARD_H
#define SHARD_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/counters.h"
#include "net/interface.h"
#include "quic/endpoint.h"
#include "service/service.h"
#include "shard/mailbox.h"
#include "shard/port.h"

struct rte_mempool;
struct tls_memory;
struct shard;
struct shard_group;
struct shard_load;

enum { SHARD_PORTS_MAX = 8, SHARDS_MAX = 64 };
enum { SHARD_NO_QUEUE = UINT16_MAX };

/* An empty turn is followed by the next at once, then by pauses, then by sleeps that grow. */
struct shard_idle {
	uint32_t spin_turns;  /* empty turns before the first pause */
	uint32_t pause_turns; /* empty turns with a pause before the first sleep */
	uint32_t sleep_min_us;
	uint32_t sleep_max_us;  /* while there was traffic a short time ago */
	uint32_t sleep_long_us; /* after long_after_ms without any */
	uint32_t long_after_ms;
};

/* 64 turns, 64 pauses, 20 to 100 us, 1 ms after 100 ms. */
extern const struct shard_idle shard_idle_defaults;

struct shard_port_use {
	struct shard_port *port;
	uint16_t queue;    /* or SHARD_NO_QUEUE */
	uint16_t proxy;    /* shard that transmits for us where we have no queue */
	uint16_t resolver; /* shard that resolves neighbours of this port */
	struct net_interface_config interface;
};

struct shard_config {
	uint16_t index;
	uint16_t lcore;
	int socket;
	struct shard_group *group;
	struct rte_mempool *buffers;
	struct shard_idle idle;
	uint8_t port_count;
	struct shard_port_use ports[SHARD_PORTS_MAX];
	struct quic_endpoint_config quic; /* slots, pools, crypto, tls: all set */
	struct tls_memory *tls_memory;    /* bound by the shard's thread; borrowed, may be NULL */
	struct service_set *services;     /* of this shard alone; borrowed */
	uint16_t quic_port;               /* UDP; 0: no QUIC */
	uint16_t udp_echo_port;           /* 0: none */
};

enum shard_counter {
	SHARD_TURNS,
	SHARD_TURNS_IDLE,
	SHARD_SLEEPS,
	SHARD_FRAMES_RECEIVED,
	SHARD_FRAMES_SENT,
	SHARD_OCTETS_RECEIVED, /* of frames */
	SHARD_OCTETS_SENT,
	SHARD_DATAGRAMS_OWN,      /* for connections of this shard, or new here */
	SHARD_DATAGRAMS_HANDED,   /* to the mailbox of their owner */
	SHARD_DATAGRAMS_TAKEN,    /* from our mailbox */
	SHARD_DATAGRAMS_UNPLACED, /* short header, and the ID names no connection */
	SHARD_FRAMES_PROXIED,     /* transmitted by another shard for us */
	SHARD_UDP_ECHOED,
	SHARD_EVENTS,
	SHARD_PATHS_UNTOLD,    /* of connections that changed it: the manager had no room for the news */
	SHARD_DROP_NO_SERVICE, /* no one listens at this UDP port */
	SHARD_DROP_MAILBOX_FULL,
	SHARD_DROP_MAILBOX_SHARE, /* half full, and not this one's turn (receive.c) */
	SHARD_DROP_HOPS,          /* through four mailboxes and not at home yet */
	SHARD_DROP_SEGMENTS,      /* frames in more than one buffer: longer than any that we take */
	SHARD_DROP_SEND_FULL,     /* the port's queue stayed full */
	SHARD_NO_BUFFER,          /* the pool of buffers was empty */
	SHARD_COUNTER_COUNT
};

/* [SHARD_COUNTER_COUNT] */
extern const char *const shard_counter_names[];

/* Where in its turn a shard is; what the watchdog says of one that stands still. */
enum shard_place {
	SHARD_AT_START, /* not run yet, or ended */
	SHARD_AT_RECEIVE,
	SHARD_AT_CONTROL,
	SHARD_AT_NEIGHBOURS,
	SHARD_AT_DELIVER,
	SHARD_AT_SERVE,
	SHARD_AT_EXPIRE,
	SHARD_AT_SEND,
	SHARD_AT_MOVES,
	SHARD_AT_HOUSEKEEPING,
	SHARD_AT_REST,
	SHARD_PLACE_COUNT
};
/* One word. */
const char *shard_place_text(enum shard_place place);

/* A copy of the moment, for the management lcore; each value is exact, together they may be a turn apart. */
struct shard_statistics {
	uint64_t counters[SHARD_COUNTER_COUNT];
	uint64_t busy_cycles; /* of the time-stamp counter, in turns that did something */
	uint64_t idle_cycles;
	uint64_t cycles_per_second;
	uint32_t connections;
	enum shard_place place;
	uint32_t buffers_free; /* of the pool, shared */
};

/* Takes all memory. NULL when there is none; says why. */
struct shard *shard_open(const struct shard_config *config, char *error, size_t room);
/* The loop, on its own lcore, until shard_stop() has done its work. Returns 0. For rte_eal_remote_launch(). */
int shard_run(void *shard);
/*
 * From any thread: the shard stops accepting, closes its connections with NO_ERROR and its loop ends when none is left,
 * at the latest after `within_ms`.
 */
void shard_stop(struct shard *shard, uint32_t within_ms);
/*
 * From any thread: a short time later new connections are refused with CONNECTION_REFUSED, or taken again. Those that there are go on,
 * and may come from other shards.
 */
void shard_set_accepting(struct shard *shard, bool accepting);
bool shard_running(const struct shard *shard);
/* After the loop has ended. Gives all buffers back. */
void shard_close(struct shard *shard);

/* One turn, for tests and benchmarks on the calling thread; true when it did something. */
bool shard_turn(struct shard *shard);

const struct shard_config *shard_get_config(const struct shard *shard);
struct shard_mailbox *shard_get_mailbox(struct shard *shard);
/* Before it runs: whether any port steers by paths, so that the manager has to know when a connection has another. */
void shard_tell_paths(struct shard *shard, bool tell);
/* Before it runs: the work of this port's buckets is counted (load.h), and connections follow those that are moved (bucket.h). */
void shard_follow_buckets(struct shard *shard, uint8_t port_index);
/* For the manager: questions and answers (load.h). */
struct shard_load *shard_get_load(struct shard *shard);
void shard_get_statistics(const struct shard *shard, struct shard_statistics *statistics);
/* Counters of the shard, its interfaces and its endpoint: returns how many libraries, at most `room`. */
uint32_t shard_get_counters(const struct shard *shard, struct base_counters *counters, uint32_t room);

#endif
