/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The planted fault: compiled with this in front of it (-include), lib/quic/slot.c has ownership words without release and acquire, and
 * lib/shard/load.c questions and answers without.
 */
#ifndef TESTS_TSAN_RELAXED_H
#define TESTS_TSAN_RELAXED_H

#include <stdatomic.h>

#define memory_order_release memory_order_relaxed
#define memory_order_acquire memory_order_relaxed

#endif
