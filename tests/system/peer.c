/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/system/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/time.h"
#include "tests/support/backend.h"
#include "tls/tls.h"

uint64_t
peer_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * BASE_SECOND + (uint64_t)now.tv_nsec;
}

void
peer_die(const char *sentence)
{
	fprintf(stderr, "client: %s\n", sentence);
	exit(EXIT_FAILURE);
}

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	if (memory == NULL)
		peer_die("there is no memory");
	return memset(memory, 0, bytes);
}

static struct base_address
address_of(const struct sockaddr_storage *from)
{
	struct base_address to = {.ip = {[10] = 0xff, [11] = 0xff}};
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)from;

	if (from->ss_family == AF_INET)
		memcpy(to.ip + 12, &ipv4->sin_addr, 4);
	else
		memcpy(to.ip, &ipv6->sin6_addr, 16);
	to.port = ntohs(from->ss_family == AF_INET ? ipv4->sin_port : ipv6->sin6_port);
	return to;
}

int
peer_socket(const char *host, const char *port, struct base_path *path)
{
	struct sockaddr_storage remote = {0}, local = {0};
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&remote;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&remote;
	socklen_t length = sizeof(local);
	int found;
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (inet_pton(AF_INET, host, &ipv4->sin_addr) == 1) {
		remote.ss_family = AF_INET;
		ipv4->sin_port = number;
	} else if (inet_pton(AF_INET6, host, &ipv6->sin6_addr) == 1) {
		remote.ss_family = AF_INET6;
		ipv6->sin6_port = number;
	} else {
		peer_die("the address is none");
	}
	found = socket(remote.ss_family, SOCK_DGRAM, 0);
	if (found < 0 || connect(found, (struct sockaddr *)&remote, sizeof(remote)) != 0 ||
		getsockname(found, (struct sockaddr *)&local, &length) != 0)
		peer_die("there is no way to the address");
	*path = (struct base_path){.local = address_of(&local), .remote = address_of(&remote)};
	return found;
}

static struct tls_context *
open_tls(const char *alpn)
{
	const struct tls_settings settings = {
		.role = TLS_CLIENT, .alpn = {alpn}, .alpn_count = 1, .verify = TLS_VERIFY_OFF};
	char sentence[TLS_SENTENCE_BYTES];
	struct tls_context *context = tls_context_open(&settings, (uint64_t)time(NULL), sentence);

	if (context == NULL)
		peer_die(sentence);
	return context;
}

void
peer_open(struct peer *peer, const char *alpn, uint32_t connections)
{
	const uint32_t elements[QUIC_POOL_COUNT] = {[QUIC_POOL_HANDSHAKE] = connections,
		[QUIC_POOL_STREAM] = 16 * connections,
		[QUIC_POOL_CHUNK] = 4096 + 64 * connections,
		[QUIC_POOL_SENT] = 1024 + 16 * connections};
	struct quic_endpoint_config config = {.limits = quic_limits_default(),
		.epoch = 1,
		.crypto = support_backend(),
		.tls_client = open_tls(alpn),
		.slots = &peer->slots};
	struct quic_slots_config slots = {.count = connections,
		.slot_bytes = quic_endpoint_slot_bytes(),
		.region_slots = connections,
		.shards = 1};
	struct quic_conn_id_config codec;

	config.limits.connections = config.limits.handshakes = connections;
	if (getrandom(&config.keys, sizeof(config.keys), 0) < 0 ||
		getrandom(config.entropy, sizeof(config.entropy), 0) < 0)
		peer_die("the kernel has no random octets");
	slots.regions[0] = taken((size_t)slots.count * slots.slot_bytes);
	quic_slots_init(&peer->slots, &slots, taken(quic_slots_memory_bytes(slots.count, 1)));
	for (int i = 0; i < QUIC_POOL_COUNT; i++)
		config.pools[i] =
			base_pool_open(NULL, quic_endpoint_pool_bytes((enum quic_pool)i), elements[i]);
	codec = quic_endpoint_conn_id_config(&config);
	quic_conn_id_codec_init(&peer->codec, config.crypto, &codec);
	peer->endpoint =
		quic_endpoint_open(taken(quic_endpoint_bytes(&config.limits)), &config, peer_now_ns());
}

struct base_datagram
peer_datagram(struct peer *peer, uint8_t *octets, size_t length, const struct base_path *path)
{
	struct base_datagram datagram = {
		.octets = octets, .length = (uint16_t)length, .path = *path, .slot = BASE_SLOT_NONE};
	const uint8_t *id = octets + ((octets[0] & 0x80) != 0 ? 6 : 1);
	struct quic_conn_id_fields fields;
	enum quic_conn_id_result result = QUIC_CONN_ID_MALFORMED;

	if (length > 6 + QUIC_CONN_ID_SEALED_BYTES)
		quic_conn_id_decode(&peer->codec, &id, &fields, &result, 1);
	if (result == QUIC_CONN_ID_OURS) {
		datagram.slot = fields.slot;
		datagram.generation = fields.generation;
		datagram.id_sequence = fields.sequence;
	}
	return datagram;
}

void
peer_pattern(uint64_t offset, uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		octets[i] = (uint8_t)((offset + i) % PEER_PATTERN);
}

bool
peer_is_pattern(uint64_t offset, const uint8_t *octets, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (octets[i] != (offset + i) % PEER_PATTERN)
			return false;
	return true;
}
