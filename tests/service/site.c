/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "site.h"

#include <stdlib.h>
#include <string.h>

enum { SECTION_BYTES = 4096, POOL_ELEMENTS = 16 };

static void
fill_set(struct site *site)
{
	static const char *const paths[] = {"/index.html", "/empty.txt", "/dir/big.bin"};
	size_t bytes = file_set_bytes(3, sizeof(SITE_INDEX) - 1 + SITE_BIG_BYTES, 64);
	uint8_t *place;

	site->set_memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	site->set = file_set_open(site->set_memory, bytes, 3);
	memcpy(file_set_add(site->set, paths[0], sizeof(SITE_INDEX) - 1), SITE_INDEX, sizeof(SITE_INDEX) - 1);
	assert_non_null(file_set_add(site->set, paths[1], 0));
	place = file_set_add(site->set, paths[2], SITE_BIG_BYTES);
	assert_non_null(place);
	for (size_t i = 0; i < SITE_BIG_BYTES; i++)
		place[i] = (uint8_t)(i * 7 + i / 256);
	file_set_seal(site->set, site->coder);
}

struct site *
site_open(const char *alpn)
{
	struct site *site = calloc(1, sizeof(*site));
	struct http3_config config = {.limits = {.section_bytes = SECTION_BYTES}};

	site->coder = aligned_alloc(64, http3_qpack_bytes(SECTION_BYTES));
	http3_qpack_open(site->coder, SECTION_BYTES);
	fill_set(site);
	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		site->pools[i] = base_pool_open(
			NULL, http3_pool_bytes((enum http3_pool)i, &config.limits), POOL_ELEMENTS);
		config.pools[i] = site->pools[i];
	}
	site->http3_memory = aligned_alloc(64, http3_bytes(&config.limits));
	site->http3 = http3_open(site->http3_memory, &config);
	service_files_init(&site->files, site->set, http3_qpack(site->http3));
	service_h3_init(&site->h3, site->http3);
	assert_int_equal(service_h3_add(&site->h3,
				 &(struct service_handler){
					 .path = "/", .ops = &service_files_ops, .instance = &site->files}),
		SERVICE_OK);
	site->hq_conns = base_pool_open(NULL, service_hq_conn_bytes(), POOL_ELEMENTS);
	site->hq_requests = base_pool_open(NULL, service_hq_request_bytes(), POOL_ELEMENTS);
	service_hq_init(&site->hq, site->set, site->hq_conns, site->hq_requests);
	assert_int_equal(service_add(&site->services, &service_h3_ops, &site->h3), SERVICE_OK);
	assert_int_equal(service_add(&site->services, &service_hq_ops, &site->hq), SERVICE_OK);
	assert_int_equal(service_add(&site->services, &service_echo_ops, &site->echo), SERVICE_OK);
	site->quic = fake_open(true, alpn);
	site_event(site, QUIC_EVENT_CONNECTED, 0);
	return site;
}

void
site_close(struct site *site)
{
	site_event(site, QUIC_EVENT_CLOSED, 0);
	assert_int_equal(site->files.use.references, 0);
	assert_int_equal(site->hq.use.references, 0);
	for (int i = 0; i < HTTP3_POOL_COUNT; i++) {
		assert_int_equal(site->pools[i]->in_use, 0);
		base_pool_close(site->pools[i]);
	}
	assert_int_equal(site->hq_conns->in_use, 0);
	assert_int_equal(site->hq_requests->in_use, 0);
	base_pool_close(site->hq_conns);
	base_pool_close(site->hq_requests);
	fake_close(site->quic);
	free(site->set_memory);
	free(site->http3_memory);
	free(site->coder);
	free(site);
}

void
site_event(struct site *site, enum quic_event_type type, uint64_t stream_id)
{
	struct quic_event event = fake_event(site->quic, type, stream_id);

	service_dispatch(&site->services, &event);
}

void
site_deliver(struct site *site, uint64_t stream_id, const void *octets, size_t length, bool fin)
{
	fake_deliver(site->quic, stream_id, octets, length, fin);
	site_event(site, QUIC_EVENT_STREAM_READABLE, stream_id);
}
