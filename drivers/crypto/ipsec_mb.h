/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The crypto backend of production: Intel's IPsec-MB, called directly for GCM (its job calls run GCM packet by
 * packet as well, and cost more), and AES-NI for masks and blocks. The library picks the best code for the CPU,
 * of which it wants SSE4.2, AES-NI and PCLMULQDQ at least. One per thread. The memory holds everything, keys of
 * callers excepted.
 */
#ifndef DRIVERS_CRYPTO_IPSEC_MB_H
#define DRIVERS_CRYPTO_IPSEC_MB_H

#include "crypto/crypto.h"

/* Which of the library's codes: the best for this CPU, or a lesser one, for tests. */
enum crypto_ipsec_mb_code {
	CRYPTO_IPSEC_MB_AUTO,
	CRYPTO_IPSEC_MB_SSE,
	CRYPTO_IPSEC_MB_AVX,
	CRYPTO_IPSEC_MB_AVX2,
	CRYPTO_IPSEC_MB_CODE_COUNT
};

/* Version of the library, for `millrace version`. */
const char *crypto_ipsec_mb_version(void);
/* Octets of memory for one backend. */
size_t crypto_ipsec_mb_bytes(void);
/* `memory` is aligned to CRYPTO_ALIGNMENT. NULL if the CPU has not what the code needs. */
struct crypto_backend *crypto_ipsec_mb_open(void *memory, enum crypto_ipsec_mb_code code);
/* Wipes the memory, which stays the caller's. */
void crypto_ipsec_mb_close(struct crypto_backend *backend);

#endif
