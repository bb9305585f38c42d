/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "manager/notices.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "shard/group.h"

enum { TAKEN_AT_ONCE = 256 };

bool
manager_notices_may_tell(struct manager_notices *notices, uint64_t now_ns, uint32_t *left_out)
{
	uint64_t second = now_ns / BASE_SECOND;

	*left_out = 0;
	notices->taken++;
	if (second != notices->second) {
		*left_out = notices->left_out;
		notices->second = second;
		notices->told = 0;
		notices->left_out = 0;
	}
	if (notices->told == MANAGER_NOTICES_PER_SECOND) {
		notices->left_out++;
		notices->dropped++;
		return false;
	}
	notices->told++;
	return true;
}

void
manager_notice_text(const struct service_post *post, char text[MANAGER_NOTICE_BYTES])
{
	uint32_t length = post->length < SERVICE_POST_BYTES ? post->length : SERVICE_POST_BYTES;

	_Static_assert((int)SERVICE_POST_BYTES < (int)MANAGER_NOTICE_BYTES, "a post fits a line");
	memcpy(text, post->octets, length);
	base_text_clean(text, length);
	text[length] = '\0';
}

static void
tell(const struct shard_group *group, const struct service_post *post)
{
	const struct service_set *set = group->config.seats[post->from_shard].services;
	char text[MANAGER_NOTICE_BYTES];

	manager_notice_text(post, text);
	base_log(BASE_LOG_WARNING, "service %s on shard %u: %s", set->services[post->service - 1].ops->name,
		post->from_shard, text);
}

void
manager_notices_tick(struct manager_notices *notices, struct shard_group *group, uint64_t now_ns)
{
	struct service_post post;
	uint32_t left_out;

	for (int i = 0; i < TAKEN_AT_ONCE && shard_group_next_notice(group, &post); i++) {
		bool may = manager_notices_may_tell(notices, now_ns, &left_out);

		if (left_out > 0)
			base_log(BASE_LOG_WARNING, "services had %u more to say, which was left out",
				left_out);
		if (may)
			tell(group, &post);
	}
}
