/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <string.h>

#include "config/keys.h"

/* Every key has its own octets, within the structure it is kept in. */
static void
config_sections__do_not_overlap(void **state)
{
	static uint8_t used[sizeof(struct config)];

	for (uint32_t i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];
		uint32_t last = section->array ? section->entries_max - 1 : 0;

		for (uint32_t j = 0; j < section->key_count; j++) {
			const struct config_key *key = &section->keys[j];
			size_t end = section->array ? section->entry_bytes : sizeof(struct config);
			uint8_t *octets = config_member((struct config *)(void *)used, section, key, last);

			assert_true(key->offset + key->bytes <= end);
			assert_true(octets + key->bytes <= used + sizeof(used));
			for (uint32_t k = 0; k < key->bytes; k++)
				assert_int_equal(octets[k]++, 0);
		}
	}
}

static void
config_sections__fit_what_is_planned_for_them(void **state)
{
	assert_true(config_section_count <= CONFIG_SECTIONS_MAX);
	for (uint32_t i = 0; i < config_section_count; i++) {
		assert_true(config_sections[i].key_count <= CONFIG_KEYS_MAX);
		assert_true(config_sections[i].entries_max <= CONFIG_ENTRIES_MAX);
		for (uint32_t j = 0; j < config_sections[i].key_count; j++) {
			const struct config_key *key = &config_sections[i].keys[j];

			assert_true(strlen(key->help) > 0);
			/* What has no default must have an example. */
			assert_true(key->by_default != NULL ||
				(config_sections[i].array && key->example != NULL));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(config_sections__do_not_overlap),
		cmocka_unit_test(config_sections__fit_what_is_planned_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
