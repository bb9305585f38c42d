/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a mempool's ring does between threads happens in a library of DPDK that ThreadSanitizer has not instrumented, so it would
 * take an element that one shard gives back and another takes for a race. Here it is told what that ring guarantees, element
 * by element and no more: who takes an element sees what was done before it was given back.
 */
#ifndef TESTS_TSAN_POOLS_H
#define TESTS_TSAN_POOLS_H

/* A cmocka group setup: the EAL of tests/shard/eal.h, and all pools watched. */
int tsan_setup(void **state);

#endif
