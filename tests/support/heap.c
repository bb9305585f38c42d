/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/heap.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static atomic_uint_fast64_t calls;

uint64_t
heap_calls(void)
{
	return atomic_load(&calls);
}

#ifdef SANITIZED

#include <sanitizer/allocator_interface.h>

static void
on_malloc(const volatile void *block, size_t bytes)
{
	(void)block;
	(void)bytes;
	atomic_fetch_add(&calls, 1);
}

static void
on_free(const volatile void *block)
{
	(void)block;
	atomic_fetch_add(&calls, 1);
}

static void __attribute__((constructor)) install(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

#else

/* What glibc's own functions are called beside their public names. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

void *malloc(size_t bytes);
void *calloc(size_t count, size_t bytes);
void *realloc(void *block, size_t bytes);
void *memalign(size_t alignment, size_t bytes);
void *aligned_alloc(size_t alignment, size_t bytes);
int posix_memalign(void **block, size_t alignment, size_t bytes);
void free(void *block);

void *
malloc(size_t bytes)
{
	atomic_fetch_add(&calls, 1);
	return __libc_malloc(bytes);
}

void *
calloc(size_t count, size_t bytes)
{
	atomic_fetch_add(&calls, 1);
	return __libc_calloc(count, bytes);
}

void *
realloc(void *block, size_t bytes)
{
	atomic_fetch_add(&calls, 1);
	return __libc_realloc(block, bytes);
}

void *
memalign(size_t alignment, size_t bytes)
{
	atomic_fetch_add(&calls, 1);
	return __libc_memalign(alignment, bytes);
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int
posix_memalign(void **block, size_t alignment, size_t bytes)
{
	*block = memalign(alignment, bytes);
	return *block == NULL ? ENOMEM : 0;
}

void
free(void *block)
{
	atomic_fetch_add(&calls, 1);
	__libc_free(block);
}

#endif
