/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A service of somebody else's: built by a test with nothing but millrace/service.h and a compiler, and loaded from where it lies. It speaks
 * in lines on one stream of each connection, counts them, and answers "WORD NUMBER …":
 *
 *   who            what is known of the connection: lines, shard, how often it was detached and attached, its handle
 *   hold, free     it may not move from now on; it may
 *   post SLOT GENERATION TEXT, join TOPIC, say TOPIC TEXT, all TEXT (to every instance), log TEXT
 *
 * What comes by post or topic is written as "heard TEXT".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <millrace/service.h>

enum { LINE_BYTES = 120 };

/* More than one answer of telemetry holds: the last one counts lines, too. */
enum { LINES, DETACHED, ATTACHED, POSTS, MANY, LAST = MANY + 299, COUNTERS };
#define TEN(n)                                                                                          \
	"many_" #n "0", "many_" #n "1", "many_" #n "2", "many_" #n "3", "many_" #n "4", "many_" #n "5", \
		"many_" #n "6", "many_" #n "7", "many_" #n "8", "many_" #n "9"
static const char *const counter_names[] = {"lines", "detached", "attached", "posts", TEN(0), TEN(1), TEN(2),
	TEN(3), TEN(4), TEN(5), TEN(6), TEN(7), TEN(8), TEN(9), TEN(10), TEN(11), TEN(12), TEN(13), TEN(14),
	TEN(15), TEN(16), TEN(17), TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23), TEN(24), TEN(25),
	TEN(26), TEN(27), TEN(28), TEN(29)};

struct tally {
	struct millrace_shard *shard;
	const struct millrace_calls *calls;
	char greeting[32];
	uint64_t counters[COUNTERS];
};

/* Moves along, so it has no pointer into the instance. */
struct state {
	uint64_t stream_id;
	uint32_t lines, detached, attached;
	uint32_t length;
	bool holds, has_stream;
	char line[LINE_BYTES];
};

static bool
open_tally(void *instance, struct millrace_shard *shard, const struct millrace_calls *calls,
	const char *options, char *error, size_t room)
{
	struct tally *tally = instance;

	tally->shard = shard;
	tally->calls = calls;
	snprintf(tally->greeting, sizeof(tally->greeting), "%s", options);
	if (strcmp(options, "refuse") != 0)
		return true;
	snprintf(error, room, "the option \"refuse\" is of no use; leave it out");
	return false;
}

static void
answer(struct tally *tally, struct quic_conn *conn, const struct state *state, const char *text)
{
	if (state->has_stream)
		tally->calls->stream_write(
			conn, state->stream_id, (const uint8_t *)text, strlen(text), false);
}

static void
tell_who(struct tally *tally, struct quic_conn *conn, const struct state *state)
{
	struct millrace_handle handle = tally->calls->handle(conn);
	char text[200];

	snprintf(text, sizeof(text),
		"who lines=%u shard=%u detached=%u attached=%u slot=%u generation=%u options=%s\n",
		state->lines, tally->calls->shard_number(tally->shard), state->detached, state->attached,
		handle.slot, handle.generation, tally->greeting);
	answer(tally, conn, state, text);
}

static void
tell_result(
	struct tally *tally, struct quic_conn *conn, const struct state *state, const char *word, int result)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %d\n", word, result);
	answer(tally, conn, state, text);
}

static void
obey(struct tally *tally, struct quic_conn *conn, struct state *state)
{
	const struct millrace_calls *calls = tally->calls;
	char word[16] = "", *rest = state->line;
	int at = 0;

	if (sscanf(state->line, "%15s %n", word, &at) == 1)
		rest += at;
	state->lines++;
	tally->counters[LINES]++;
	tally->counters[LAST]++;
	if (strcmp(word, "who") == 0) {
		tell_who(tally, conn, state);
	} else if (strcmp(word, "hold") == 0 || strcmp(word, "free") == 0) {
		state->holds = word[0] == 'h';
		tell_result(tally, conn, state, word, MILLRACE_OK);
	} else if (strcmp(word, "post") == 0) {
		struct millrace_handle to = {(uint32_t)strtoul(rest, &rest, 10), 0};

		to.generation = (uint32_t)strtoul(rest, &rest, 10);
		tell_result(
			tally, conn, state, word, calls->post(tally->shard, conn, to, rest, strlen(rest)));
	} else if (strcmp(word, "join") == 0) {
		tell_result(tally, conn, state, word,
			calls->subscribe(tally->shard, conn, calls->topic(tally->shard, rest, strlen(rest))));
	} else if (strcmp(word, "say") == 0) {
		size_t name = strcspn(rest, " ");

		tell_result(tally, conn, state, word,
			calls->publish(tally->shard, conn, calls->topic(tally->shard, rest, name),
				rest + name, strlen(rest + name)));
	} else if (strcmp(word, "all") == 0) {
		for (uint32_t i = 0; i < calls->shard_count(tally->shard); i++)
			calls->post_shard(tally->shard, NULL, i, rest, strlen(rest));
		tell_result(tally, conn, state, word, MILLRACE_OK);
	} else if (strcmp(word, "log") == 0) {
		tell_result(tally, conn, state, word,
			calls->post_operator(tally->shard, conn, rest, strlen(rest)));
	} else {
		tell_result(tally, conn, state, "unknown", MILLRACE_WRONG);
	}
}

static void
take(struct tally *tally, struct quic_conn *conn, struct state *state, uint8_t octet)
{
	if (octet != '\n') {
		if (state->length < LINE_BYTES - 1)
			state->line[state->length++] = (char)octet;
		return;
	}
	state->line[state->length] = '\0';
	state->length = 0;
	obey(tally, conn, state);
}

static void
on_event(void *instance, struct quic_conn *conn, void *its, const struct millrace_event *event)
{
	struct tally *tally = instance;
	const struct millrace_calls *calls = tally->calls;
	struct state *state = its;
	const uint8_t *octets;
	size_t length;
	bool fin = false;

	if (event->type != MILLRACE_STREAM_READABLE || (event->stream_id & 2) != 0)
		return;
	state->has_stream = true;
	state->stream_id = event->stream_id;
	while (!fin && calls->stream_read(conn, event->stream_id, &octets, &length, &fin)) {
		for (size_t i = 0; i < length; i++)
			take(tally, conn, state, octets[i]);
		calls->stream_consume(conn, event->stream_id, length);
	}
	if (fin)
		calls->stream_write(conn, event->stream_id, NULL, 0, true);
}

static bool
can_move(void *instance, struct quic_conn *conn, void *its)
{
	return !((struct state *)its)->holds;
}

static void
on_detach(void *instance, struct quic_conn *conn, void *its)
{
	((struct tally *)instance)->counters[DETACHED]++;
	((struct state *)its)->detached++;
}

static void
on_attach(void *instance, struct quic_conn *conn, void *its)
{
	((struct tally *)instance)->counters[ATTACHED]++;
	((struct state *)its)->attached++;
}

static void
on_message(void *instance, struct quic_conn *conn, void *its, const struct millrace_message *message)
{
	struct tally *tally = instance;
	char text[MILLRACE_POST_BYTES + 16];

	if (conn == NULL) {
		tally->counters[POSTS]++;
		return;
	}
	snprintf(text, sizeof(text), "heard%d %.*s\n", (int)message->kind, (int)message->length,
		(const char *)message->octets);
	answer(tally, conn, its, text);
}

static const uint64_t *
counters(const void *instance)
{
	return ((const struct tally *)instance)->counters;
}

#ifndef TALLY_ABI
#define TALLY_ABI MILLRACE_ABI
#endif
#ifndef TALLY_ALPN
#define TALLY_ALPN "tally"
#endif

const struct millrace_service millrace_service = {.abi = TALLY_ABI,
	.bytes = sizeof(millrace_service),
	.name = "tally",
	.alpn = TALLY_ALPN,
	.instance_bytes = sizeof(struct tally),
	.conn_bytes = sizeof(struct state),
	.open = open_tally,
	.on_event = on_event,
	.can_move = can_move,
	.on_detach = on_detach,
	.on_attach = on_attach,
	.on_post = on_message,
	.on_message = on_message,
	.counter_count = COUNTERS,
	.counter_names = counter_names,
	.counters = counters};
