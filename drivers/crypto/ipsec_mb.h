/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The crypto backend of production: Intel's IPsec-MB, called directly for GCM (its job calls run GCM packet by
 * packet as well, and cost more), and AES-NI for masks and blocks. The library picks the best code for the CPU.
 * One per thread. The memory holds everything, keys of callers excepted.
 */
#ifndef DRIVERS_CRYPTO_IPSEC_MB_H
#define DRIVERS_CRYPTO_IPSEC_MB_H

#include "crypto/crypto.h"

enum crypto_ipsec_mb_flags {
	CRYPTO_IPSEC_MB_NO_AESNI = 1, /* as on a CPU without AES-NI, for tests */
};

/* Octets of memory for one backend. */
size_t crypto_ipsec_mb_bytes(void);
/* `memory` is aligned to CRYPTO_ALIGNMENT. NULL if the library finds no code for this CPU. */
struct crypto_backend *crypto_ipsec_mb_open(void *memory, unsigned int flags);
/* Wipes the memory, which stays the caller's. */
void crypto_ipsec_mb_close(struct crypto_backend *backend);

#endif
