/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A crypto backend for tests that need any: the reference one, in memory of the process's lifetime. */
#ifndef SUPPORT_BACKEND_H
#define SUPPORT_BACKEND_H

#include <stdlib.h>

#include "drivers/crypto/wolfcrypt.h"

static inline struct crypto_backend *
support_backend(void)
{
	static struct crypto_backend *backend;

	if (backend == NULL) {
		size_t bytes =
			(crypto_wolfcrypt_bytes() + CRYPTO_ALIGNMENT - 1) & ~(size_t)(CRYPTO_ALIGNMENT - 1);

		backend = crypto_wolfcrypt_open(aligned_alloc(CRYPTO_ALIGNMENT, bytes));
	}
	return backend;
}

#endif
