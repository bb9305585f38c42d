/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates and keys: loaded, checked against each other and the clock, each fault one sentence with its mend. */
#include "tls/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/wolfcrypt/sha256.h>

enum { PEM_BYTES_MAX = 1 << 20 };

/* A PEM in memory; `name` is what the operator calls it. */
struct pem {
	const char *what;
	const char *name;
	uint8_t *octets; /* with a zero behind it; owned */
	size_t length;
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

static void
pem_free(struct pem *pem)
{
	if (pem->octets != NULL)
		explicit_bzero(pem->octets, pem->length);
	free(pem->octets);
	pem->octets = NULL;
}

static bool
pem_read_file(struct pem *pem, char *sentence)
{
	FILE *file = fopen(pem->name, "rb");

	if (file == NULL)
		return fail(sentence, "%s %s cannot be read: %s; name a PEM file that this user may read",
			pem->what, pem->name, strerror(errno));
	pem->octets = malloc(PEM_BYTES_MAX + 1);
	if (pem->octets != NULL)
		pem->length = fread(pem->octets, 1, PEM_BYTES_MAX, file);
	if (pem->octets == NULL || ferror(file) || !feof(file)) {
		fclose(file);
		return fail(sentence, "%s %s cannot be read or is longer than %d octets; name a PEM file",
			pem->what, pem->name, PEM_BYTES_MAX);
	}
	fclose(file);
	return true;
}

/* Certificates are read at start and at reload only, so the heap is the right place for the text. */
static bool
pem_read(struct pem *pem, const struct tls_pem *source, const char *what, char *sentence)
{
	*pem = (struct pem){.what = what, .name = source->file};
	if (source->octets != NULL) {
		pem->name = source->file != NULL ? source->file : "(from memory)";
		pem->octets = malloc(source->length + 1);
		if (pem->octets == NULL)
			return fail(sentence, "no memory to read the %s", what);
		memcpy(pem->octets, source->octets, source->length);
		pem->length = source->length;
	} else if (source->file == NULL) {
		return fail(sentence, "no %s is given; name a PEM file", what);
	} else if (!pem_read_file(pem, sentence)) {
		pem_free(pem);
		return false;
	}
	pem->octets[pem->length] = '\0';
	return true;
}

static bool
pem_has(const struct pem *pem, const char *text)
{
	return memmem(pem->octets, pem->length, text, strlen(text)) != NULL;
}

/* True when the time is not later than `unix_s`. */
static bool
is_past(const WOLFSSL_ASN1_TIME *time, uint64_t unix_s)
{
	time_t now = (time_t)unix_s;

	return wolfSSL_X509_cmp_time(time, &now) < 0;
}

static bool
check_dates(const struct pem *pem, uint64_t unix_s, char *sentence)
{
	WOLFSSL_X509 *leaf =
		wolfSSL_X509_load_certificate_buffer(pem->octets, (int)pem->length, WOLFSSL_FILETYPE_PEM);
	bool early, late;

	if (leaf == NULL)
		return fail(sentence, "%s %s: its first certificate cannot be read; make it again", pem->what,
			pem->name);
	early = !is_past(wolfSSL_X509_get_notBefore(leaf), unix_s);
	late = is_past(wolfSSL_X509_get_notAfter(leaf), unix_s);
	wolfSSL_X509_free(leaf);
	if (late)
		return fail(sentence, "%s %s has expired; renew it", pem->what, pem->name);
	if (early)
		return fail(sentence, "%s %s is not valid yet; set this machine's clock or make it again",
			pem->what, pem->name);
	return true;
}

static bool
load_chain(struct tls_context *context, const struct pem *pem, char *sentence)
{
	int result;

	if (!pem_has(pem, "-----BEGIN CERTIFICATE-----"))
		return fail(sentence,
			"%s %s holds no PEM certificate (no BEGIN CERTIFICATE line); name the chain, leaf first",
			pem->what, pem->name);
	result = wolfSSL_CTX_use_certificate_chain_buffer(context->library, pem->octets, (long)pem->length);
	if (result != WOLFSSL_SUCCESS)
		return fail(sentence, "%s %s is broken (%s); make it again", pem->what, pem->name,
			wolfSSL_ERR_reason_error_string((unsigned long)(result < 0 ? -result : 0)));
	return check_dates(pem, context->unix_s, sentence);
}

static bool
load_key(struct tls_context *context, const struct pem *pem, char *sentence)
{
	if (pem_has(pem, "ENCRYPTED"))
		return fail(sentence, "%s %s is encrypted; decrypt it with: openssl pkey -in %s -out NEW",
			pem->what, pem->name, pem->name);
	if (!pem_has(pem, "PRIVATE KEY-----"))
		return fail(sentence,
			"%s %s holds no PEM private key (no BEGIN PRIVATE KEY line); name the leaf's key",
			pem->what, pem->name);
	if (wolfSSL_CTX_use_PrivateKey_buffer(context->library, pem->octets, (long)pem->length,
		    WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
		return fail(sentence,
			"%s %s is broken or of an unknown kind; make it again (ECDSA P-256 serves well)",
			pem->what, pem->name);
	return true;
}

static bool
check_pair(struct tls_context *context, const struct pem *key, const struct pem *certificate, char *sentence)
{
	if (wolfSSL_CTX_check_private_key(context->library) == WOLFSSL_SUCCESS)
		return true;
	return fail(sentence, "%s %s does not belong to the certificate %s; name the key it was made with",
		key->what, key->name, certificate->name);
}

bool
tls_certificate_load(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	struct pem certificate = {0}, key = {0};
	bool ok;

	if (!pem_read(&certificate, &settings->certificate, "certificate", sentence))
		return false;
	ok = pem_read(&key, &settings->key, "private key", sentence) && load_key(context, &key, sentence) &&
		load_chain(context, &certificate, sentence) &&
		check_pair(context, &key, &certificate, sentence);
	pem_free(&certificate);
	pem_free(&key);
	return ok;
}

bool
tls_verify_load(struct tls_context *context, const struct tls_settings *settings, char *sentence)
{
	struct pem ca;
	bool ok;

	context->verify = settings->verify;
	memcpy(context->pin_sha256, settings->pin_sha256, sizeof(context->pin_sha256));
	/* A pin is compared when the handshake is complete; the chain behind it does not matter. */
	if (settings->verify != TLS_VERIFY_CA) {
		wolfSSL_CTX_set_verify(context->library, WOLFSSL_VERIFY_NONE, NULL);
		return true;
	}
	wolfSSL_CTX_set_verify(context->library, WOLFSSL_VERIFY_PEER, NULL);
	if (settings->ca.file == NULL && settings->ca.octets == NULL) {
		if (wolfSSL_CTX_load_system_CA_certs(context->library) == WOLFSSL_SUCCESS)
			return true;
		return fail(sentence,
			"the system has no CA certificates; install ca-certificates or name a CA file");
	}
	if (!pem_read(&ca, &settings->ca, "CA certificate", sentence))
		return false;
	ok = wolfSSL_CTX_load_verify_buffer(
		     context->library, ca.octets, (long)ca.length, WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS;
	if (!ok)
		fail(sentence,
			"%s %s holds no certificate that can be used; name a PEM file of CA certificates",
			ca.what, ca.name);
	pem_free(&ca);
	return ok;
}

bool
tls_pin_matches(struct tls_session *session)
{
	WOLFSSL_X509 *leaf = wolfSSL_get_peer_certificate(session->library);
	const unsigned char *der;
	uint8_t digest[32];
	int length = 0;
	bool same = false;

	if (leaf == NULL)
		return false;
	der = wolfSSL_X509_get_der(leaf, &length);
	if (der != NULL && wc_Sha256Hash(der, (word32)length, digest) == 0)
		same = memcmp(digest, session->context->pin_sha256, sizeof(digest)) == 0;
	wolfSSL_X509_free(leaf);
	return same;
}
