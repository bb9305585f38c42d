/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Another planted fault: compiled with this in front of it (-include), lib/shard/mailbox.c takes the place of a post that is passed on
 * out of the share of its first poster, which is another shard's to write.
 */
#ifndef TESTS_TSAN_OTHERS_SHARE_H
#define TESTS_TSAN_OTHERS_SHARE_H

#include "service/post.h"

#define via from_shard

#endif
