/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config/value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"

bool
config_address_is_ipv4(const struct config_address *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return memcmp(address->ip, mapped, sizeof(mapped)) == 0;
}

static bool
fails(char *sentence, const char *format, const char *what, const char *mend)
{
	snprintf(sentence, VALUE_SENTENCE_BYTES, format, what, mend);
	return false;
}

static bool
is_list(enum config_type type)
{
	return type == CONFIG_CHOICES || type == CONFIG_NUMBERS || type == CONFIG_PREFIXES ||
		type == CONFIG_IPS;
}

static const char *
wanted(enum config_type type)
{
	static const char *const names[] = {"true or false", "a whole number", "a text in quotes",
		"a text in quotes", "a list of texts, as in [\"a\", \"b\"]",
		"a list of whole numbers, as in [1, 2]", "a list of addresses, as in [\"192.0.2.1/24\"]",
		"a list of addresses, as in [\"192.0.2.254\"]"};

	return names[type];
}

static enum document_type
document_type_of(enum config_type type)
{
	if (type == CONFIG_BOOL)
		return DOCUMENT_BOOL;
	return type == CONFIG_INTEGER || type == CONFIG_NUMBERS ? DOCUMENT_INTEGER : DOCUMENT_TEXT;
}

static bool
in_range(const struct config_key *key, int64_t integer, char *sentence)
{
	if (integer >= key->minimum && integer <= key->maximum)
		return true;
	snprintf(sentence, VALUE_SENTENCE_BYTES, "%" PRId64 " is out of range; write %" PRId64 " to %" PRId64,
		integer, key->minimum, key->maximum);
	return false;
}

static void
store_integer(void *member, uint32_t bytes, uint64_t integer)
{
	if (bytes == sizeof(uint16_t))
		*(uint16_t *)member = (uint16_t)integer;
	else if (bytes == sizeof(uint32_t))
		*(uint32_t *)member = (uint32_t)integer;
	else {
		base_assert(bytes == sizeof(uint64_t));
		*(uint64_t *)member = integer;
	}
}

static uint64_t
load_integer(const void *member, uint32_t bytes)
{
	if (bytes == sizeof(uint16_t))
		return *(const uint16_t *)member;
	return bytes == sizeof(uint32_t) ? *(const uint32_t *)member : *(const uint64_t *)member;
}

static bool
plain_text(const struct document_value *value, size_t room, char *sentence)
{
	if (value->length >= room) {
		snprintf(sentence, VALUE_SENTENCE_BYTES, "the text has %zu octets; write %zu at most",
			value->length, room - 1);
		return false;
	}
	for (size_t i = 0; i < value->length; i++)
		if ((unsigned char)value->text[i] < ' ' || value->text[i] == 0x7f)
			return fails(sentence, "%s%s", "there is a control character in the text; ",
				"leave it out");
	return true;
}

static size_t
count_words(const char *const *words)
{
	size_t count = 0;

	while (words[count] != NULL)
		count++;
	return count;
}

static bool
find_word(const struct config_key *key, const char *word, uint32_t *index, char *sentence)
{
	size_t count = count_words(key->words);
	const char *nearest = value_nearest(word, key->words, count);
	int used;

	for (*index = 0; *index < count; ++*index)
		if (strcmp(word, key->words[*index]) == 0)
			return true;
	if (nearest != NULL) {
		snprintf(sentence, VALUE_SENTENCE_BYTES, "\"%.40s\" is not known; did you mean \"%s\"?", word,
			nearest);
		return false;
	}
	used = snprintf(sentence, VALUE_SENTENCE_BYTES, "\"%.40s\" is not known; write", word);
	for (size_t i = 0; i < count; i++)
		used += snprintf(sentence + used, VALUE_SENTENCE_BYTES - (size_t)used, "%s \"%s\"",
			i == 0                  ? ""
				: i + 1 < count ? ","
						: " or",
			key->words[i]);
	return false;
}

/* "192.0.2.1", "2001:db8::1", and with a prefix "192.0.2.1/24". */
static bool
parse_address(const char *text, bool prefix, struct config_address *address)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned int bits = 0;
	bool ipv4;

	memset(address, 0, sizeof(*address));
	if (length >= sizeof(ip) || prefix != (slash != NULL))
		return false;
	memcpy(ip, text, length);
	ip[length] = '\0';
	ipv4 = inet_pton(AF_INET, ip, address->ip + 12) == 1;
	if (ipv4)
		memset(address->ip + 10, 0xff, 2);
	else if (inet_pton(AF_INET6, ip, address->ip) != 1)
		return false;
	if (!prefix)
		return true;
	if (slash[1] == '\0' || strlen(slash + 1) > 3)
		return false;
	for (const char *at = slash + 1; *at != '\0'; at++) {
		if (*at < '0' || *at > '9')
			return false;
		bits = bits * 10 + (unsigned int)(*at - '0');
	}
	address->prefix_bits = (uint8_t)bits;
	return bits <= (ipv4 ? 32 : 128);
}

static bool
add_address(const struct config_key *key, struct config_addresses *list, const struct document_value *value,
	char *sentence)
{
	bool prefix = key->type == CONFIG_PREFIXES;

	if (list->count == CONFIG_ADDRESSES_MAX) {
		snprintf(sentence, VALUE_SENTENCE_BYTES, "there are more than %d addresses; leave some out",
			CONFIG_ADDRESSES_MAX);
		return false;
	}
	if (strlen(value->text) != value->length ||
		!parse_address(value->text, prefix, &list->items[list->count])) {
		snprintf(sentence, VALUE_SENTENCE_BYTES,
			"\"%.60s\" is not an address; write it as \"%s\" or \"%s\"", value->text,
			prefix ? "192.0.2.1/24" : "192.0.2.254",
			prefix ? "2001:db8::1/64" : "2001:db8::ffff");
		return false;
	}
	list->count++;
	return true;
}

static bool
add_word(const struct config_key *key, struct config_words *list, const struct document_value *value,
	char *sentence)
{
	uint32_t index;

	if (!find_word(key, value->text, &index, sentence))
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i] == index)
			return fails(sentence, "\"%s\" is there twice%s", value->text, "; leave one out");
	base_assert(list->count < CONFIG_WORDS_MAX);
	list->items[list->count++] = (uint8_t)index;
	return true;
}

static bool
add_number(const struct config_key *key, struct config_numbers *list, const struct document_value *value,
	char *sentence)
{
	if (!in_range(key, value->integer, sentence))
		return false;
	if (list->count == CONFIG_SHARDS_MAX) {
		snprintf(sentence, VALUE_SENTENCE_BYTES, "there are more than %d numbers; leave some out",
			CONFIG_SHARDS_MAX);
		return false;
	}
	list->items[list->count++] = (uint16_t)value->integer;
	return true;
}

bool
value_add(const struct config_key *key, void *member, const struct document_value *value,
	char sentence[VALUE_SENTENCE_BYTES])
{
	if (value->type != document_type_of(key->type))
		return fails(sentence, "the list holds something else; write %s%s", wanted(key->type), "");
	switch (key->type) {
	case CONFIG_CHOICES:
		return add_word(key, member, value, sentence);
	case CONFIG_NUMBERS:
		return add_number(key, member, value, sentence);
	case CONFIG_PREFIXES:
	case CONFIG_IPS:
		return add_address(key, member, value, sentence);
	default:
		base_assert(false);
		return false;
	}
}

static bool
store_list(const struct config_key *key, void *member, const struct document_value *value, char *sentence)
{
	if (value->type != DOCUMENT_LIST)
		return fails(sentence, "the value has the wrong type; write %s%s", wanted(key->type), "");
	if (value->count < key->minimum && key->type != CONFIG_NUMBERS)
		return fails(sentence, "the list is empty; write %s%s", wanted(key->type), "");
	/* The count is the first member of every list. */
	*(uint32_t *)member = 0;
	return true;
}

bool
value_store(const struct config_key *key, void *member, const struct document_value *value,
	char sentence[VALUE_SENTENCE_BYTES])
{
	uint32_t index;

	if (is_list(key->type))
		return store_list(key, member, value, sentence);
	if (value->type != document_type_of(key->type))
		return fails(sentence, "the value has the wrong type; write %s%s", wanted(key->type), "");
	switch (key->type) {
	case CONFIG_BOOL:
		*(bool *)member = value->boolean;
		return true;
	case CONFIG_INTEGER:
		if (!in_range(key, value->integer, sentence))
			return false;
		store_integer(member, key->bytes, (uint64_t)value->integer);
		return true;
	case CONFIG_TEXT:
		if (!plain_text(value, key->bytes, sentence))
			return false;
		memset(member, 0, key->bytes);
		memcpy(member, value->text, value->length);
		return true;
	default:
		if (!find_word(key, value->text, &index, sentence))
			return false;
		store_integer(member, key->bytes, index);
		return true;
	}
}

struct one {
	const struct config_key *key;
	void *member;
	bool stored;
};

static void
store_one(void *user, const char *path, uint32_t entry, const char *name, struct document_place place,
	const struct document_value *value)
{
	struct one *one = user;
	char sentence[VALUE_SENTENCE_BYTES];

	one->stored = value_store(one->key, one->member, value, sentence);
}

static void
add_one(void *user, const struct document_value *value)
{
	struct one *one = user;
	char sentence[VALUE_SENTENCE_BYTES];

	one->stored = value_add(one->key, one->member, value, sentence) && one->stored;
}

static void
one_is_broken(void *user, const char *what, struct document_place place)
{
	((struct one *)user)->stored = false;
}

void
value_store_toml(const struct config_key *key, void *member, const char *toml)
{
	struct one one = {key, member, false};
	const struct document_visitor visitor = {&one, NULL, store_one, add_one, one_is_broken};
	char text[256];
	int length = snprintf(text, sizeof(text), "value = %s\n", toml);

	base_assert(length > 0 && (size_t)length < sizeof(text));
	document_read(text, (size_t)length, &visitor);
	base_assert(one.stored);
}

/* A text holds no control characters, so these two are all there is to escape. */
static void
print_text(FILE *stream, const char *text)
{
	fputc('"', stream);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stream);
		fputc(*text, stream);
	}
	fputc('"', stream);
}

static void
print_address(FILE *stream, const struct config_address *address, bool prefix)
{
	bool ipv4 = config_address_is_ipv4(address);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(ipv4 ? AF_INET : AF_INET6, address->ip + (ipv4 ? 12 : 0), text, sizeof(text));
	fprintf(stream, prefix ? "\"%s/%u\"" : "\"%s\"", text, address->prefix_bits);
}

static void
print_element(FILE *stream, const struct config_key *key, const void *member, uint32_t i)
{
	if (key->type == CONFIG_CHOICES)
		print_text(stream, key->words[((const struct config_words *)member)->items[i]]);
	else if (key->type == CONFIG_NUMBERS)
		fprintf(stream, "%u", ((const struct config_numbers *)member)->items[i]);
	else
		print_address(stream, &((const struct config_addresses *)member)->items[i],
			key->type == CONFIG_PREFIXES);
}

void
value_print(FILE *stream, const struct config_key *key, const void *member)
{
	if (is_list(key->type)) {
		fputc('[', stream);
		for (uint32_t i = 0; i < *(const uint32_t *)member; i++) {
			fputs(i > 0 ? ", " : "", stream);
			print_element(stream, key, member, i);
		}
		fputc(']', stream);
	} else if (key->type == CONFIG_BOOL) {
		fputs(*(const bool *)member ? "true" : "false", stream);
	} else if (key->type == CONFIG_TEXT) {
		print_text(stream, member);
	} else if (key->type == CONFIG_CHOICE) {
		print_text(stream, key->words[load_integer(member, key->bytes)]);
	} else {
		fprintf(stream, "%" PRIu64, load_integer(member, key->bytes));
	}
}

/*
 * Single letters changed, left out or put in between the two (Levenshtein); words longer than that are as
 * far as can be.
 */
static size_t
distance(const char *a, const char *b)
{
	enum { LETTERS_MAX = 47 };
	size_t row[LETTERS_MAX + 1], a_length = strlen(a), b_length = strlen(b);

	if (a_length > LETTERS_MAX || b_length > LETTERS_MAX)
		return LETTERS_MAX;
	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_length];
}

const char *
value_nearest(const char *word, const char *const *words, size_t count)
{
	size_t nearest_distance = 1 + strlen(word) / 3;
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t letters = distance(word, words[i]);

		if (letters > 0 && letters <= nearest_distance &&
			(nearest == NULL || letters < nearest_distance)) {
			nearest = words[i];
			nearest_distance = letters;
		}
	}
	return nearest;
}
