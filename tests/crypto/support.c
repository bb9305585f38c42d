/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/crypto/wolfcrypt.h"
#ifdef HAVE_IPSEC_MB
#include "drivers/crypto/ipsec_mb.h"
#endif
#include "support.h"

static struct backends opened;

int
backends_open(void **state)
{
	opened.count = 0;
	opened.memory[opened.count] = aligned_alloc(CRYPTO_ALIGNMENT, crypto_wolfcrypt_bytes());
	opened.backend[opened.count] = crypto_wolfcrypt_open(opened.memory[opened.count]);
	opened.count++;
#ifdef HAVE_IPSEC_MB
	for (int code = 0; code < CRYPTO_IPSEC_MB_CODE_COUNT; code++) {
		void *memory = aligned_alloc(CRYPTO_ALIGNMENT, crypto_ipsec_mb_bytes());
		struct crypto_backend *backend = crypto_ipsec_mb_open(memory, code);

		if (backend == NULL) {
			assert_int_not_equal(code, CRYPTO_IPSEC_MB_AUTO);
			free(memory);
			continue;
		}
		opened.memory[opened.count] = memory;
		opened.backend[opened.count++] = backend;
	}
#endif
	*state = &opened;
	return 0;
}

int
backends_close(void **state)
{
	crypto_wolfcrypt_close(opened.backend[0]);
#ifdef HAVE_IPSEC_MB
	for (uint32_t i = 1; i < opened.count; i++)
		crypto_ipsec_mb_close(opened.backend[i]);
#endif
	for (uint32_t i = 0; i < opened.count; i++)
		free(opened.memory[i]);
	return 0;
}

static uint8_t
digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

size_t
hex(const char *digits, uint8_t *octets)
{
	size_t length = strlen(digits) / 2;

	for (size_t i = 0; i < length; i++)
		octets[i] = (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
	return length;
}

void
assert_hex(const uint8_t *octets, const char *digits)
{
	uint8_t wanted[2048];
	size_t length = hex(digits, wanted);

	assert_memory_equal(octets, wanted, length);
}

void *
expand(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key)
{
	void *expanded = aligned_alloc(CRYPTO_ALIGNMENT, backend->aead_key_bytes[aead]);

	crypto_expand_key(backend, aead, key, expanded);
	return expanded;
}

void *
expand_mask(struct crypto_backend *backend, enum crypto_aead aead, const uint8_t *key)
{
	void *expanded = aligned_alloc(CRYPTO_ALIGNMENT, backend->mask_key_bytes[aead]);

	crypto_expand_mask_key(backend, aead, key, expanded);
	return expanded;
}
