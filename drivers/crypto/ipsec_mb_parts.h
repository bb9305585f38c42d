/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parts of the ipsec_mb backend that the library has no fast call for. AES keys are the library's: schedules of
 * 11 or 15 round keys, for AES-NI, without which no backend opens.
 */
#ifndef DRIVERS_CRYPTO_IPSEC_MB_PARTS_H
#define DRIVERS_CRYPTO_IPSEC_MB_PARTS_H

#include "crypto/crypto.h"

#define IPSEC_MB_ROUNDS_128 10
#define IPSEC_MB_ROUNDS_256 14
#define IPSEC_MB_SCHEDULE_BYTES(rounds) (((rounds) + 1) * CRYPTO_BLOCK_BYTES)

/* Masks of jobs whose keys are AES schedules of the same number of rounds. */
void ipsec_mb_mask_aes(struct crypto_mask_job *jobs, uint32_t count, int rounds);
/* AES-128 blocks in place, with the schedule of that direction. */
void ipsec_mb_block_encrypt(const void *schedule, uint8_t *blocks, uint32_t count);
void ipsec_mb_block_decrypt(const void *schedule, uint8_t *blocks, uint32_t count);
/* RFC 9001 5.4.4; the keys are raw. */
void ipsec_mb_mask_chacha20(struct crypto_mask_job *jobs, uint32_t count);

/* One hash of octets in one piece, on a CPU with the SHA extensions; the caller asks. */
void ipsec_mb_sha256(const uint8_t *octets, size_t length, uint8_t *digest);

#endif
