/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/neighbour.h"

#include <string.h>

#include "base/assert.h"
#include "base/random.h"

enum { NONE = UINT16_MAX, MARK_RESOLVED = UINT16_MAX - 1, MARK_FAILED = UINT16_MAX - 2 };
enum { REQUEST_BURST = 16 }; /* requests that may go out at once under the rate limit */

const struct net_neighbour_config net_neighbour_defaults = {.capacity = 256,
	.incomplete_max = 32,
	.waiting_max = 4,
	.requests_per_second = 50,
	.resolver = true,
	.reachable_ns = 30 * BASE_SECOND,
	.retry_ns = BASE_SECOND,
	.stale_ns = 600 * BASE_SECOND};

void
net_neighbours_init(
	struct net_neighbours *table, const struct net_neighbour_config *config, uint64_t *counters)
{
	base_assert(config->capacity > 0 && config->capacity <= NET_NEIGHBOURS_MAX);
	base_assert(config->requests_per_second > 0 && config->retry_ns > 0);
	memset(table, 0, sizeof(*table));
	table->config = *config;
	table->counters = counters;
	memset(table->recent, 0xff, sizeof(table->recent)); /* NONE */
	table->deadline_ns = BASE_NEVER;
	for (unsigned i = 0; i < NET_NEIGHBOUR_BUCKETS; i++)
		table->buckets[i] = NONE;
	for (unsigned i = 0; i < config->capacity; i++)
		table->entries[i].next = i + 1 < config->capacity ? (uint16_t)(i + 1) : NONE;
}

static uint16_t *
bucket_of(struct net_neighbours *table, const uint8_t ip[16])
{
	return &table->buckets[base_siphash(table->config.hash_key, ip, 16) % NET_NEIGHBOUR_BUCKETS];
}

static uint16_t
index_of(const struct net_neighbours *table, const struct net_neighbour *entry)
{
	return (uint16_t)(entry - table->entries);
}

static struct net_neighbour *
find(struct net_neighbours *table, const uint8_t ip[16])
{
	uint16_t *recent = &table->recent[(ip[15] ^ ip[14] ^ ip[11]) % NET_NEIGHBOUR_RECENT];
	uint16_t at = *recent;

	if (at != NONE && memcmp(table->entries[at].ip, ip, 16) == 0)
		return &table->entries[at];
	for (at = *bucket_of(table, ip); at != NONE; at = table->entries[at].next) {
		if (memcmp(table->entries[at].ip, ip, 16) == 0) {
			*recent = at;
			return &table->entries[at];
		}
	}
	return NULL;
}

static void
arm(struct net_neighbours *table, struct net_neighbour *entry, uint64_t deadline_ns)
{
	entry->deadline_ns = deadline_ns;
	table->deadline_ns = base_time_earlier(table->deadline_ns, deadline_ns);
}

static void
post_update(struct net_neighbours *table, enum net_neighbour_kind kind, const uint8_t ip[16],
	const uint8_t mac[NET_MAC_BYTES], bool reply)
{
	struct net_neighbour_update *update;

	if (table->update_count == NET_NEIGHBOUR_UPDATES_MAX) {
		table->counters[NET_NEIGHBOUR_UPDATES_LOST]++;
		return;
	}
	update = &table->updates[(table->update_head + table->update_count++) % NET_NEIGHBOUR_UPDATES_MAX];
	*update = (struct net_neighbour_update){.kind = kind, .reply = reply};
	memcpy(update->ip, ip, 16);
	if (mac != NULL)
		memcpy(update->mac, mac, NET_MAC_BYTES);
}

/* A bucket of REQUEST_BURST tokens, kept as the time at which it would be full. */
static bool
take_token(struct net_neighbours *table, uint64_t now_ns)
{
	uint64_t interval_ns = BASE_SECOND / table->config.requests_per_second;

	if (table->tokens_ns > now_ns + (REQUEST_BURST - 1) * interval_ns) {
		table->counters[NET_NEIGHBOUR_RATE]++;
		return false;
	}
	table->tokens_ns = (table->tokens_ns > now_ns ? table->tokens_ns : now_ns) + interval_ns;
	return true;
}

/* The resolver asks on the wire, first the neighbour alone if its address is known; a copy asks the resolver. */
static void
ask(struct net_neighbours *table, struct net_neighbour *entry, uint64_t now_ns)
{
	struct net_neighbour_request *request;

	entry->tries += entry->tries < UINT8_MAX;
	arm(table, entry, now_ns + table->config.retry_ns);
	if (!table->config.resolver) {
		post_update(table, NET_NEIGHBOUR_WANTED, entry->ip, NULL, false);
		return;
	}
	if (table->request_count == NET_NEIGHBOUR_REQUESTS_MAX) {
		table->counters[NET_NEIGHBOUR_RATE]++;
		return;
	}
	request =
		&table->requests[(table->request_head + table->request_count++) % NET_NEIGHBOUR_REQUESTS_MAX];
	request->known = entry->state == NET_NEIGHBOUR_PROBE && entry->tries == 1;
	memcpy(request->ip, entry->ip, 16);
	memcpy(request->mac, entry->mac, NET_MAC_BYTES);
}

static void
release_waiting(struct net_neighbours *table, struct net_neighbour *entry, uint16_t mark)
{
	uint16_t index = index_of(table, entry);

	for (uint16_t i = 0; entry->waiting > 0 && i < table->waiting_count; i++) {
		if (table->waiting[i].entry != index)
			continue;
		table->waiting[i].entry = mark;
		entry->waiting--;
		table->released_count++;
	}
}

static void
remove_entry(struct net_neighbours *table, struct net_neighbour *entry)
{
	uint16_t index = index_of(table, entry);
	uint16_t *link = bucket_of(table, entry->ip);

	release_waiting(table, entry, MARK_FAILED);
	while (*link != index)
		link = &table->entries[*link].next;
	*link = entry->next;
	table->incomplete -= entry->state == NET_NEIGHBOUR_INCOMPLETE;
	table->in_use--;
	for (unsigned i = 0; i < NET_NEIGHBOUR_RECENT; i++)
		if (table->recent[i] == index)
			table->recent[i] = NONE;
	memset(entry, 0, sizeof(*entry));
	entry->next = table->free;
	table->free = index;
}

/* The one that was used longest ago gives way; pinned and static ones never do. */
static bool
evict(struct net_neighbours *table, bool incomplete)
{
	struct net_neighbour *oldest = NULL;

	for (unsigned i = 0; i < table->config.capacity; i++) {
		struct net_neighbour *entry = &table->entries[i];

		if (entry->state == NET_NEIGHBOUR_FREE || entry->state == NET_NEIGHBOUR_STATIC ||
			entry->pinned)
			continue;
		if (incomplete && entry->state != NET_NEIGHBOUR_INCOMPLETE)
			continue;
		if (oldest == NULL || entry->used_ns < oldest->used_ns)
			oldest = entry;
	}
	if (oldest == NULL)
		return false;
	table->counters[NET_NEIGHBOUR_EVICTED]++;
	remove_entry(table, oldest);
	return true;
}

static struct net_neighbour *
create(struct net_neighbours *table, const uint8_t ip[16], enum net_neighbour_state state, uint64_t now_ns)
{
	bool incomplete = state == NET_NEIGHBOUR_INCOMPLETE;
	uint16_t *bucket = bucket_of(table, ip);
	struct net_neighbour *entry;

	if (incomplete && table->incomplete >= table->config.incomplete_max && !evict(table, true))
		return NULL;
	if (table->free == NONE && !evict(table, false))
		return NULL;
	entry = &table->entries[table->free];
	table->free = entry->next;
	*entry = (struct net_neighbour){.state = (uint8_t)state, .next = *bucket, .used_ns = now_ns};
	entry->deadline_ns = BASE_NEVER;
	memcpy(entry->ip, ip, 16);
	*bucket = index_of(table, entry);
	table->in_use++;
	table->incomplete += incomplete;
	return entry;
}

bool
net_neighbours_add_static(
	struct net_neighbours *table, const uint8_t ip[16], const uint8_t mac[NET_MAC_BYTES])
{
	struct net_neighbour *entry = find(table, ip);

	if (entry != NULL)
		remove_entry(table, entry);
	entry = create(table, ip, NET_NEIGHBOUR_STATIC, 0);
	if (entry == NULL)
		return false;
	memcpy(entry->mac, mac, NET_MAC_BYTES);
	return true;
}

bool
net_neighbours_pin(struct net_neighbours *table, const uint8_t ip[16], uint64_t now_ns)
{
	struct net_neighbour *entry = find(table, ip);

	if (entry == NULL) {
		entry = create(table, ip, NET_NEIGHBOUR_INCOMPLETE, now_ns);
		if (entry == NULL)
			return false;
		ask(table, entry, now_ns);
	}
	entry->pinned = true;
	return true;
}

static void
probe(struct net_neighbours *table, struct net_neighbour *entry, uint64_t now_ns)
{
	entry->state = NET_NEIGHBOUR_PROBE;
	entry->tries = 0;
	ask(table, entry, now_ns);
}

const uint8_t *
net_neighbours_resolve(struct net_neighbours *table, const uint8_t ip[16], uint64_t now_ns, uint16_t *index)
{
	struct net_neighbour *entry = find(table, ip);

	*index = NONE;
	if (entry == NULL) {
		if (!take_token(table, now_ns))
			return NULL;
		entry = create(table, ip, NET_NEIGHBOUR_INCOMPLETE, now_ns);
		if (entry == NULL)
			return NULL;
		ask(table, entry, now_ns);
	}
	entry->used_ns = now_ns;
	*index = index_of(table, entry);
	if (entry->state == NET_NEIGHBOUR_INCOMPLETE)
		return NULL;
	if (entry->state == NET_NEIGHBOUR_STALE && take_token(table, now_ns))
		probe(table, entry, now_ns);
	return entry->mac;
}

bool
net_neighbours_hold(struct net_neighbours *table, uint16_t index, const struct base_datagram *datagram)
{
	struct net_neighbour *entry;

	if (index >= table->config.capacity || table->waiting_count == NET_NEIGHBOUR_WAITING_MAX)
		return false;
	entry = &table->entries[index];
	if (entry->state != NET_NEIGHBOUR_INCOMPLETE || entry->waiting >= table->config.waiting_max)
		return false;
	table->waiting[table->waiting_count].entry = index;
	table->waiting[table->waiting_count++].datagram = *datagram;
	entry->waiting++;
	return true;
}

bool
net_neighbours_next_released(struct net_neighbours *table, struct base_datagram *datagram, bool *resolved)
{
	if (table->released_count == 0)
		return false;
	for (uint16_t i = 0; i < table->waiting_count; i++) {
		if (table->waiting[i].entry != MARK_RESOLVED && table->waiting[i].entry != MARK_FAILED)
			continue;
		*resolved = table->waiting[i].entry == MARK_RESOLVED;
		*datagram = table->waiting[i].datagram;
		table->released_count--;
		table->waiting_count--;
		memmove(&table->waiting[i], &table->waiting[i + 1],
			(size_t)(table->waiting_count - i) * sizeof(table->waiting[0]));
		return true;
	}
	base_assert(false);
	return false;
}

static void
believe(struct net_neighbours *table, struct net_neighbour *entry, const uint8_t mac[NET_MAC_BYTES],
	uint64_t now_ns)
{
	if (entry->state == NET_NEIGHBOUR_INCOMPLETE) {
		table->incomplete--;
		table->counters[NET_NEIGHBOUR_RESOLVED]++;
		release_waiting(table, entry, MARK_RESOLVED);
	}
	memcpy(entry->mac, mac, NET_MAC_BYTES);
	entry->state = NET_NEIGHBOUR_REACHABLE;
	entry->tries = 0;
	arm(table, entry, now_ns + table->config.reachable_ns);
	if (table->config.resolver)
		post_update(table, NET_NEIGHBOUR_ANNOUNCED, entry->ip, entry->mac, false);
}

static void
on_heard(struct net_neighbours *table, const struct net_neighbour_update *update, uint64_t now_ns)
{
	struct net_neighbour *entry = find(table, update->ip);
	bool same, asked;

	if (entry == NULL) {
		table->counters[NET_NEIGHBOUR_UNSOLICITED]++;
		if (table->config.learn_unsolicited) {
			entry = create(table, update->ip, NET_NEIGHBOUR_STALE, now_ns);
			if (entry != NULL)
				believe(table, entry, update->mac, now_ns);
		}
		return;
	}
	if (entry->state == NET_NEIGHBOUR_STATIC)
		return;
	asked = entry->state == NET_NEIGHBOUR_INCOMPLETE || entry->state == NET_NEIGHBOUR_PROBE;
	if ((asked && update->reply) || table->config.learn_unsolicited) {
		believe(table, entry, update->mac, now_ns);
		return;
	}
	table->counters[NET_NEIGHBOUR_UNSOLICITED]++;
	same = memcmp(entry->mac, update->mac, NET_MAC_BYTES) == 0;
	if (asked || same)
		return;
	/* A neighbour may have a new card, or someone lies: the neighbour itself is asked. */
	table->counters[NET_NEIGHBOUR_CONFLICT]++;
	if (take_token(table, now_ns))
		probe(table, entry, now_ns);
}

static void
on_wanted(struct net_neighbours *table, const struct net_neighbour_update *update, uint64_t now_ns)
{
	uint16_t index;
	const uint8_t *mac = net_neighbours_resolve(table, update->ip, now_ns, &index);

	if (mac != NULL)
		post_update(table, NET_NEIGHBOUR_ANNOUNCED, update->ip, mac, false);
}

static void
give_up(struct net_neighbours *table, struct net_neighbour *entry)
{
	table->counters[NET_NEIGHBOUR_FAILED]++;
	if (table->config.resolver)
		post_update(table, NET_NEIGHBOUR_GONE, entry->ip, NULL, false);
	if (entry->pinned)
		release_waiting(table, entry, MARK_FAILED);
	else
		remove_entry(table, entry);
}

static void
on_verdict(struct net_neighbours *table, const struct net_neighbour_update *update, uint64_t now_ns)
{
	struct net_neighbour *entry = find(table, update->ip);

	if (entry != NULL && entry->state == NET_NEIGHBOUR_STATIC)
		return;
	if (update->kind == NET_NEIGHBOUR_GONE) {
		if (entry != NULL)
			give_up(table, entry);
		return;
	}
	if (entry == NULL)
		entry = create(table, update->ip, NET_NEIGHBOUR_STALE, now_ns);
	if (entry != NULL)
		believe(table, entry, update->mac, now_ns);
}

void
net_neighbours_import(
	struct net_neighbours *table, const struct net_neighbour_update *update, uint64_t now_ns)
{
	bool for_resolver = update->kind == NET_NEIGHBOUR_WANTED || update->kind == NET_NEIGHBOUR_HEARD;

	if (for_resolver != table->config.resolver) {
		/* Heard here, but for the resolver to judge; anything else has lost its way. */
		if (update->kind == NET_NEIGHBOUR_HEARD)
			post_update(table, NET_NEIGHBOUR_HEARD, update->ip, update->mac, update->reply);
		return;
	}
	if (update->kind == NET_NEIGHBOUR_HEARD)
		on_heard(table, update, now_ns);
	else if (update->kind == NET_NEIGHBOUR_WANTED)
		on_wanted(table, update, now_ns);
	else
		on_verdict(table, update, now_ns);
}

bool
net_neighbours_next_update(struct net_neighbours *table, struct net_neighbour_update *update)
{
	if (table->update_count == 0)
		return false;
	*update = table->updates[table->update_head];
	table->update_head = (table->update_head + 1) % NET_NEIGHBOUR_UPDATES_MAX;
	table->update_count--;
	return true;
}

bool
net_neighbours_next_request(struct net_neighbours *table, struct net_neighbour_request *request)
{
	if (table->request_count == 0)
		return false;
	*request = table->requests[table->request_head];
	table->request_head = (table->request_head + 1) % NET_NEIGHBOUR_REQUESTS_MAX;
	table->request_count--;
	return true;
}

static void
expire_entry(struct net_neighbours *table, struct net_neighbour *entry, uint64_t now_ns)
{
	switch (entry->state) {
	case NET_NEIGHBOUR_REACHABLE:
		if (entry->pinned) {
			probe(table, entry, now_ns);
			return;
		}
		entry->state = NET_NEIGHBOUR_STALE;
		arm(table, entry, now_ns + table->config.stale_ns);
		return;
	case NET_NEIGHBOUR_STALE:
		if (entry->used_ns + table->config.stale_ns > now_ns)
			arm(table, entry, entry->used_ns + table->config.stale_ns);
		else
			remove_entry(table, entry);
		return;
	default:
		if (entry->tries == NET_NEIGHBOUR_TRIES) {
			bool kept = entry->pinned;

			give_up(table, entry);
			if (!kept)
				return;
		}
		/* A gateway that is silent keeps the address it had: there is no other. */
		if (entry->pinned || take_token(table, now_ns))
			ask(table, entry, now_ns);
		else
			arm(table, entry, now_ns + table->config.retry_ns);
	}
}

void
net_neighbours_expire(struct net_neighbours *table, uint64_t now_ns)
{
	if (table->deadline_ns > now_ns)
		return;
	table->deadline_ns = BASE_NEVER;
	for (unsigned i = 0; i < table->config.capacity; i++) {
		struct net_neighbour *entry = &table->entries[i];

		if (entry->state == NET_NEIGHBOUR_FREE)
			continue;
		if (entry->deadline_ns <= now_ns)
			expire_entry(table, entry, now_ns);
		if (entry->state != NET_NEIGHBOUR_FREE)
			table->deadline_ns = base_time_earlier(table->deadline_ns, entry->deadline_ns);
	}
}

void
net_neighbours_check(const struct net_neighbours *table)
{
	unsigned chained = 0, incomplete = 0, waiting = 0, marked = 0;

	for (unsigned i = 0; i < NET_NEIGHBOUR_BUCKETS; i++) {
		for (uint16_t at = table->buckets[i]; at != NONE; at = table->entries[at].next) {
			const struct net_neighbour *entry = &table->entries[at];

			base_assert(entry->state != NET_NEIGHBOUR_FREE);
			base_assert(entry->waiting == 0 || entry->state == NET_NEIGHBOUR_INCOMPLETE);
			base_assert(entry->deadline_ns >= table->deadline_ns);
			incomplete += entry->state == NET_NEIGHBOUR_INCOMPLETE;
			waiting += entry->waiting;
			chained++;
		}
	}
	for (unsigned i = 0; i < table->waiting_count; i++)
		marked += table->waiting[i].entry >= MARK_FAILED;
	base_assert(chained == table->in_use && chained <= table->config.capacity);
	base_assert(incomplete == table->incomplete);
	base_assert(marked == table->released_count && waiting + marked == table->waiting_count);
}
