/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Posts to the manager: what services have to say to the operator, since shards write no log. So many lines a second, and a line that
 * says how many were left out.
 */
#ifndef MANAGER_NOTICES_H
#define MANAGER_NOTICES_H

#include <stdbool.h>
#include <stdint.h>

#include "service/post.h"

struct shard_group;

enum { MANAGER_NOTICES_PER_SECOND = 10, MANAGER_NOTICE_BYTES = 256 };

struct manager_notices {
	uint64_t second; /* the one that is counted */
	uint32_t told;   /* lines in it */
	uint32_t left_out;
	uint64_t taken, dropped; /* in all */
};

/* Takes what is there and puts it into the log. */
void manager_notices_tick(struct manager_notices *notices, struct shard_group *group, uint64_t now_ns);
/* Whether one more line may be told now; else it is counted. *left_out is what has to be said before it. */
bool manager_notices_may_tell(struct manager_notices *notices, uint64_t now_ns, uint32_t *left_out);
/* The text of a post for a line of the log: nothing that a terminal would obey. */
void manager_notice_text(const struct service_post *post, char text[MANAGER_NOTICE_BYTES]);

#endif
