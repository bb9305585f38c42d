/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/files.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "http3/error.h"
#include "http3/frame.h"
#include "service/file_range.h"

/* What a request's words hold while a head is being written that is not in memory for good. */
enum { WORD_KIND, WORD_FILE, WORD_FIRST, WORD_LAST, WORD_SENT };
enum { KIND_NONE, KIND_PARTIAL, KIND_UNSATISFIABLE };

enum { DYNAMIC_HEAD_BYTES = 384, NUMBER_TEXT = 72 };

static const char *const counter_names[SERVICE_FILES_COUNTERS] = {
	[SERVICE_FILES_REQUESTS] = "requests",
	[SERVICE_FILES_OK] = "ok",
	[SERVICE_FILES_PARTIAL] = "partial",
	[SERVICE_FILES_NOT_MODIFIED] = "not_modified",
	[SERVICE_FILES_CLIENT_ERRORS] = "client_errors",
	[SERVICE_FILES_NO_ROOM] = "no_room",
};

static const struct {
	const char *status, *text, *allow;
} answers[SERVICE_FILES_HEADS] = {
	[SERVICE_FILES_BAD_REQUEST] = {"400", "400 Bad Request\n", NULL},
	[SERVICE_FILES_NOT_FOUND] = {"404", "404 Not Found\n", NULL},
	[SERVICE_FILES_NOT_ALLOWED] = {"405", "405 Method Not Allowed\n", "GET, HEAD"},
};

static void
make_answer(struct service_files *files, enum service_files_head head)
{
	struct base_writer writer = base_writer(files->heads[head].octets, sizeof(files->heads[head].octets));
	size_t length = strlen(answers[head].text);
	struct http3_field fields[4];
	uint16_t count = 0;
	char number[NUMBER_TEXT];

	snprintf(number, sizeof(number), "%zu", length);
	fields[count++] = (struct http3_field){http3_text(":status"), http3_text(answers[head].status)};
	fields[count++] = (struct http3_field){http3_text("content-type"), http3_text("text/plain")};
	fields[count++] = (struct http3_field){http3_text("content-length"), http3_text(number)};
	if (answers[head].allow != NULL)
		fields[count++] = (struct http3_field){http3_text("allow"), http3_text(answers[head].allow)};
	http3_qpack_encode_headers(files->qpack, &writer, fields, count);
	files->heads[head].headers_bytes = (uint16_t)base_writer_length(&writer);
	http3_frame_header_write(&writer, HTTP3_FRAME_DATA, length);
	base_writer_octets(&writer, answers[head].text, length);
	base_assert(base_writer_ok(&writer));
	files->heads[head].length = (uint16_t)base_writer_length(&writer);
}

void
service_files_init(struct service_files *files, const struct file_set *set, struct http3_qpack *qpack)
{
	*files = (struct service_files){.use = {.set = set}, .qpack = qpack};
	for (int head = 0; head < SERVICE_FILES_HEADS; head++)
		make_answer(files, (enum service_files_head)head);
}

struct base_counters
service_files_counters(const struct service_files *files)
{
	return (struct base_counters){.library = "files",
		.names = counter_names,
		.values = files->counters,
		.count = SERVICE_FILES_COUNTERS};
}

/* The last octets of a response, from memory that stays. */
static void
send_static(struct service_files *files, struct http3_request *request, const uint8_t *octets, size_t length)
{
	if (http3_request_write_static(request, octets, length, true)) {
		files->use.references++;
		return;
	}
	files->counters[SERVICE_FILES_NO_ROOM]++;
	http3_request_reset(request, HTTP3_INTERNAL_ERROR);
}

static void
send_answer(struct service_files *files, struct http3_request *request, enum service_files_head head,
	bool head_only)
{
	files->counters[SERVICE_FILES_CLIENT_ERRORS]++;
	send_static(files, request, files->heads[head].octets,
		head_only ? files->heads[head].headers_bytes : files->heads[head].length);
}

/* ---- heads that depend on the request: 206 and 416 ---- */

static void
write_partial_head(struct service_files *files, struct base_writer *writer, const struct file *file,
	struct file_range range)
{
	unsigned long long first = range.first, last = range.last, all = file->length;
	char length[NUMBER_TEXT], content_range[NUMBER_TEXT];
	struct http3_text etag = {.octets = file->etag, .length = sizeof(file->etag)};

	snprintf(length, sizeof(length), "%llu", last - first + 1);
	snprintf(content_range, sizeof(content_range), "bytes %llu-%llu/%llu", first, last, all);
	const struct http3_field fields[] = {
		{http3_text(":status"), http3_text("206")},
		{http3_text("content-type"), file->content_type},
		{http3_text("content-length"), http3_text(length)},
		{http3_text("content-range"), http3_text(content_range)},
		{http3_text("etag"), etag},
	};

	http3_qpack_encode_headers(files->qpack, writer, fields, 5);
	http3_frame_header_write(writer, HTTP3_FRAME_DATA, last - first + 1);
}

static void
write_unsatisfiable_head(struct service_files *files, struct base_writer *writer, const struct file *file)
{
	char content_range[NUMBER_TEXT];

	snprintf(content_range, sizeof(content_range), "bytes */%llu", (unsigned long long)file->length);
	const struct http3_field fields[] = {
		{http3_text(":status"), http3_text("416")},
		{http3_text("content-length"), http3_text("0")},
		{http3_text("content-range"), http3_text(content_range)},
	};

	http3_qpack_encode_headers(files->qpack, writer, fields, 3);
}

/* Writes the head, or what is left of it: it is made anew each time, for it comes out the same. */
static void
send_dynamic(struct service_files *files, struct http3_request *request)
{
	uint64_t *words = http3_request_words(request);
	const struct file *file = file_set_at(files->use.set, (uint32_t)words[WORD_FILE]);
	struct file_range range = {.first = words[WORD_FIRST], .last = words[WORD_LAST]};
	bool partial = words[WORD_KIND] == KIND_PARTIAL;
	uint8_t head[DYNAMIC_HEAD_BYTES];
	struct base_writer writer = base_writer(head, sizeof(head));
	size_t length;

	if (partial)
		write_partial_head(files, &writer, file, range);
	else
		write_unsatisfiable_head(files, &writer, file);
	base_assert(base_writer_ok(&writer));
	length = base_writer_length(&writer);
	base_assert(words[WORD_SENT] <= length);
	words[WORD_SENT] += http3_request_write(
		request, head + words[WORD_SENT], length - (size_t)words[WORD_SENT], !partial);
	if (words[WORD_SENT] < length)
		return; /* WRITABLE will come */
	words[WORD_KIND] = KIND_NONE;
	if (partial)
		send_static(files, request, file->body + range.first, (size_t)(range.last - range.first + 1));
}

/* ---- requests ---- */

/*
 * Range counts for GET only, and not when If-Range names another state of the file (RFC 9110 section
 * 13.1.5).
 */
static enum file_range_result
wanted_range(const struct http3_message *message, const struct file *file, bool head_only,
	struct file_range *range)
{
	struct http3_text if_range = http3_message_find(message, "if-range");
	struct http3_text etag = {.octets = file->etag, .length = sizeof(file->etag)};

	if (head_only || (if_range.octets != NULL && !http3_text_equal(if_range, etag)))
		return FILE_RANGE_WHOLE;
	return file_range_parse(http3_message_find(message, "range"), file->length, range);
}

static void
send_file(struct service_files *files, struct http3_request *request, const struct http3_message *message,
	const struct file *file, bool head_only)
{
	struct http3_text if_none_match = http3_message_find(message, "if-none-match");
	struct http3_text etag = {.octets = file->etag, .length = sizeof(file->etag)};
	uint64_t *words = http3_request_words(request);
	struct file_range range = {0};
	enum file_range_result wanted;

	if (if_none_match.octets != NULL && file_etag_listed(if_none_match, etag)) {
		files->counters[SERVICE_FILES_NOT_MODIFIED]++;
		send_static(files, request, file->not_modified, file->not_modified_bytes);
		return;
	}
	wanted = wanted_range(message, file, head_only, &range);
	if (wanted == FILE_RANGE_WHOLE) {
		size_t all = (size_t)(file->body - file->response) + (size_t)file->length;

		files->counters[SERVICE_FILES_OK]++;
		send_static(files, request, file->response, head_only ? file->headers_bytes : all);
		return;
	}
	files->counters[wanted == FILE_RANGE_PART ? SERVICE_FILES_PARTIAL : SERVICE_FILES_CLIENT_ERRORS]++;
	words[WORD_KIND] = wanted == FILE_RANGE_PART ? KIND_PARTIAL : KIND_UNSATISFIABLE;
	words[WORD_FILE] = (uint64_t)(file - file_set_at(files->use.set, 0));
	words[WORD_FIRST] = range.first;
	words[WORD_LAST] = range.last;
	words[WORD_SENT] = 0;
	send_dynamic(files, request);
}

static void
on_request(void *instance, struct http3_request *request, const struct http3_message *message)
{
	struct service_files *files = instance;
	bool head_only = http3_text_is(message->method, "HEAD");
	const struct file *file;

	files->counters[SERVICE_FILES_REQUESTS]++;
	http3_request_discard(request);
	if (!head_only && !http3_text_is(message->method, "GET")) {
		send_answer(files, request, SERVICE_FILES_NOT_ALLOWED, false);
		return;
	}
	switch (file_set_lookup(files->use.set, message->path, &file)) {
	case FILE_FOUND:
		send_file(files, request, message, file, head_only);
		break;
	case FILE_NOT_FOUND:
		send_answer(files, request, SERVICE_FILES_NOT_FOUND, head_only);
		break;
	case FILE_BAD_PATH:
		send_answer(files, request, SERVICE_FILES_BAD_REQUEST, head_only);
		break;
	}
}

static void
on_event(void *instance, const struct http3_event *event)
{
	struct service_files *files = instance;

	switch (event->type) {
	case HTTP3_EVENT_WRITABLE:
		if (http3_request_words(event->request)[WORD_KIND] != KIND_NONE)
			send_dynamic(files, event->request);
		break;
	case HTTP3_EVENT_RELEASED:
		files->use.references -= event->count;
		break;
	case HTTP3_EVENT_ABORTED:
		/*
		 * The client gave up before the end of its request: it wants no answer either (RFC 9114
		 * section 4.1.1).
		 */
		http3_request_words(event->request)[WORD_KIND] = KIND_NONE;
		http3_request_reset(event->request, HTTP3_REQUEST_CANCELLED);
		break;
	default:
		break;
	}
}

const struct service_handler_ops service_files_ops = {
	.name = "files", .on_request = on_request, .on_event = on_event};
