/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http3/qpack.h"

#include <nghttp3/nghttp3.h>
#include <string.h>

#include "base/assert.h"
#include "http3/frame.h"

/*
 * The arena: a bump allocator with the size in front of each block, for realloc. Its first part (`kept`)
 * holds what libnghttp3 keeps for as long as it lives, the rest is given back at once when the next section
 * begins.
 */
struct arena {
	uint8_t *octets;
	size_t size, used, kept, peak;
};

enum {
	ALIGNMENT = 16,
	KEPT_BYTES = 16384, /* decoder, encoder and stream context: 3 KiB in 0.8 */
	FIELD_OVERHEAD_BYTES =
		2 * 96,        /* name and value: block size, reference count, terminator, alignment */
	ENCODED_BYTES = 32768, /* what one encoding takes while it lasts */
	MEMO_PLACES = 64,      /* a power of two */
	MEMO_SECTION_BYTES = 512,
	MEMO_FIELDS = 32,
	MEMO_TEXT_BYTES = 2048,
	ENCODED_TEXT_MAX = 4096
};

/* A section seen before, with its fields; the texts follow each other in `text`. */
struct memo {
	uint32_t length; /* 0: empty */
	uint16_t count;
	uint8_t section[MEMO_SECTION_BYTES];
	struct http3_field fields[MEMO_FIELDS];
	char text[MEMO_TEXT_BYTES];
};

struct http3_qpack {
	struct arena arena;
	nghttp3_mem memory;
	nghttp3_qpack_decoder *decoder;
	nghttp3_qpack_stream_context *context;
	nghttp3_qpack_encoder *encoder;
	uint32_t section_bytes;
	uint64_t sections, remembered;
	struct http3_field fields[HTTP3_FIELDS_MAX];
	struct memo memos[MEMO_PLACES];
};

static void *
arena_take(size_t size, void *user)
{
	struct arena *arena = user;
	size_t total = ALIGNMENT + ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
	uint8_t *block = arena->octets + arena->used;

	if (size > arena->size || total > arena->size - arena->used)
		return NULL;
	arena->used += total;
	if (arena->used > arena->peak)
		arena->peak = arena->used;
	memcpy(block, &size, sizeof(size));
	return block + ALIGNMENT;
}

static void
arena_give(void *block, void *user)
{
}

static void *
arena_take_zeroed(size_t count, size_t size, void *user)
{
	void *block;

	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	block = arena_take(count * size, user);
	if (block != NULL)
		memset(block, 0, count * size);
	return block;
}

static void *
arena_change(void *block, size_t size, void *user)
{
	size_t old = 0;
	void *changed;

	if (block != NULL)
		memcpy(&old, (uint8_t *)block - ALIGNMENT, sizeof(old));
	if (block != NULL && size <= old)
		return block;
	changed = arena_take(size, user);
	if (changed != NULL && old > 0)
		memcpy(changed, block, old);
	return changed;
}

/* libnghttp3's objects anew: at open, and after an error, which leaves them unusable. */
static void
build(struct http3_qpack *qpack)
{
	int failed;

	qpack->arena.used = 0;
	failed = nghttp3_qpack_decoder_new(&qpack->decoder, 0, 0, &qpack->memory);
	failed |= nghttp3_qpack_stream_context_new(&qpack->context, 0, &qpack->memory);
	failed |= nghttp3_qpack_encoder_new(&qpack->encoder, 0, &qpack->memory);
	/* The memory is ours and its size known, so this cannot fail but by a mistake of ours. */
	base_assert(failed == 0 && qpack->arena.used <= KEPT_BYTES);
	qpack->arena.kept = qpack->arena.used;
}

static size_t
arena_bytes(uint32_t section_bytes)
{
	/* A literal is allocated at twice its encoded length, for Huffman codes are at least 5 bits. */
	return KEPT_BYTES + ENCODED_BYTES + 2 * (size_t)section_bytes +
		HTTP3_FIELDS_MAX * FIELD_OVERHEAD_BYTES;
}

static size_t
coder_bytes(void)
{
	return (sizeof(struct http3_qpack) + 63) & ~(size_t)63;
}

size_t
http3_qpack_bytes(uint32_t section_bytes)
{
	return coder_bytes() + ((arena_bytes(section_bytes) + 63) & ~(size_t)63);
}

struct http3_qpack *
http3_qpack_open(void *memory, uint32_t section_bytes)
{
	struct http3_qpack *qpack = memory;

	memset(qpack, 0, sizeof(*qpack));
	qpack->section_bytes = section_bytes;
	qpack->arena.octets = (uint8_t *)memory + coder_bytes();
	qpack->arena.size = arena_bytes(section_bytes);
	qpack->memory = (nghttp3_mem){.user_data = &qpack->arena,
		.malloc = arena_take,
		.free = arena_give,
		.calloc = arena_take_zeroed,
		.realloc = arena_change};
	build(qpack);
	return qpack;
}

/* ---- the memo: requests seen before ---- */

static struct memo *
memo_place(struct http3_qpack *qpack, const uint8_t *section, size_t length)
{
	uint64_t hash = length * UINT64_C(0x9e3779b97f4a7c15);
	size_t i = 0;

	if (length > MEMO_SECTION_BYTES)
		return NULL;
	/*
	 * Not against a peer's choice, for a collision only costs a decoding: one multiplication per eight
	 * octets.
	 */
	for (; i + 8 <= length; i += 8) {
		uint64_t word;

		memcpy(&word, section + i, sizeof(word));
		hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	for (; i < length; i++)
		hash = (hash ^ section[i]) * UINT64_C(0xff51afd7ed558ccd);
	return &qpack->memos[(hash >> 40) % MEMO_PLACES];
}

static void
memo_store(struct memo *memo, const uint8_t *section, size_t length, const struct http3_field *fields,
	uint16_t count)
{
	size_t used = 0;

	memo->length = 0;
	if (count > MEMO_FIELDS)
		return;
	for (uint16_t i = 0; i < count; i++) {
		const struct http3_field *field = &fields[i];

		if (used + field->name.length + field->value.length > MEMO_TEXT_BYTES)
			return;
		memo->fields[i].name = (struct http3_text){memo->text + used, field->name.length};
		memcpy(memo->text + used, field->name.octets, field->name.length);
		used += field->name.length;
		memo->fields[i].value = (struct http3_text){memo->text + used, field->value.length};
		memcpy(memo->text + used, field->value.octets, field->value.length);
		used += field->value.length;
	}
	memcpy(memo->section, section, length);
	memo->count = count;
	memo->length = (uint32_t)length;
}

/* ---- decoding ---- */

static struct http3_text
text_of(nghttp3_rcbuf *buffer)
{
	nghttp3_vec vec = nghttp3_rcbuf_get_buf(buffer);

	/* An empty value is still a value: its pointer is never NULL. */
	return (struct http3_text){
		.octets = vec.base != NULL ? (const char *)vec.base : "", .length = (uint32_t)vec.len};
}

/* Field by field; `*count` are in qpack->fields. */
static enum http3_qpack_result
decode_all(struct http3_qpack *qpack, const uint8_t *section, size_t length, uint16_t *count)
{
	uint64_t bytes = 0;
	uint8_t flags = 0;

	*count = 0;
	for (;;) {
		nghttp3_qpack_nv nv;
		nghttp3_ssize used;

		used = nghttp3_qpack_decoder_read_request(
			qpack->decoder, qpack->context, &nv, &flags, section, length, 1);
		if (used == NGHTTP3_ERR_NOMEM || used == NGHTTP3_ERR_QPACK_HEADER_TOO_LARGE)
			return HTTP3_QPACK_TOO_LARGE;
		/* Blocked would mean a reference to a table that does not exist. */
		if (used < 0 || (flags & NGHTTP3_QPACK_DECODE_FLAG_BLOCKED) != 0)
			return HTTP3_QPACK_FAILED;
		section += used;
		length -= (size_t)used;
		if ((flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) != 0) {
			struct http3_field *field = &qpack->fields[*count];

			if (*count == HTTP3_FIELDS_MAX)
				return HTTP3_QPACK_TOO_LARGE;
			*field = (struct http3_field){.name = text_of(nv.name), .value = text_of(nv.value)};
			(*count)++;
			bytes += http3_field_bytes(field);
			if (bytes > qpack->section_bytes)
				return HTTP3_QPACK_TOO_LARGE;
		}
		if ((flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) != 0)
			return HTTP3_QPACK_OK;
		/* All octets used and neither a field nor the end: an instruction was cut off. */
		if (length == 0 && (flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) == 0)
			return HTTP3_QPACK_FAILED;
	}
}

enum http3_qpack_result
http3_qpack_decode(struct http3_qpack *qpack, const uint8_t *section, size_t length,
	const struct http3_field **fields, uint16_t *count)
{
	struct memo *memo = memo_place(qpack, section, length);
	enum http3_qpack_result result;

	qpack->sections++;
	if (memo != NULL && memo->length == length && length > 0 &&
		memcmp(memo->section, section, length) == 0) {
		qpack->remembered++;
		*fields = memo->fields;
		*count = memo->count;
		return HTTP3_QPACK_OK;
	}
	*fields = qpack->fields;
	*count = 0;
	if (length > qpack->section_bytes)
		return HTTP3_QPACK_TOO_LARGE;
	qpack->arena.used = qpack->arena.kept;
	nghttp3_qpack_stream_context_reset(qpack->context);
	result = decode_all(qpack, section, length, count);
	if (result != HTTP3_QPACK_OK) {
		*count = 0;
		build(qpack);
	} else if (memo != NULL) {
		memo_store(memo, section, length, qpack->fields, *count);
	}
	return result;
}

/* ---- encoding ---- */

void
http3_qpack_encode(struct http3_qpack *qpack, struct base_writer *writer, const struct http3_field *fields,
	uint16_t count)
{
	nghttp3_nv pairs[HTTP3_FIELDS_ENCODED_MAX];
	nghttp3_buf prefix, section, instructions;
	size_t used = qpack->arena.used, text = 0;
	int failed;

	base_assert(count <= HTTP3_FIELDS_ENCODED_MAX);
	for (uint16_t i = 0; i < count; i++) {
		text += fields[i].name.length + (size_t)fields[i].value.length;
		/* 0.8 wants pointers that are not const, later ones are; nothing is written through them. */
		pairs[i] = (nghttp3_nv){.name = (uint8_t *)(uintptr_t)fields[i].name.octets,
			.value = (uint8_t *)(uintptr_t)fields[i].value.octets,
			.namelen = fields[i].name.length,
			.valuelen = fields[i].value.length};
	}
	if (text > ENCODED_TEXT_MAX) {
		writer->failed = true;
		return;
	}
	nghttp3_buf_init(&prefix);
	nghttp3_buf_init(&section);
	nghttp3_buf_init(&instructions);
	/* Behind the fields of the section decoded last, which a handler may still be looking at. */
	failed = nghttp3_qpack_encoder_encode(
		qpack->encoder, &prefix, &section, &instructions, 0, pairs, count);
	/* The arena has room for every section within HTTP3_FIELDS_ENCODED_MAX and ENCODED_TEXT_MAX. */
	base_assert(failed == 0 && nghttp3_buf_len(&instructions) == 0);
	base_writer_octets(writer, prefix.pos, nghttp3_buf_len(&prefix));
	base_writer_octets(writer, section.pos, nghttp3_buf_len(&section));
	qpack->arena.used = used;
}

void
http3_qpack_encode_headers(struct http3_qpack *qpack, struct base_writer *writer,
	const struct http3_field *fields, uint16_t count)
{
	uint8_t octets[2048];
	struct base_writer section = base_writer(octets, sizeof(octets));

	http3_qpack_encode(qpack, &section, fields, count);
	if (!base_writer_ok(&section)) {
		writer->failed = true;
		return;
	}
	http3_frame_header_write(writer, HTTP3_FRAME_HEADERS, base_writer_length(&section));
	base_writer_octets(writer, octets, base_writer_length(&section));
}

struct http3_qpack_statistics
http3_qpack_statistics(const struct http3_qpack *qpack)
{
	return (struct http3_qpack_statistics){.sections = qpack->sections,
		.remembered = qpack->remembered,
		.arena_peak = qpack->arena.peak};
}
