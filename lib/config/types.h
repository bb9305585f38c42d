/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a value of the configuration can be, how large each may get, and what is said about those that are wrong. */
#ifndef CONFIG_TYPES_H
#define CONFIG_TYPES_H

#include <stdbool.h>
#include <stdint.h>

enum {
	CONFIG_PORTS_MAX = 8,
	CONFIG_SERVICES_MAX = 8,   /* from shared objects */
	CONFIG_ENTRIES_MAX = 8,    /* of any array of tables */
	CONFIG_ADDRESSES_MAX = 15, /* of a port, both IP versions together */
	CONFIG_SHARDS_MAX = 64,
	CONFIG_WORDS_MAX = 8,
	CONFIG_NAME_BYTES = 32,
	CONFIG_DEVICE_BYTES = 128,
	CONFIG_PATH_BYTES = 256,
	CONFIG_OPTIONS_BYTES = 512,
	CONFIG_LINES_MAX = 16, /* mistakes told at once */
	CONFIG_LINE_BYTES = 512
};

struct config_address {
	uint8_t ip[16];
	uint8_t prefix_bits; /* of an IPv4 address 0 to 32; gateways have none */
};

bool config_address_is_ipv4(const struct config_address *address);

struct config_addresses {
	uint32_t count;
	struct config_address items[CONFIG_ADDRESSES_MAX];
};

/* A choice of words, in the operator's order: the enum of each key. */
struct config_words {
	uint32_t count;
	uint8_t items[CONFIG_WORDS_MAX];
};

struct config_numbers {
	uint32_t count;
	uint16_t items[CONFIG_SHARDS_MAX];
};

struct config_mistakes {
	uint32_t count; /* also of those for which there was no room */
	uint32_t told;
	struct {
		uint32_t line, column;
		char text[CONFIG_LINE_BYTES];
	} lines[CONFIG_LINES_MAX]; /* by line */
};

#endif
