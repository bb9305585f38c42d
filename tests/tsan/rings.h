/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Included before all else (-include) where rte_ring is used, in the build with ThreadSanitizer alone. A ring whose writers use the
 * relaxed tail publishes by an exchange of 64 bits, { count, position }, of which the reader loads the 32 of the position;
 * ThreadSanitizer knows atomics by their address, so for it these are two things, and all that goes through the ring looks like
 * a race. (With the plain tail it is no better: there a writer waits for the one before with a relaxed load, and then covers up its
 * release by a store.) So the release is stated again at the address that the reader acquires: what was done before an element was
 * put into a ring is seen by who takes it out. The ring's own places are left to suppressions.txt.
 */
#ifndef TESTS_TSAN_RINGS_H
#define TESTS_TSAN_RINGS_H

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <sanitizer/tsan_interface.h>

static inline struct rte_ring *
tsan_ring_release(struct rte_ring *ring)
{
	__tsan_release((void *)(uintptr_t)&ring->prod.tail);
	return ring;
}

#define rte_ring_enqueue_burst(ring, ...) rte_ring_enqueue_burst(tsan_ring_release(ring), __VA_ARGS__)
#define rte_ring_enqueue_elem(ring, ...) rte_ring_enqueue_elem(tsan_ring_release(ring), __VA_ARGS__)

#endif
