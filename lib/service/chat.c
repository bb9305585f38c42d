/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/chat.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "service/chat_line.h"

#define CHAT_NO_ERROR UINT64_C(0)

enum { TOLD_BYTES = SERVICE_POST_BYTES };

_Static_assert((int)CHAT_WORD_BYTES + 2 + (int)CHAT_LINE_BYTES + 1 <= (int)SERVICE_POST_BYTES,
	"name, line and what is between them fit a post");

/* Of a room: in none, until the bus answers, in it. */
enum presence { OUTSIDE, AT_THE_DOOR, INSIDE };

struct chat_conn {
	uint64_t stream_id;
	uint64_t topic;
	uint32_t missed;            /* lines since the last that was written */
	bool has_stream, fin, over; /* over: nothing more is said on it */
	uint8_t presence;           /* enum presence */
	char room[CHAT_WORD_BYTES + 1];
	char name[CHAT_WORD_BYTES + 1];
	struct chat_line line;
};

static const char *const counter_names[SERVICE_CHAT_COUNTERS] = {
	[SERVICE_CHAT_JOINED] = "joined",
	[SERVICE_CHAT_SAID] = "said",
	[SERVICE_CHAT_HEARD] = "heard",
	[SERVICE_CHAT_MISSED] = "drop_missed",
	[SERVICE_CHAT_HELD_BACK] = "held_back",
	[SERVICE_CHAT_REFUSED] = "refused",
	[SERVICE_CHAT_NO_MEMORY] = "no_memory",
};

uint32_t
service_chat_conn_bytes(void)
{
	return (sizeof(struct chat_conn) + 15) & ~15u;
}

void
service_chat_init(struct service_chat *chat, struct service_host *host, struct base_pool *conns)
{
	base_assert(host != NULL && conns->element_bytes >= service_chat_conn_bytes());
	*chat = (struct service_chat){.host = host, .conns = conns};
}

/* ---- to the client ---- */

/* A whole line or none. */
static bool
write_line(struct quic_conn *quic, const struct chat_conn *conn, const void *octets, size_t length)
{
	return quic_conn_stream_room(quic, conn->stream_id) >= length &&
		quic_conn_stream_write(quic, conn->stream_id, octets, length, false) == length;
}

static bool
tell_missed(struct quic_conn *quic, struct chat_conn *conn)
{
	char text[TOLD_BYTES];
	int length;

	if (conn->missed == 0)
		return true;
	length = snprintf(text, sizeof(text), "* you have missed %u lines\n", conn->missed);
	if (!write_line(quic, conn, text, (size_t)length))
		return false;
	conn->missed = 0;
	return true;
}

static void
tell(struct service_chat *chat, struct quic_conn *quic, const void *octets, size_t length)
{
	struct chat_conn *conn = service_state(quic);

	if (!conn->has_stream)
		return;
	if (!tell_missed(quic, conn) || !write_line(quic, conn, octets, length)) {
		conn->missed++;
		chat->counters[SERVICE_CHAT_MISSED]++;
	}
}

static void
tell_text(struct service_chat *chat, struct quic_conn *quic, const char *before, const char *word,
	const char *after)
{
	char text[TOLD_BYTES];
	int length = snprintf(text, sizeof(text), "* %s%s%s\n", before, word, after);

	tell(chat, quic, text, (size_t)length);
}

/* ---- what a line says; false: it has to be said later ---- */

static bool
hold_back(struct service_chat *chat)
{
	chat->counters[SERVICE_CHAT_HELD_BACK]++;
	return false;
}

static void
leave(struct service_chat *chat, struct quic_conn *quic, struct chat_conn *conn)
{
	if (conn->presence == OUTSIDE)
		return;
	service_host_unsubscribe(chat->host, quic, conn->topic);
	conn->presence = OUTSIDE;
}

static bool
join(struct service_chat *chat, struct quic_conn *quic, struct chat_text room)
{
	struct chat_conn *conn = service_state(quic);
	uint64_t topic = service_host_topic(chat->host, service_number(quic), room.octets, room.length);

	leave(chat, quic, conn);
	switch (service_host_subscribe(chat->host, quic, topic)) {
	case SERVICE_POSTED:
		break;
	case SERVICE_POST_FULL:
		return hold_back(chat);
	default:
		chat->counters[SERVICE_CHAT_REFUSED]++;
		tell_text(chat, quic, "there is no room left for you", "", "; try again later");
		return true;
	}
	conn->topic = topic;
	conn->presence = AT_THE_DOOR;
	memcpy(conn->room, room.octets, room.length);
	conn->room[room.length] = '\0';
	return true;
}

static bool
say(struct service_chat *chat, struct quic_conn *quic, struct chat_text text)
{
	struct chat_conn *conn = service_state(quic);
	char line[SERVICE_POST_BYTES];
	int length;

	if (text.length == 0)
		return true;
	if (conn->presence == OUTSIDE) {
		chat->counters[SERVICE_CHAT_REFUSED]++;
		tell_text(chat, quic, "you are in no room: ", "/join ROOM", " first");
		return true;
	}
	/* Who is at the door speaks when it is in. */
	if (conn->presence == AT_THE_DOOR)
		return false;
	length = snprintf(line, sizeof(line), "%s: %.*s\n", conn->name, (int)text.length, text.octets);
	if (service_host_publish(chat->host, service_number(quic), quic, conn->topic, line, (size_t)length) !=
		SERVICE_POSTED)
		return hold_back(chat);
	chat->counters[SERVICE_CHAT_SAID]++;
	return true;
}

static void
rename_to(struct service_chat *chat, struct quic_conn *quic, struct chat_text name)
{
	struct chat_conn *conn = service_state(quic);

	memcpy(conn->name, name.octets, name.length);
	conn->name[name.length] = '\0';
	tell_text(chat, quic, "you are ", conn->name, "");
}

static bool
obey(struct service_chat *chat, struct quic_conn *quic, struct chat_conn *conn)
{
	struct chat_text argument;

	if (conn->line.too_long) {
		chat->counters[SERVICE_CHAT_REFUSED]++;
		tell_text(chat, quic, "a line may have 160 octets", "", "; that one was longer");
		return true;
	}
	switch (chat_line_command(&conn->line, &argument)) {
	case CHAT_SAY:
		return say(chat, quic, argument);
	case CHAT_JOIN:
		return join(chat, quic, argument);
	case CHAT_NAME:
		rename_to(chat, quic, argument);
		return true;
	case CHAT_LEAVE:
		leave(chat, quic, conn);
		tell_text(chat, quic, "you are in no room", "", "");
		return true;
	case CHAT_HELP:
		tell_text(chat, quic, "/name NAME, /join ROOM, /leave, /help; ",
			"all else is said in the room", "");
		return true;
	case CHAT_UNKNOWN:
		chat->counters[SERVICE_CHAT_REFUSED]++;
		tell_text(chat, quic, "there is no such command; ", "/help", " says which there are");
		return true;
	default:
		chat->counters[SERVICE_CHAT_REFUSED]++;
		tell_text(chat, quic, "a name is of letters, digits, - _ and .", "", ", 24 at most");
		return true;
	}
}

/* ---- from the client ---- */

/* False: a line waits, and what is behind it stays with the core, whose flow control holds the client. */
static bool
finish_line(struct service_chat *chat, struct quic_conn *quic, struct chat_conn *conn)
{
	if (!conn->line.whole)
		return true;
	if (!obey(chat, quic, conn))
		return false;
	conn->line = (struct chat_line){0};
	return true;
}

static void
say_goodbye(struct service_chat *chat, struct quic_conn *quic, struct chat_conn *conn)
{
	conn->over = true;
	leave(chat, quic, conn);
	quic_conn_stream_write(quic, conn->stream_id, NULL, 0, true);
}

static void
pump(struct service_chat *chat, struct quic_conn *quic)
{
	struct chat_conn *conn = service_state(quic);
	const uint8_t *octets;
	size_t length, taken;

	if (!conn->has_stream || conn->over)
		return;
	while (finish_line(chat, quic, conn)) {
		if (conn->fin) {
			say_goodbye(chat, quic, conn);
			return;
		}
		if (!quic_conn_stream_read(quic, conn->stream_id, &octets, &length, &conn->fin))
			return;
		taken = chat_line_take(&conn->line, octets, length);
		conn->fin &= taken == length;
		/* The last line may lack its end. */
		if (conn->fin && conn->line.length > 0 && !conn->line.whole)
			chat_line_end(&conn->line);
		quic_conn_stream_consume(quic, conn->stream_id, taken);
	}
}

static void
readable(struct service_chat *chat, const struct quic_event *event)
{
	struct chat_conn *conn = service_state(event->conn);
	bool bidirectional = (event->stream_id & 2) == 0;

	if (!conn->has_stream && bidirectional) {
		conn->has_stream = true;
		conn->stream_id = event->stream_id;
	}
	if (conn->has_stream && conn->stream_id == event->stream_id) {
		pump(chat, event->conn);
		return;
	}
	/* One conversation is enough. */
	quic_conn_stream_stop(event->conn, event->stream_id, CHAT_NO_ERROR);
	if (bidirectional)
		quic_conn_stream_reset(event->conn, event->stream_id, CHAT_NO_ERROR);
}

static void
on_connected(void *instance, struct quic_conn *quic)
{
	struct service_chat *chat = instance;
	struct chat_conn *conn = base_pool_take(chat->conns);

	if (conn == NULL) {
		chat->counters[SERVICE_CHAT_NO_MEMORY]++;
		quic_conn_close(quic, CHAT_NO_ERROR, "no memory");
		return;
	}
	*conn = (struct chat_conn){0};
	snprintf(conn->name, sizeof(conn->name), "guest-%u", quic_conn_handle(quic).slot);
	service_set_state(quic, conn);
}

static void
on_event(void *instance, const struct quic_event *event)
{
	struct service_chat *chat = instance;
	struct chat_conn *conn = service_state(event->conn);

	if (conn == NULL)
		return;
	switch (event->type) {
	case QUIC_EVENT_STREAM_READABLE:
		readable(chat, event);
		break;
	case QUIC_EVENT_STREAM_RESET:
	case QUIC_EVENT_STREAM_STOPPED:
		if (!conn->has_stream || event->stream_id != conn->stream_id)
			break;
		leave(chat, event->conn, conn);
		conn->over = true;
		quic_conn_stream_reset(event->conn, event->stream_id, CHAT_NO_ERROR);
		quic_conn_stream_stop(event->conn, event->stream_id, CHAT_NO_ERROR);
		break;
	case QUIC_EVENT_STREAM_CLOSED:
		/* The next one begins anew. */
		if (conn->has_stream && event->stream_id == conn->stream_id) {
			leave(chat, event->conn, conn);
			conn->has_stream = conn->fin = conn->over = false;
			conn->missed = 0;
			conn->line = (struct chat_line){0};
		}
		break;
	default:
		break;
	}
}

static void
on_closed(void *instance, const struct quic_event *event)
{
	struct service_chat *chat = instance;
	struct chat_conn *conn = service_state(event->conn);

	if (conn != NULL)
		base_pool_give(chat->conns, conn);
}

static void
refused(struct service_chat *chat, struct quic_conn *quic, struct chat_conn *conn)
{
	static const char notice[] =
		"a room could not be joined: [bus] topics, subscribers or topic_subscribers are used up";

	conn->presence = OUTSIDE;
	chat->counters[SERVICE_CHAT_REFUSED]++;
	service_host_post_manager(chat->host, service_number(quic), NULL, notice, sizeof(notice) - 1);
	tell_text(chat, quic, "there is no place for you in ", conn->room, "; try again later");
}

static void
on_message(void *instance, struct quic_conn *quic, const struct service_message *message)
{
	struct service_chat *chat = instance;
	struct chat_conn *conn = service_state(quic);

	if (conn->presence == OUTSIDE || message->topic != conn->topic)
		return;
	switch (message->kind) {
	case SERVICE_MESSAGE_SUBSCRIBED:
		chat->counters[SERVICE_CHAT_JOINED]++;
		conn->presence = INSIDE;
		tell_text(chat, quic, "you are in ", conn->room, "");
		pump(chat, quic);
		break;
	case SERVICE_MESSAGE_REFUSED:
		refused(chat, quic, conn);
		pump(chat, quic);
		break;
	default:
		chat->counters[SERVICE_CHAT_HEARD]++;
		tell(chat, quic, message->octets, message->length);
	}
}

static void
on_room(void *instance, struct quic_conn *quic)
{
	pump(instance, quic);
}

static struct base_counters
counters(void *instance)
{
	const struct service_chat *chat = instance;

	return (struct base_counters){.library = "chat",
		.names = counter_names,
		.values = chat->counters,
		.count = SERVICE_CHAT_COUNTERS};
}

const struct service_ops service_chat_ops = {.name = "chat",
	.alpn = "chat",
	.on_connected = on_connected,
	.on_event = on_event,
	.on_closed = on_closed,
	.on_message = on_message,
	.on_room = on_room,
	.counters = counters};
