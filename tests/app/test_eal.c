/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <sched.h>
#include <string.h>

#include "app/millrace/eal.h"

static struct config config;
static struct eal_arguments arguments;
static char error[512];

static int
setup(void **state)
{
	config_example(&config);
	strcpy(config.ports[0].device, "net_null0");
	config.shards.count = 2;
	config.shards.cpus.count = 2;
	config.shards.cpus.items[0] = 3;
	config.shards.cpus.items[1] = 5;
	return 0;
}

/* The arguments as one line. */
static const char *
built(int more_count, char *const *more)
{
	static char line[EAL_TEXT_BYTES];

	assert_true(eal_build(&arguments, &config, more_count, more, error, sizeof(error)));
	line[0] = '\0';
	for (int i = 0; i < arguments.count; i++) {
		strcat(line, arguments.items[i]);
		strcat(line, " ");
	}
	assert_null(arguments.items[arguments.count]);
	return line;
}

static void
eal_cpus__names_the_one_that_is_not_there(void **state)
{
	uint16_t here = (uint16_t)sched_getcpu();

	config.shards.manager_cpu = config.shards.cpus.items[0] = config.shards.cpus.items[1] = here;
	assert_true(eal_cpus(&config, error, sizeof(error)));
	config.shards.cpus.items[1] = 1023;
	assert_false(eal_cpus(&config, error, sizeof(error)));
	assert_non_null(strstr(error, "[shards] cpus names CPU 1023"));
	config.shards.manager_cpu = 1022;
	assert_false(eal_cpus(&config, error, sizeof(error)));
	assert_non_null(strstr(error, "[shards] manager_cpu names CPU 1022"));
}

static void
eal_build__lays_shards_on_their_cpus(void **state)
{
	assert_string_equal(built(0, NULL),
		"millrace --file-prefix millrace --lcores 0@0,1@3,2@5 --main-lcore 0 -m 512 --in-memory --no-pci "
		"--log-level=*:error ");
}

static void
eal_build__takes_no_huge_from_either_side(void **state)
{
	char no_huge[] = "--no-huge", *more[] = {no_huge};

	assert_null(strstr(built(1, more), "--in-memory"));
	assert_non_null(strstr(built(1, more), "--no-huge"));
	config.memory.hugepages = false;
	assert_null(strstr(built(0, NULL), "--in-memory"));
	assert_non_null(strstr(built(0, NULL), "--no-huge"));
}

static void
eal_build__allows_just_the_cards_that_are_named(void **state)
{
	strcpy(config.ports[0].device, "0000:01:00.0");
	assert_non_null(strstr(built(0, NULL), "-a 0000:01:00.0"));
	assert_null(strstr(built(0, NULL), "--no-pci"));
}

static void
eal_build__refuses_too_many_arguments(void **state)
{
	char verbose[] = "-v", *more[EAL_ARGUMENTS_MAX];

	for (int i = 0; i < EAL_ARGUMENTS_MAX; i++)
		more[i] = verbose;
	assert_false(eal_build(&arguments, &config, EAL_ARGUMENTS_MAX, more, error, sizeof(error)));
	assert_non_null(strstr(error, "too many EAL arguments"));
}

static void
eal_hugepages__tells_how_to_get_them(void **state)
{
	char no_huge[] = "--no-huge", *more[] = {no_huge};

	config.memory.megabytes = 1 << 20;
	assert_false(eal_hugepages(&config, 0, NULL, error, sizeof(error)));
	assert_non_null(strstr(error, "sysctl vm.nr_hugepages="));
	assert_true(eal_hugepages(&config, 1, more, error, sizeof(error)));
	config.memory.hugepages = false;
	assert_true(eal_hugepages(&config, 0, NULL, error, sizeof(error)));
}

static void
eal_is_pci__knows_addresses_of_cards(void **state)
{
	assert_true(eal_is_pci("0000:01:00.0"));
	assert_true(eal_is_pci("af:00.1"));
	assert_false(eal_is_pci("net_af_packet0,iface=mill0"));
	assert_false(eal_is_pci("0000:01:00.0x"));
	assert_false(eal_is_pci(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(eal_cpus__names_the_one_that_is_not_there, setup),
		cmocka_unit_test_setup(eal_build__lays_shards_on_their_cpus, setup),
		cmocka_unit_test_setup(eal_build__takes_no_huge_from_either_side, setup),
		cmocka_unit_test_setup(eal_build__allows_just_the_cards_that_are_named, setup),
		cmocka_unit_test_setup(eal_build__refuses_too_many_arguments, setup),
		cmocka_unit_test_setup(eal_hugepages__tells_how_to_get_them, setup),
		cmocka_unit_test(eal_is_pci__knows_addresses_of_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
