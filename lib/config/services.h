/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of struct config that says what connections are for. */
#ifndef CONFIG_SERVICES_H
#define CONFIG_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/types.h"

/* As http3/http3.h has them. */
struct config_http3 {
	uint32_t field_section_bytes, discard_bytes;
};

struct config_services {
	bool h3, hq, echo, chat;
	uint16_t udp_echo_port; /* 0: off */
};

/* As service/host.h has them; counts are of all shards together, per shard, or per connection, as keys.c says. */
struct config_bus {
	uint32_t connections, held, hold_ms;
	uint32_t posts_waiting, posts_per_turn, posts_per_s, posts_burst;
	uint32_t topics, subscribers, topic_subscribers;
};

/* A service from a shared object. */
struct config_service {
	char file[CONFIG_PATH_BYTES];
	char options[CONFIG_OPTIONS_BYTES];
};

struct config_files {
	char root[CONFIG_PATH_BYTES]; /* "": none */
};

#endif
