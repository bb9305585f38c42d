/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Assertions that stay in release builds. They are for our own faults only: what a peer sent or an operator
 * wrote is never asserted.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#include <assert.h>

/* Prints expression and place, then aborts. */
_Noreturn void base_assert_failed(const char *expression, const char *file, int line);

/* Cheap checks, always on. */
#define base_assert(expression) ((expression) ? (void)0 : base_assert_failed(#expression, __FILE__, __LINE__))

/* Costly checks (invariants that walk a structure), on in debug and sanitizer builds only. */
#ifdef MILLRACE_CHECKS
#define base_check(expression) base_assert(expression)
#else
#define base_check(expression) ((void)0)
#endif

#endif
