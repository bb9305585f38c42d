/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/hq.h"

#include <string.h>

#include "site.h"

static void
service_hq__a_file_in_any_cut(void **state)
{
	static const char line[] = "GET /index.html\r\n";

	for (size_t cut = 0; cut < sizeof(line); cut++) {
		struct site *site = site_open("hq-interop");
		struct fake_stream *stream;

		site->quic->segment_bytes = 1 + cut % 5;
		site_deliver(site, 0, line, cut, false);
		site_deliver(site, 0, line + cut, sizeof(line) - 1 - cut, true);
		stream = fake_stream(site->quic, 0);
		assert_int_equal(stream->out_length, sizeof(SITE_INDEX) - 1);
		assert_memory_equal(stream->out, SITE_INDEX, sizeof(SITE_INDEX) - 1);
		assert_true(stream->out_fin);
		assert_int_equal(site->hq.use.references, 1);
		assert_int_equal(site->hq_requests->in_use, 0);
		if (cut % 2 == 0)
			site_event(site, QUIC_EVENT_STREAM_RELEASED, 0);
		site_event(site, QUIC_EVENT_STREAM_CLOSED, 0);
		assert_int_equal(site->hq.use.references, 0);
		site_close(site);
	}
}

static void
service_hq__the_end_ends_a_line_too(void **state)
{
	struct site *site = site_open("hq-interop");

	site_deliver(site, 0, "GET /", 5, true);
	assert_int_equal(fake_stream(site->quic, 0)->out_length, sizeof(SITE_INDEX) - 1);
	site_deliver(site, 4, "GET /empty.txt\r\n", 16, true);
	assert_true(fake_stream(site->quic, 4)->out_fin);
	site_close(site);
}

static void
service_hq__what_is_wrong_is_reset(void **state)
{
	static const char *const lines[] = {
		"GET /nothing\r\n", "GET /../x\r\n", "PUT /\r\n", "GET\r\n", "\r\n", ""};
	struct site *site = site_open("hq-interop");
	static char endless[4000];

	for (uint64_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		site_deliver(site, 4 * i, lines[i], strlen(lines[i]), true);
		assert_int_equal(fake_stream(site->quic, 4 * i)->reset_code, i < 2 ? 0x0404 : 0x0400);
	}
	memset(endless, 'x', sizeof(endless));
	site_deliver(site, 40, endless, sizeof(endless), false);
	assert_int_equal(fake_stream(site->quic, 40)->reset_code, 0x0400);
	/* Half a line when the connection ends: site_close() looks. */
	site_deliver(site, 44, "GET /", 5, false);
	assert_int_equal(site->hq_requests->in_use, 1);
	assert_false(site->quic->closed);
	site_close(site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_hq__a_file_in_any_cut),
		cmocka_unit_test(service_hq__the_end_ends_a_line_too),
		cmocka_unit_test(service_hq__what_is_wrong_is_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
