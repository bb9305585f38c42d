/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time is a count of nanoseconds, uint64_t, passed in: the core reads no clock. BASE_NEVER is the deadline of
 * nothing.
 */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

#define BASE_NEVER UINT64_MAX
#define BASE_US UINT64_C(1000)
#define BASE_MS UINT64_C(1000000)
#define BASE_SECOND UINT64_C(1000000000)

static inline uint64_t
base_time_earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* a + b, where BASE_NEVER stays BASE_NEVER. */
static inline uint64_t
base_time_after(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns > BASE_NEVER - b_ns ? BASE_NEVER : a_ns + b_ns;
}

#endif
