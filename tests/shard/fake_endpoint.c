/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/shard/fake_endpoint.h"

#include <string.h>

#include "base/time.h"
#include "quic/conn.h"
#include "quic/move.h"
#include "service/service.h"
#include "tls/tls.h"

struct quic_endpoint *fake_endpoints[64];
struct quic_conn *fake_conn;
bool fake_conn_open, fake_detach_closes;
uint32_t fake_attached;

uint32_t
quic_endpoint_pool_bytes(enum quic_pool pool)
{
	return 64;
}

uint32_t
quic_endpoint_slot_bytes(void)
{
	return 64;
}

size_t
quic_endpoint_bytes(const struct quic_limits *limits)
{
	return sizeof(struct quic_endpoint);
}

struct quic_endpoint *
quic_endpoint_open(void *memory, const struct quic_endpoint_config *config, uint64_t now_ns)
{
	struct quic_endpoint *endpoint = memory;

	*endpoint = (struct quic_endpoint){.shard = config->shard};
	fake_endpoints[config->shard] = endpoint;
	return endpoint;
}

void
quic_endpoint_close(struct quic_endpoint *endpoint)
{
	fake_endpoints[endpoint->shard] = NULL;
}

void
quic_endpoint_receive(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns)
{
	endpoint->received += batch->count;
	endpoint->last = batch->datagrams[batch->count - 1];
}

void
quic_endpoint_expire(struct quic_endpoint *endpoint, uint64_t now_ns)
{
	if (endpoint->on_expire != NULL)
		endpoint->on_expire(endpoint->with);
	endpoint->on_expire = NULL;
}

bool
quic_endpoint_next_event(struct quic_endpoint *endpoint, struct quic_event *event)
{
	if (endpoint->events == 0)
		return false;
	endpoint->events--;
	return true;
}

uint16_t
quic_endpoint_send(struct quic_endpoint *endpoint, struct base_batch *batch, uint64_t now_ns)
{
	uint16_t filled = 0;

	endpoint->asked++;
	for (; endpoint->to_send > 0 && batch->count < batch->capacity; endpoint->to_send--, filled++) {
		struct base_datagram *datagram = &batch->datagrams[batch->count++];

		memset(datagram->octets, 0x40, endpoint->length);
		datagram->length = endpoint->length;
		datagram->path = endpoint->last.path;
	}
	return filled;
}

uint64_t
quic_endpoint_deadline(const struct quic_endpoint *endpoint)
{
	return endpoint->to_send > 0 ? 0 : BASE_NEVER;
}

void
quic_endpoint_stop_accepting(struct quic_endpoint *endpoint)
{
	endpoint->stopped = true;
}

void
quic_endpoint_resume_accepting(struct quic_endpoint *endpoint)
{
	endpoint->stopped = false;
}

void
quic_endpoint_close_all(
	struct quic_endpoint *endpoint, uint64_t error_code, bool application, uint64_t now_ns)
{
	endpoint->closed_all = true;
	endpoint->connections = 0;
}

uint32_t
quic_endpoint_connections(const struct quic_endpoint *endpoint)
{
	return endpoint->connections;
}

bool
quic_endpoint_next_switched(struct quic_endpoint *endpoint, struct quic_conn **conn, uint16_t *target)
{
	bool switched = endpoint != NULL && endpoint->switched;

	if (!switched)
		return false;
	endpoint->switched = false;
	*conn = &endpoint->conn;
	*target = endpoint->switched_to;
	return true;
}

struct quic_conn *
quic_endpoint_find(struct quic_endpoint *endpoint, struct quic_handle handle)
{
	if (endpoint != NULL && endpoint->has_conn && endpoint->conn.handle.slot == handle.slot &&
		endpoint->conn.handle.generation == handle.generation)
		return &endpoint->conn;
	return fake_conn;
}

void
quic_endpoint_detach(struct quic_endpoint *endpoint, struct quic_conn *conn, uint16_t target)
{
	endpoint->detached++;
}

struct quic_conn *
quic_endpoint_attach(struct quic_endpoint *endpoint, struct quic_handle handle, uint64_t now_ns)
{
	return NULL;
}

enum quic_move_verdict
quic_conn_move_begin(struct quic_conn *conn, uint16_t target, uint64_t now_ns)
{
	return QUIC_MOVE_BEGUN;
}

enum quic_move_state
quic_conn_move_state(const struct quic_conn *conn)
{
	return QUIC_MOVE_NONE;
}

void
quic_conn_move_stay(struct quic_conn *conn)
{
}

bool
quic_conn_is_open(const struct quic_conn *conn)
{
	return fake_conn_open;
}

struct quic_handle
quic_conn_handle(const struct quic_conn *conn)
{
	return conn == fake_conn ? (struct quic_handle){.slot = BASE_SLOT_NONE} : conn->handle;
}

void
quic_conn_close(struct quic_conn *conn, uint64_t error_code, const char *reason)
{
}

const char *
quic_move_text(enum quic_move_verdict verdict)
{
	return "";
}

struct base_counters
quic_endpoint_counters(const struct quic_endpoint *endpoint)
{
	return (struct base_counters){.library = "quic"};
}

uint8_t
service_number(const struct quic_conn *conn)
{
	return 0;
}

void
service_dispatch(struct service_set *set, const struct quic_event *event)
{
}

bool
service_can_move(struct service_set *set, struct quic_conn *conn)
{
	return true;
}

void
service_detach(struct service_set *set, struct quic_conn *conn)
{
	if (fake_detach_closes)
		fake_conn_open = false;
}

void
service_attach(struct service_set *set, struct quic_conn *conn)
{
	fake_attached++;
}

void
service_shutdown(struct service_set *set)
{
}

struct tls_memory *
tls_memory_bind(struct tls_memory *memory)
{
	return NULL;
}

void
tls_context_set_time(struct tls_context *context, uint64_t unix_s)
{
}

bool
quic_conn_movable(const struct quic_conn *conn, uint64_t now_ns)
{
	return false;
}

uint64_t
quic_conn_moved_ns(const struct quic_conn *conn)
{
	return 0;
}

uint64_t
quic_conn_settled_ns(const struct quic_conn *conn)
{
	return conn->settled_ns;
}

void
quic_conn_settle(struct quic_conn *conn, uint64_t as_of_ns)
{
	conn->settled_ns = as_of_ns;
}

const struct base_path *
quic_conn_path(const struct quic_conn *conn)
{
	return &conn->path;
}

uint16_t
quic_conn_port_index(const struct quic_conn *conn)
{
	return 0;
}

bool
quic_endpoint_has_initial(const struct quic_endpoint *endpoint, uint64_t key)
{
	return key == endpoint->initial_key;
}

struct quic_conn *
quic_endpoint_next_repathed(struct quic_endpoint *endpoint, uint32_t *lost)
{
	bool repathed = endpoint->repathed;

	endpoint->repathed = false;
	*lost += endpoint->repathed_lost;
	endpoint->repathed_lost = 0;
	return repathed ? &endpoint->conn : NULL;
}
