/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { SECTION_BYTES = 4096, ELEMENTS = 256 };

static const uint64_t file_bytes[TRAFFIC_FILES] = {0, 1, 1177, 16384, 100001, 700003};

static void *
taken(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);

	base_assert(memory != NULL);
	return memory;
}

static void
fill_set(struct traffic *traffic)
{
	uint64_t total = 0;
	size_t bytes;

	for (int i = 0; i < TRAFFIC_FILES; i++)
		total += file_bytes[i];
	bytes = file_set_bytes(TRAFFIC_FILES, total, 8 * TRAFFIC_FILES);
	traffic->set_memory = taken(bytes);
	traffic->set = file_set_open(traffic->set_memory, bytes, TRAFFIC_FILES);
	for (int i = 0; i < TRAFFIC_FILES; i++) {
		const char path[] = {'/', (char)('a' + i), '.', 'b', 'i', 'n', 0};
		uint8_t *place = file_set_add(traffic->set, path, file_bytes[i]);

		base_assert(place != NULL);
		for (uint64_t k = 0; k < file_bytes[i]; k++)
			place[k] = (uint8_t)(k * 13 + k / 253 + (uint64_t)i);
	}
	file_set_seal(traffic->set, traffic->coder);
}

static void
open_http3(struct traffic *traffic, enum world_side side)
{
	struct http3_config config = {.limits = {.section_bytes = SECTION_BYTES, .grease = 3}};

	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		traffic->http3_pools[side][i] =
			base_pool_open(NULL, http3_pool_bytes((enum http3_pool)i, &config.limits), ELEMENTS);
		config.pools[i] = traffic->http3_pools[side][i];
	}
	traffic->http3_memory[side] = taken(http3_bytes(&config.limits));
	traffic->http3[side] = http3_open(traffic->http3_memory[side], &config);
}

static void
open_services(struct traffic *traffic)
{
	const struct service_handler files = {
		.path = "/", .ops = &service_files_ops, .instance = &traffic->files};

	service_files_init(&traffic->files, traffic->set, http3_qpack(traffic->http3[WORLD_SERVER]));
	service_h3_init(&traffic->h3, traffic->http3[WORLD_SERVER]);
	base_assert(service_h3_add(&traffic->h3, &files) == SERVICE_OK);
	traffic->hq_conns = base_pool_open(NULL, service_hq_conn_bytes(), ELEMENTS);
	traffic->hq_requests = base_pool_open(NULL, service_hq_request_bytes(), ELEMENTS);
	service_hq_init(&traffic->hq, traffic->set, traffic->hq_conns, traffic->hq_requests);
	base_assert(service_add(&traffic->services, &service_h3_ops, &traffic->h3) == SERVICE_OK);
	base_assert(service_add(&traffic->services, &service_hq_ops, &traffic->hq) == SERVICE_OK);
	base_assert(service_add(&traffic->services, &service_echo_ops, &traffic->echo) == SERVICE_OK);
}

static void
on_event(struct world *world, enum world_side side, const struct quic_event *event)
{
	struct traffic *traffic = world->config.user;

	if (side == WORLD_SERVER)
		service_dispatch(&traffic->services, event);
	else
		traffic_client_event(traffic, event);
}

void
traffic_open(struct traffic *traffic, const char *alpn, const struct world_config *config)
{
	struct world_config ours = *config;

	memset(traffic, 0, sizeof(*traffic));
	ours.alpn = alpn;
	ours.user = traffic;
	ours.on_event = on_event;
	traffic->alpn = alpn;
	traffic->coder = taken(http3_qpack_bytes(SECTION_BYTES));
	http3_qpack_open(traffic->coder, SECTION_BYTES);
	fill_set(traffic);
	open_http3(traffic, WORLD_CLIENT);
	open_http3(traffic, WORLD_SERVER);
	open_services(traffic);
	world_open(&traffic->world, &ours);
}

void
traffic_close(struct traffic *traffic)
{
	base_assert(world_drain(&traffic->world));
	world_close(&traffic->world);
	base_assert(traffic->files.use.references == 0 && traffic->hq.use.references == 0);
	for (int side = 0; side < WORLD_SIDES; side++) {
		for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
			base_assert(traffic->http3_pools[side][i]->in_use == 0);
			base_pool_close(traffic->http3_pools[side][i]);
		}
		free(traffic->http3_memory[side]);
	}
	base_assert(traffic->hq_conns->in_use == 0 && traffic->hq_requests->in_use == 0);
	base_pool_close(traffic->hq_conns);
	base_pool_close(traffic->hq_requests);
	free(traffic->set_memory);
	free(traffic->coder);
}

void
traffic_add_client(struct traffic *traffic)
{
	struct traffic_client *client = &traffic->clients[traffic->client_count];

	base_assert(traffic->client_count < TRAFFIC_CLIENTS);
	client->traffic = traffic;
	client->handle = world_connect(&traffic->world, traffic->client_count++, client);
}

void
traffic_want(struct traffic *traffic, uint32_t total, uint32_t at_once)
{
	traffic->fetches_wanted = total;
	traffic->at_once = at_once;
	for (uint32_t i = 0; i < traffic->client_count; i++)
		if (traffic->clients[i].connected)
			traffic_begin_fetches(&traffic->clients[i]);
}

bool
traffic_connected(struct world *world)
{
	const struct traffic *traffic = world->config.user;
	uint32_t count = 0;

	for (uint32_t i = 0; i < traffic->client_count; i++)
		count += traffic->clients[i].connected;
	return count == traffic->client_count;
}

bool
traffic_done(struct world *world)
{
	const struct traffic *traffic = world->config.user;

	for (uint32_t i = 0; i < traffic->client_count; i++)
		if (traffic->clients[i].ended < traffic->fetches_wanted)
			return false;
	return true;
}
