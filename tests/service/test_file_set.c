/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/file_set.h"

#include <stdlib.h>
#include <string.h>

#include "site.h"

static void
file_set_lookup__finds_what_was_added(void **state)
{
	struct site *site = site_open("h3");
	const struct file *file;

	assert_int_equal(file_set_count(site->set), 3);
	assert_int_equal(file_set_lookup(site->set, http3_text("/"), &file), FILE_FOUND);
	assert_int_equal(file->length, sizeof(SITE_INDEX) - 1);
	assert_memory_equal(file->body, SITE_INDEX, file->length);
	assert_int_equal(file_set_lookup(site->set, http3_text("/dir/../dir//big.bin?x"), &file), FILE_FOUND);
	assert_int_equal(file->length, SITE_BIG_BYTES);
	assert_int_equal(file_set_lookup(site->set, http3_text("/dir/"), &file), FILE_NOT_FOUND);
	assert_int_equal(file_set_lookup(site->set, http3_text("/../index.html"), &file), FILE_BAD_PATH);
	assert_null(file);
	site_close(site);
}

static void
file_set_seal__the_head_stands_before_the_body(void **state)
{
	struct site *site = site_open("h3");
	const struct file *file = file_set_find(site->set, http3_text("/index.html"));
	const struct http3_field *fields;
	uint16_t count;

	/* HEADERS with a length of one octet, and its section. */
	assert_int_equal(file->response[0], HTTP3_FRAME_HEADERS);
	assert_int_equal(file->response[1], file->headers_bytes - 2);
	assert_int_equal(
		http3_qpack_decode(site->coder, file->response + 2, file->headers_bytes - 2, &fields, &count),
		HTTP3_QPACK_OK);
	assert_true(http3_text_is(fields[0].value, "200"));
	assert_true(http3_text_is(fields[2].value, "13"));
	/* DATA, right up to the body. */
	assert_int_equal(file->response[file->headers_bytes], HTTP3_FRAME_DATA);
	assert_int_equal(file->response[file->headers_bytes + 1], 13);
	assert_ptr_equal(file->response + file->headers_bytes + 2, file->body);
	/* An empty file has no DATA frame. */
	file = file_set_find(site->set, http3_text("/empty.txt"));
	assert_ptr_equal(file->response + file->headers_bytes, file->body);
	site_close(site);
}

static void
file_set_seal__equal_octets_have_equal_tags(void **state)
{
	struct site *one = site_open("h3"), *two = site_open("h3");

	for (uint32_t i = 0; i < 3; i++)
		assert_memory_equal(
			file_set_at(one->set, i)->etag, file_set_at(two->set, i)->etag, FILE_ETAG_BYTES);
	assert_memory_not_equal(
		file_set_at(one->set, 0)->etag, file_set_at(one->set, 1)->etag, FILE_ETAG_BYTES);
	site_close(one);
	site_close(two);
}

static void
file_set_add__refuses_what_does_not_fit(void **state)
{
	size_t bytes = file_set_bytes(2, 100, 20);
	void *memory = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	struct file_set *set = file_set_open(memory, bytes, 2);

	assert_null(file_set_add(set, "no-slash", 1));
	assert_null(file_set_add(set, "/a", UINT64_MAX));
	assert_null(file_set_add(set, "/a", bytes));
	assert_non_null(file_set_add(set, "/a", 50));
	assert_null(file_set_add(set, "/a", 1));
	assert_non_null(file_set_add(set, "/b", 50));
	assert_null(file_set_add(set, "/c", 0));
	free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_set_lookup__finds_what_was_added),
		cmocka_unit_test(file_set_seal__the_head_stands_before_the_body),
		cmocka_unit_test(file_set_seal__equal_octets_have_equal_tags),
		cmocka_unit_test(file_set_add__refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
