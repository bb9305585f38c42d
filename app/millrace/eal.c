/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "eal.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
eal_is_pci(const char *device)
{
	unsigned int domain, bus, slot, function;
	char behind;

	return sscanf(device, "%4x:%2x:%2x.%1x%c", &domain, &bus, &slot, &function, &behind) == 4 ||
		sscanf(device, "%2x:%2x.%1x%c", &bus, &slot, &function, &behind) == 3;
}

void
eal_shard_cpus(const struct config *config, uint16_t cpus[CONFIG_SHARDS_MAX])
{
	const struct config_shards *shards = &config->shards;
	uint16_t usable[CPU_SETSIZE] = {0};
	uint32_t count = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (uint16_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			usable[count++] = cpu;
	for (uint32_t i = 0; i < shards->count; i++)
		cpus[i] = shards->cpus.count > 0 ? shards->cpus.items[i]
			: count > 0              ? usable[(i + 1) % count]
						 : 0;
}

/* The kernel is asked to put this thread there, as DPDK will do later. */
static bool
usable(uint16_t cpu)
{
	cpu_set_t before, set;
	bool done;

	if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(before), &before) != 0)
		return false;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	done = sched_setaffinity(0, sizeof(set), &set) == 0;
	sched_setaffinity(0, sizeof(before), &before);
	return done;
}

bool
eal_cpus(const struct config *config, char *error, size_t room)
{
	const struct config_numbers *cpus = &config->shards.cpus;
	const char *key = "manager_cpu";
	uint16_t cpu = config->shards.manager_cpu;
	bool all = usable(cpu);

	for (uint32_t i = 0; all && i < cpus->count; i++) {
		key = "cpus";
		cpu = cpus->items[i];
		all = usable(cpu);
	}
	if (!all)
		snprintf(error, room,
			"[shards] %s names CPU %u, which is not there or not for the gateway to use: name some that lscpu "
			"says are on line, or leave the key out",
			key, cpu);
	return all;
}

static bool
has(int count, char *const *items, const char *item)
{
	for (int i = 0; i < count; i++)
		if (strcmp(items[i], item) == 0)
			return true;
	return false;
}

/* What does not fit is seen by eal_build() at the end. */
static void __attribute__((format(printf, 2, 3)))
add(struct eal_arguments *arguments, const char *format, ...)
{
	size_t room = sizeof(arguments->text) - arguments->used;
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(arguments->text + arguments->used, room, format, values);
	va_end(values);
	if (length >= 0 && (size_t)length < room && arguments->count < EAL_ARGUMENTS_MAX) {
		arguments->items[arguments->count] = arguments->text + arguments->used;
		arguments->used += (size_t)length + 1;
	}
	arguments->count++;
}

/* With @, so that there may be more lcores than CPUs. */
static void
add_lcores(struct eal_arguments *arguments, const struct config *config)
{
	char text[CONFIG_SHARDS_MAX * 12 + 16];
	uint16_t cpus[CONFIG_SHARDS_MAX];
	int used = snprintf(text, sizeof(text), "0@%u", config->shards.manager_cpu);

	eal_shard_cpus(config, cpus);
	for (uint32_t i = 0; i < config->shards.count; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, ",%u@%u",
			i + EAL_FIRST_SHARD_LCORE, cpus[i]);
	add(arguments, "--lcores");
	add(arguments, "%s", text);
}

static void
add_devices(struct eal_arguments *arguments, const struct config *config)
{
	bool pci = false;

	for (uint32_t i = 0; i < config->port_count; i++)
		if (eal_is_pci(config->ports[i].device)) {
			add(arguments, "-a");
			add(arguments, "%s", config->ports[i].device);
			pci = true;
		}
	if (!pci)
		add(arguments, "--no-pci");
}

bool
eal_build(struct eal_arguments *arguments, const struct config *config, int more_count, char *const *more,
	char *error, size_t room)
{
	bool hugepages = config->memory.hugepages && !has(more_count, more, "--no-huge");

	memset(arguments, 0, sizeof(*arguments));
	add(arguments, "millrace");
	add(arguments, "--file-prefix");
	add(arguments, "%s", config->control.name);
	add_lcores(arguments, config);
	add(arguments, "--main-lcore");
	add(arguments, "0");
	add(arguments, "-m");
	add(arguments, "%u", config->memory.megabytes);
	/* In hugepages nothing is left in a file system; without them DPDK refuses the option. */
	if (hugepages)
		add(arguments, "--in-memory");
	else if (!config->memory.hugepages)
		add(arguments, "--no-huge");
	add_devices(arguments, config);
	if (config->log_level < CONFIG_LOG_DEBUG)
		add(arguments, "--log-level=*:error");
	for (int i = 0; i < more_count; i++)
		add(arguments, "%s", more[i]);
	if (arguments->count <= EAL_ARGUMENTS_MAX)
		return true;
	snprintf(error, room, "there are too many EAL arguments: %d fit; leave some out", EAL_ARGUMENTS_MAX);
	return false;
}

/* A figure of the kernel about hugepages of `kilobytes` each: "free_hugepages", "nr_hugepages". */
static unsigned long
kernel_pages(unsigned int kilobytes, const char *figure)
{
	char name[100];
	unsigned long pages = 0;
	FILE *stream;

	snprintf(name, sizeof(name), "/sys/kernel/mm/hugepages/hugepages-%ukB/%s", kilobytes, figure);
	stream = fopen(name, "re");
	if (stream == NULL)
		return 0;
	if (fscanf(stream, "%lu", &pages) != 1)
		pages = 0;
	fclose(stream);
	return pages;
}

bool
eal_hugepages(const struct config *config, int more_count, char *const *more, char *error, size_t room)
{
	unsigned long megabytes;

	if (!config->memory.hugepages || has(more_count, more, "--no-huge"))
		return true;
	megabytes = 2 * kernel_pages(2048, "free_hugepages") + 1024 * kernel_pages(1 << 20, "free_hugepages");
	if (megabytes >= config->memory.megabytes)
		return true;
	snprintf(error, room,
		"there are %lu MB of free hugepages and [memory] megabytes wants %u: reserve them as root with "
		"\"sysctl vm.nr_hugepages=%lu\", or set [memory] hugepages = false, which is slower",
		megabytes, config->memory.megabytes,
		kernel_pages(2048, "nr_hugepages") + (config->memory.megabytes - megabytes + 1) / 2);
	return false;
}
