/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts the program's calls of malloc(), free() and their kin, whoever makes them, to show that there are none.
 * For programs that link heap.c: it stands in the place of the C library's functions, or hooks the sanitizer's.
 */
#ifndef TESTS_SUPPORT_HEAP_H
#define TESTS_SUPPORT_HEAP_H

#include <stdint.h>

/* Calls since the start. */
uint64_t heap_calls(void);

#endif
