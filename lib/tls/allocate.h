/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The allocator of lib/tls and of wolfSSL: from the calling thread's struct tls_memory, see memory.h. */
#ifndef TLS_ALLOCATE_H
#define TLS_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>

/* Aligned to 16, not zeroed; NULL when memory is short. */
void *tls_allocate(size_t length);
/* Takes NULL, and a block of any memory or of the plain heap. */
void tls_release(void *block);
void *tls_reallocate(void *block, size_t length);

/*
 * Promises: a context or a session is opened only when all it may need is there, as some releases of wolfSSL do not
 * come back from an allocation that fails within a handshake. True when the thread has no memory bound.
 */
bool tls_plan_add(size_t bytes);
/* `block` says whose promise it was; NULL: the calling thread's. */
void tls_plan_remove(const void *block, size_t bytes);

#endif
