/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The crypto backend over wolfCrypt: the reference that ipsec_mb is tested against, and the backend where
 * IPsec-MB is not to be had (clients, fuzzers, laptops).
 */
#ifndef DRIVERS_CRYPTO_WOLFCRYPT_H
#define DRIVERS_CRYPTO_WOLFCRYPT_H

#include "crypto/crypto.h"

/* Octets of memory for one backend. */
size_t crypto_wolfcrypt_bytes(void);
/* `memory` is aligned to CRYPTO_ALIGNMENT. */
struct crypto_backend *crypto_wolfcrypt_open(void *memory);
/* The memory stays the caller's. */
void crypto_wolfcrypt_close(struct crypto_backend *backend);

#endif
