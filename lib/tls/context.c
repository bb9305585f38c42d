/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "tls/allocate.h"

enum {
	LIFETIME_DEFAULT_S = 24 * 3600,
	LIFETIME_MAX_S = 7 * 24 * 3600, /* RFC 8446 section 4.6.1 */
	MESSAGE_BYTES_MIN = 4096
};

static bool
fail(char *sentence, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, TLS_SENTENCE_BYTES, format, arguments);
	va_end(arguments);
	return false;
}

static bool
set_alpn(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	if (settings->alpn_count == 0 || settings->alpn_count > TLS_ALPN_MAX)
		return fail(sentence, "ALPN: %u protocols given; QUIC needs one at least and %d are the most",
			settings->alpn_count, TLS_ALPN_MAX);
	for (uint32_t i = 0; i < settings->alpn_count; i++) {
		const char *name = settings->alpn[i];

		if (name[0] == '\0' || strlen(name) > TLS_ALPN_BYTES || strchr(name, ',') != NULL)
			return fail(sentence,
				"ALPN \"%s\": a protocol has 1 to %d octets and no comma; mend the name",
				name, TLS_ALPN_BYTES);
		memcpy(context->alpn[i], name, strlen(name) + 1);
	}
	context->alpn_count = settings->alpn_count;
	return true;
}

static const char *
suite_name(uint16_t suite)
{
	switch (suite) {
	case TLS_AES_128_GCM_SHA256:
		return "TLS13-AES128-GCM-SHA256";
	case TLS_AES_256_GCM_SHA384:
		return "TLS13-AES256-GCM-SHA384";
	case TLS_CHACHA20_POLY1305_SHA256:
		return "TLS13-CHACHA20-POLY1305-SHA256";
	default:
		return NULL;
	}
}

static bool
set_suites(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	static const uint16_t all[] = {
		TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256};
	const uint16_t *suites = settings->suite_count > 0 ? settings->suites : all;
	uint32_t count = settings->suite_count > 0 ? settings->suite_count : TLS_SUITES_MAX;
	char list[128] = "";

	if (count > TLS_SUITES_MAX)
		return fail(sentence, "cipher suites: %u given, %d are the most", count, TLS_SUITES_MAX);
	for (uint32_t i = 0; i < count; i++) {
		if (suite_name(suites[i]) == NULL)
			return fail(sentence,
				"cipher suite 0x%04x is not one of AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305",
				suites[i]);
		if (i > 0)
			strcat(list, ":");
		strcat(list, suite_name(suites[i]));
	}
	if (wolfSSL_CTX_set_cipher_list(context->library, list) != WOLFSSL_SUCCESS)
		return fail(sentence, "cipher suites %s: this %s has not all of them", list,
			tls_library_version());
	return true;
}

static bool
set_groups(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	static const uint16_t all[] = {
		TLS_GROUP_X25519MLKEM768, TLS_GROUP_X25519, TLS_GROUP_SECP256R1, TLS_GROUP_SECP384R1};
	const uint16_t *groups = settings->group_count > 0 ? settings->groups : all;
	uint32_t given = settings->group_count > 0 ? settings->group_count : TLS_GROUPS_MAX, count = 0;
	int chosen[TLS_GROUPS_MAX];

	if (given > TLS_GROUPS_MAX)
		return fail(sentence, "groups: %u given, %d are the most", given, TLS_GROUPS_MAX);
	for (uint32_t i = 0; i < given; i++) {
		if (tls_has_group(groups[i]))
			chosen[count++] = groups[i];
		else if (settings->group_count > 0)
			return fail(sentence, "group 0x%04x is not in this %s; leave it out", groups[i],
				tls_library_version());
	}
	context->first_group = (uint16_t)chosen[0];
	if (wolfSSL_CTX_set_groups(context->library, chosen, (int)count) != WOLFSSL_SUCCESS)
		return fail(sentence, "groups: this %s refuses them", tls_library_version());
	return true;
}

static bool
set_tickets(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	uint32_t lifetime_s =
		settings->ticket_lifetime_s > 0 ? settings->ticket_lifetime_s : LIFETIME_DEFAULT_S;

	if (lifetime_s > LIFETIME_MAX_S)
		return fail(sentence, "ticket lifetime of %u s: RFC 8446 allows %d s (7 days) at most",
			lifetime_s, LIFETIME_MAX_S);
	if (settings->ticket_keys.count > TLS_TICKET_KEYS_MAX)
		return fail(sentence, "ticket keys: %u given, %d are the most", settings->ticket_keys.count,
			TLS_TICKET_KEYS_MAX);
	context->ticket_lifetime_s = lifetime_s;
	context->ticket_keys = settings->ticket_keys;
	/* The session's timeout is how long wolfSSL itself takes a ticket. */
	wolfSSL_CTX_set_timeout(context->library, lifetime_s);
	wolfSSL_CTX_set_session_cache_mode(context->library, WOLFSSL_SESS_CACHE_OFF);
	wolfSSL_CTX_set_max_early_data(context->library, 0);
	if (context->role == TLS_SERVER) {
		wolfSSL_CTX_set_TicketEncCb(context->library, tls_ticket_crypt);
		wolfSSL_CTX_set_TicketHint(context->library, (int)lifetime_s);
	}
	return true;
}

static bool
configure(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	uint32_t message_bytes = settings->message_max_bytes;

	if (message_bytes == 0)
		message_bytes = context->role == TLS_SERVER ? TLS_CLIENT_HELLO_BYTES_DEFAULT
							    : TLS_MESSAGE_BYTES_DEFAULT;
	if (message_bytes < MESSAGE_BYTES_MIN)
		return fail(sentence, "longest handshake message of %u octets: %d are the least",
			message_bytes, MESSAGE_BYTES_MIN);
	context->message_max_bytes = message_bytes;
	/* A client asks servers of its own choice: their long chains are left to the heap's part. */
	context->session_bytes = tls_memory_share(context->role == TLS_SERVER ? message_bytes : 0);
	if (!set_alpn(context, settings, sentence) || !set_suites(context, settings, sentence) ||
		!set_groups(context, settings, sentence) || !set_tickets(context, settings, sentence))
		return false;
	if (wolfSSL_CTX_set_quic_method(context->library, &tls_quic_method) != WOLFSSL_SUCCESS)
		return fail(sentence, "this %s was built without QUIC; run app/setup", tls_library_version());
	return context->role == TLS_SERVER ? tls_certificate_load(context, settings, sentence)
					   : tls_verify_load(context, settings, sentence);
}

/* A client keeps the CAs it trusts. */
static size_t
share(enum tls_role role)
{
	return role == TLS_SERVER ? TLS_MEMORY_CONTEXT_BYTES : TLS_MEMORY_CLIENT_CONTEXT_BYTES;
}

static void
context_free(struct tls_context *context)
{
	size_t bytes = share(context->role);

	explicit_bzero(context, sizeof(*context));
	tls_plan_remove(context, bytes);
	tls_release(context);
}

struct tls_context *
tls_context_open(const struct tls_settings *settings, uint64_t unix_s, char sentence[TLS_SENTENCE_BYTES])
{
	struct tls_context *context;

	tls_library_init();
	if (!tls_plan_add(share(settings->role))) {
		fail(sentence, "no memory for a TLS context; give more TLS memory");
		return NULL;
	}
	context = tls_allocate(sizeof(*context));
	if (context == NULL) {
		tls_plan_remove(NULL, share(settings->role));
		fail(sentence, "no memory for a TLS context; give more TLS memory");
		return NULL;
	}
	memset(context, 0, sizeof(*context));
	context->role = settings->role;
	context->unix_s = unix_s;
	if (wc_InitRng(&context->random) != 0) {
		fail(sentence, "the system gives no random octets; is /dev/urandom there?");
		context_free(context);
		return NULL;
	}
	context->library = wolfSSL_CTX_new(
		settings->role == TLS_SERVER ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method());
	if (context->library == NULL)
		fail(sentence, "no memory for a TLS context; give more TLS memory");
	if (context->library == NULL || !configure(context, settings, sentence)) {
		tls_context_close(context);
		return NULL;
	}
	return context;
}

void
tls_context_close(struct tls_context *context)
{
	base_assert(context->sessions == 0);
	wolfSSL_CTX_free(context->library);
	wc_FreeRng(&context->random);
	context_free(context);
}

void
tls_context_set_time(struct tls_context *context, uint64_t unix_s)
{
	context->unix_s = unix_s;
}

void
tls_context_set_ticket_keys(struct tls_context *context, const struct tls_ticket_keys *keys)
{
	base_assert(keys->count <= TLS_TICKET_KEYS_MAX);
	context->ticket_keys = *keys;
}
