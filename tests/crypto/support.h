/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The backends under test, all in memory of their own, and octets out of hexadecimal digits. */
#ifndef TESTS_CRYPTO_SUPPORT_H
#define TESTS_CRYPTO_SUPPORT_H

#include "crypto/crypto.h"

#define BACKENDS_MAX 5

/*
 * wolfcrypt first, which is the reference; then, where it is built, ipsec_mb: its best code, and each lesser one
 * that this CPU can run.
 */
struct backends {
	struct crypto_backend *backend[BACKENDS_MAX];
	void *memory[BACKENDS_MAX];
	uint32_t count;
};

/* For cmocka's group set-up and tear-down: *state is a struct backends. */
int backends_open(void **state);
int backends_close(void **state);

/* Writes strlen(digits) / 2 octets and returns their number. */
size_t hex(const char *digits, uint8_t *octets);

/* Fails the test if the octets are not those of `digits`. */
void assert_hex(const uint8_t *octets, const char *digits);

/* An expanded key in memory of its own, which is so long and not longer; the caller frees it. */
void *expand(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key);
void *expand_mask(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key);

#endif
