/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The planted fault: lib/quic/slot.c compiled with this in front of it (-include) has ownership words without release and acquire. */
#ifndef TESTS_TSAN_RELAXED_H
#define TESTS_TSAN_RELAXED_H

#include <stdatomic.h>

#define memory_order_release memory_order_relaxed
#define memory_order_acquire memory_order_relaxed

#endif
