/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "tls/allocate.h"

/* Contexts are opened at start, by several shards at once; the first sets the library up, the others wait for it. */
void
tls_library_init(void)
{
	enum { UNTOUCHED, BUSY, READY };
	static atomic_int state = UNTOUCHED;
	int found = UNTOUCHED;
	struct tls_memory *memory;

	if (atomic_compare_exchange_strong(&state, &found, BUSY)) {
		base_assert(wolfSSL_SetAllocators(tls_allocate, tls_release, tls_reallocate) == 0);
		/* What the library keeps for the whole process is of no shard's memory, which may be closed before it. */
		memory = tls_memory_bind(NULL);
		base_assert(wolfSSL_Init() == WOLFSSL_SUCCESS);
		tls_memory_bind(memory);
		atomic_store(&state, READY);
	}
	while (atomic_load(&state) != READY)
		;
}

const char *
tls_library_version(void)
{
	return "wolfSSL " LIBWOLFSSL_VERSION_STRING;
}

bool
tls_has_group(uint16_t group)
{
	switch (group) {
	case TLS_GROUP_SECP256R1:
	case TLS_GROUP_SECP384R1:
	case TLS_GROUP_X25519:
		return true;
	case TLS_GROUP_X25519MLKEM768:
		/* Releases before 5.8 know a draft of it under another number. */
#if LIBWOLFSSL_VERSION_HEX >= 0x05008000 && defined(WOLFSSL_HAVE_MLKEM)
		return true;
#else
		return false;
#endif
	default:
		return false;
	}
}
