/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For the tests of the configuration: texts that are read, and what is said about them. */
#ifndef TESTS_CONFIG_SUPPORT_H
#define TESTS_CONFIG_SUPPORT_H

#include <string.h>

#include "tests/support/cmocka_all.h"

#include "config/config.h"

#define GOOD_PORT "[[port]]\ndevice = \"net_null0\"\naddresses = [\"192.0.2.1/24\"]\n"

static struct config config;
static struct config_mistakes mistakes;

static inline bool
reads(const char *text)
{
	return config_parse(&config, "f.toml", text, strlen(text), &mistakes);
}

/* The text is refused with just this sentence about it. */
static inline void
assert_refused(const char *text, const char *sentence)
{
	assert_false(reads(text));
	assert_string_equal(mistakes.lines[0].text, sentence);
	assert_int_equal(mistakes.count, 1);
}

#endif
