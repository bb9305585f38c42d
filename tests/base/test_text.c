/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

static void
assert_clean(const char *text, const char *clean)
{
	char octets[64];
	size_t length = strlen(text);

	memcpy(octets, text, length);
	base_text_clean(octets, length);
	assert_int_equal(length, strlen(clean));
	assert_memory_equal(octets, clean, length);
}

static void
base_text_clean__leaves_characters_alone(void **state)
{
	/* The first and the last of each length. */
	static const char *const texts[] = {"", " ~", "\xc2\xa0\xdf\xbf", "\xe0\xa0\x80\xed\x9f\xbf",
		"\xee\x80\x80\xef\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xc3\xbc."};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_clean(texts[i], texts[i]);
}

static void
base_text_clean__leaves_no_control_character(void **state)
{
	assert_clean("\x1b[2J\x01\x1f\x7f", "?[2J???");
	assert_clean("\xc2\x80\xc2\x9b"
		     "31m\xc2\x9f",
		"????31m??");
}

/* Of a terminal that reads octets, or forgives what RFC 3629 does not allow. */
static void
base_text_clean__leaves_nothing_malformed(void **state)
{
	assert_clean("\x9b"
		     "31m \x80 \xff",
		"?31m ? ?");
	assert_clean("\xc0\x9b \xe0\x80\x9b \xf0\x80\x80\x9b", "?? ??? ????");
	assert_clean("\xc1\xbf \xe0\x9f\xbf \xf0\x8f\xbf\xbf", "?? ??? ????");
	assert_clean("\xed\xa0\x80 \xf4\x90\x80\x80 \xf5\x80\x80\x80", "??? ???? ????");
	/* Cut off at the end, or by another character, which stays. */
	assert_clean("a\xc3", "a?");
	assert_clean("\xe2\x82", "??");
	assert_clean("\xf0\x9f\x98", "???");
	assert_clean("\xe2\x82x\xc3\xa9", "??x\xc3\xa9");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_text_clean__leaves_characters_alone),
		cmocka_unit_test(base_text_clean__leaves_no_control_character),
		cmocka_unit_test(base_text_clean__leaves_nothing_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
