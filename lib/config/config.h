/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration of a gateway: one TOML file, read once at start and checked, becomes one struct config
 * that has no pointers and may be copied. What each key means, its unit, its range and its default are in
 * the table of keys.c, from which config/millrace.toml is printed; units are in the names. Addresses are as
 * in base/datagram.h, IPv4 held IPv4-mapped.
 *
 * A mistake of the operator is a line "FILE:LINE:COLUMN: key: what is wrong; the mend", several at once.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/services.h"
#include "config/types.h"

enum config_cipher { CONFIG_AES_128_GCM, CONFIG_AES_256_GCM, CONFIG_CHACHA20_POLY1305, CONFIG_CIPHER_COUNT };
enum config_group {
	CONFIG_X25519,
	CONFIG_SECP256R1,
	CONFIG_SECP384R1,
	CONFIG_X25519MLKEM768,
	CONFIG_GROUP_COUNT
};
enum config_congestion { CONFIG_CUBIC, CONFIG_NEW_RENO, CONFIG_CONGESTION_COUNT };
/* In the order of enum base_log_level. */
enum config_log_level {
	CONFIG_LOG_ERROR,
	CONFIG_LOG_WARNING,
	CONFIG_LOG_INFO,
	CONFIG_LOG_DEBUG,
	CONFIG_LOG_COUNT
};

struct config_port {
	char name[CONFIG_NAME_BYTES];     /* "" is "port" and its number */
	char device[CONFIG_DEVICE_BYTES]; /* PCI address or the arguments of a virtual device */
	uint16_t queues;                  /* 0: one for each shard, as far as the port has them */
	uint16_t receive_descriptors, send_descriptors;
	uint16_t mtu;  /* octets of an IP packet */
	uint16_t vlan; /* 0: no tag */
	bool promiscuous;
	bool checksum_offload;
	struct config_addresses addresses;
	struct config_addresses gateways;
};

struct config_shards {
	uint16_t count;
	struct config_numbers cpus; /* none: 0, 1, … in turn */
	uint16_t manager_cpu;
	uint16_t moves_max; /* connections on their way to another shard at once */
};

struct config_memory {
	bool hugepages;
	uint32_t megabytes;   /* taken at start for everything */
	uint32_t connections; /* of all shards together */
	uint32_t mbufs;       /* per CPU socket */
	uint32_t mailbox;     /* datagrams that wait for a shard at most */
	uint32_t streams, chunks, sent_chunks, requests, field_sections; /* of all shards together */
	uint32_t tls_heap_megabytes;
};

struct config_tls {
	char certificate[CONFIG_PATH_BYTES];
	char key[CONFIG_PATH_BYTES];
	struct config_words ciphers; /* enum config_cipher */
	struct config_words groups;  /* enum config_group; none: all that the library has */
	bool tickets;
	uint32_t ticket_lifetime_s;
};

/* Counts are per shard, or per connection as quic/limits.h has them. */
struct config_quic {
	uint32_t idle_timeout_ms, handshake_timeout_ms, initial_rtt_ms, max_ack_delay_ms;
	uint32_t handshakes_max, retry_above, stateless_per_s, resets_per_s;
	uint32_t token_lifetime_s;
	uint32_t streams_bidi_max, streams_uni_max;
	uint64_t connection_window_bytes, connection_window_max_bytes;
	uint64_t stream_window_bytes, stream_window_max_bytes;
	uint32_t stream_send_bytes, crypto_buffer_bytes;
	uint16_t chunks_received_max, datagrams_queued_max;
	uint16_t active_connection_ids, own_connection_ids;
	uint32_t move_dwell_ms;     /* between two moves of a connection */
	uint16_t move_give_up_ptos; /* for its client to switch connection IDs, */
	uint32_t move_give_up_ms;   /* and at most so long */
	uint16_t udp_payload_bytes;
	uint16_t datagram_bytes; /* largest DATAGRAM frame taken; 0: none */
	uint16_t send_budget;    /* packets of a connection per turn */
	uint16_t receive_budget; /* packets of a connection per burst; 0: any number */
	uint32_t segments_per_turn, chunks_in_stock;
	uint16_t ack_threshold;
	uint32_t congestion; /* enum config_congestion */
	uint16_t initial_window_packets;
	bool ecn;
	uint64_t key_update_packets; /* 0: only at the limit of the cipher */
	uint16_t gateway_id;         /* server ID in connection IDs */
};

/* Of each port on each shard, as net/neighbour.h has them. */
struct config_neighbours {
	uint16_t entries_max, incomplete_max, waiting_max, requests_per_s;
	uint32_t reachable_s, stale_s;
	bool learn_unsolicited;
};

struct config_idle {
	bool sleep;
	uint32_t spin_turns, pause_turns, sleep_min_us, sleep_max_us, sleep_long_us, long_after_ms;
};

/* In the order of enum quic_conn_id_mode. */
enum config_routing_mode { CONFIG_ROUTING_SEALED, CONFIG_ROUTING_CLEAR, CONFIG_ROUTING_COUNT };

struct config_routing {
	uint32_t mode; /* enum config_routing_mode */
};

/* As manager/policy.h has them. */
struct config_rebalance {
	bool enabled;
	uint32_t window_ms;
	uint32_t high_permille, low_permille; /* of the mean */
	uint32_t least_permille;              /* of a window */
	uint32_t windows, moves_per_s, moves_in_flight, dwell_ms;
	bool across_sockets;
};

struct config_control {
	char name[CONFIG_NAME_BYTES];
	uint32_t tick_ms, stuck_ms, stop_deadline_ms;
};

struct config_keys {
	char file[CONFIG_PATH_BYTES]; /* "": keys of this run only */
};

struct config {
	uint32_t port_count;
	struct config_port ports[CONFIG_PORTS_MAX];
	uint16_t listen_port; /* UDP */
	struct config_shards shards;
	struct config_memory memory;
	struct config_tls tls;
	struct config_quic quic;
	struct config_neighbours neighbours;
	struct config_http3 http3;
	struct config_services services;
	struct config_bus bus;
	uint32_t service_count;
	struct config_service service[CONFIG_SERVICES_MAX];
	struct config_files files;
	struct config_routing routing;
	struct config_rebalance rebalance;
	struct config_idle idle;
	uint32_t log_level; /* enum config_log_level */
	struct config_control control;
	struct config_keys keys;
	/* For sentences about what turns out to be wrong later. */
	struct {
		char file[CONFIG_PATH_BYTES];
		uint32_t service_lines[CONFIG_SERVICES_MAX];
	} origin;
};

/* What is compiled in: no port, and every other key's default. */
void config_defaults(struct config *config);
/*
 * Reads a file's text, `name` of which goes into the mistakes. False when there are any; *config is void
 * then.
 */
bool config_parse(struct config *config, const char *name, const char *text, size_t length,
	struct config_mistakes *mistakes);
/* As above, of a file. */
bool config_load(struct config *config, const char *file, struct config_mistakes *mistakes);
/*
 * Writes the configuration as TOML that config_parse() takes; `explain` puts the help of each key above it.
 */
void config_print(FILE *stream, const struct config *config, bool explain);
/* Defaults and one port as an example: what config/millrace.toml says. */
void config_example(struct config *config);

#endif
