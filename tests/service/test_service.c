/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/service.h"

#include <string.h>

#include "site.h"

static void
ignore(void *instance, const struct quic_event *event)
{
}

static void
service_add__refuses_what_does_not_fit(void **state)
{
	static const char *const names[] = {
		"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"};
	struct service_set set = {0};
	struct service_ops ops = {.name = "x", .alpn = "x", .on_event = ignore};
	struct service_ops many[SERVICE_MAX + 1];

	ops.alpn = NULL;
	assert_int_equal(service_add(&set, &ops, NULL), SERVICE_INCOMPLETE);
	for (int i = 0; i <= SERVICE_MAX; i++) {
		many[i] = (struct service_ops){.name = names[i], .alpn = names[i], .on_event = ignore};
		assert_int_equal(
			service_add(&set, &many[i], NULL), i < SERVICE_MAX ? SERVICE_OK : SERVICE_TOO_MANY);
	}
	assert_int_equal(service_add(&set, &many[0], NULL), SERVICE_ALPN_TAKEN);
}

static void
service_dispatch__a_protocol_that_nobody_serves(void **state)
{
	struct site *site = site_open("smtp");

	assert_true(site->quic->closed);
	assert_int_equal(site->services.no_service, 1);
	site_close(site);
}

static void
service_state__shares_the_pointer_with_the_number(void **state)
{
	struct site *site = site_open("echo");
	static _Alignas(16) char object[16];

	assert_null(service_state(site->quic));
	service_set_state(site->quic, object);
	assert_ptr_equal(service_state(site->quic), object);
	/* Still the echo's. */
	site_deliver(site, 0, "x", 1, true);
	assert_int_equal(fake_stream(site->quic, 0)->out_length, 1);
	service_set_state(site->quic, NULL);
	site_close(site);
}

static void
service_shutdown__sends_goaway(void **state)
{
	struct site *site = site_open("h3");
	size_t before = fake_stream(site->quic, 3)->out_length;

	service_shutdown(&site->services);
	assert_int_equal(fake_stream(site->quic, 3)->out_length, before + 3);
	assert_true(service_can_move(&site->services, site->quic));
	service_detach(&site->services, site->quic);
	service_attach(&site->services, site->quic);
	site_close(site);
}

static void
service_h3_find__longest_path_and_named_authority_first(void **state)
{
	struct site *site = site_open("h3");
	static const struct {
		const char *authority, *path;
	} handlers[] = {{NULL, "/a"}, {NULL, "/a/b"}, {"Example.com", "/"}};
	static const struct {
		const char *authority, *path;
		int handler; /* of those, or -1 for the site's files */
	} rows[] = {
		{"x", "/", -1},
		{"x", "/ab", -1},
		{"x", "/a", 0},
		{"x", "/a?q", 0},
		{"x", "/a/c", 0},
		{"x", "/a/b/c", 1},
		{"example.com:443", "/a/b", 2},
		{"EXAMPLE.COM", "/", 2},
		{"[::1]:443", "/", -1},
		{"example.com.", "/", -1},
		{"", "/", -1},
	};

	for (int i = 0; i < 3; i++)
		assert_int_equal(service_h3_add(&site->h3,
					 &(struct service_handler){.authority = handlers[i].authority,
						 .path = handlers[i].path,
						 .ops = &service_files_ops}),
			SERVICE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct service_handler *handler =
			service_h3_find(&site->h3, http3_text(rows[i].authority), http3_text(rows[i].path));

		assert_non_null(handler);
		assert_string_equal(
			handler->path, rows[i].handler < 0 ? "/" : handlers[rows[i].handler].path);
		assert_int_equal(handler->authority != NULL, rows[i].handler == 2);
	}
	site_close(site);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_add__refuses_what_does_not_fit),
		cmocka_unit_test(service_dispatch__a_protocol_that_nobody_serves),
		cmocka_unit_test(service_state__shares_the_pointer_with_the_number),
		cmocka_unit_test(service_shutdown__sends_goaway),
		cmocka_unit_test(service_h3_find__longest_path_and_named_authority_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
