/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A sanitizer has the heap to itself and tells of it; else glibc's functions are wrapped in ours. */
#include "tests/sim/heap.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Volatile: a compiler knows malloc() and what it does not look at. */
static volatile uint64_t calls;
static volatile bool own; /* the simulator asks for itself */

static void
count(void)
{
	if (!own)
		calls = calls + 1;
}

#ifdef SANITIZED

#include <sanitizer/allocator_interface.h>

static void
on_malloc(const volatile void *memory, size_t bytes)
{
	count();
}

static void
on_free(const volatile void *memory)
{
	if (memory != NULL)
		count();
}

uint64_t
sim_heap_calls(void)
{
	static bool installed;

	if (!installed && __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) == 0)
		abort();
	installed = true;
	return calls;
}

#else

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *memory);

void *
malloc(size_t bytes)
{
	count();
	return __libc_malloc(bytes);
}

void *
calloc(size_t elements, size_t bytes)
{
	count();
	return __libc_calloc(elements, bytes);
}

void *
realloc(void *memory, size_t bytes)
{
	count();
	return __libc_realloc(memory, bytes);
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	count();
	return __libc_memalign(alignment, bytes);
}

int
posix_memalign(void **memory, size_t alignment, size_t bytes)
{
	count();
	*memory = __libc_memalign(alignment, bytes);
	return *memory == NULL ? ENOMEM : 0;
}

void
free(void *memory)
{
	if (memory != NULL)
		count();
	__libc_free(memory);
}

uint64_t
sim_heap_calls(void)
{
	return calls;
}

#endif

void *
sim_heap_take(size_t bytes)
{
	void *memory;

	own = true;
	memory = calloc(1, bytes);
	own = false;
	if (memory == NULL)
		abort();
	return memory;
}

void
sim_heap_give(void *memory)
{
	own = true;
	free(memory);
	own = false;
}
