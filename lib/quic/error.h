/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The transport error codes of RFC 9000 section 20.1, as they go into CONNECTION_CLOSE of type 0x1c. Functions
 * that judge what a peer sent return one of them as uint64_t; QUIC_NO_ERROR means that all is well.
 */
#ifndef QUIC_ERROR_H
#define QUIC_ERROR_H

#include <stdint.h>

#define QUIC_NO_ERROR UINT64_C(0x00)
#define QUIC_INTERNAL_ERROR UINT64_C(0x01)
#define QUIC_CONNECTION_REFUSED UINT64_C(0x02)
#define QUIC_FLOW_CONTROL_ERROR UINT64_C(0x03)
#define QUIC_STREAM_LIMIT_ERROR UINT64_C(0x04)
#define QUIC_STREAM_STATE_ERROR UINT64_C(0x05)
#define QUIC_FINAL_SIZE_ERROR UINT64_C(0x06)
#define QUIC_FRAME_ENCODING_ERROR UINT64_C(0x07)
#define QUIC_TRANSPORT_PARAMETER_ERROR UINT64_C(0x08)
#define QUIC_CONNECTION_ID_LIMIT_ERROR UINT64_C(0x09)
#define QUIC_PROTOCOL_VIOLATION UINT64_C(0x0a)
#define QUIC_INVALID_TOKEN UINT64_C(0x0b)
#define QUIC_APPLICATION_ERROR UINT64_C(0x0c)
#define QUIC_CRYPTO_BUFFER_EXCEEDED UINT64_C(0x0d)
#define QUIC_KEY_UPDATE_ERROR UINT64_C(0x0e)
#define QUIC_AEAD_LIMIT_REACHED UINT64_C(0x0f)
#define QUIC_NO_VIABLE_PATH UINT64_C(0x10)
#define QUIC_VERSION_NEGOTIATION_ERROR UINT64_C(0x11) /* RFC 9368; told to the application only */

/* CRYPTO_ERROR: the range of a TLS alert description (RFC 9001 section 4.8). */
#define QUIC_CRYPTO_ERROR(alert) (UINT64_C(0x0100) + (uint8_t)(alert))

/* The code's name in the RFC, for logs; "CRYPTO_ERROR" for its whole range, "unknown" for others. */
const char *quic_error_name(uint64_t code);

#endif
