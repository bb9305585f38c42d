/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"
#include "config/mistakes.h"
#include "config/value.h"

enum { FILE_BYTES_MAX = 1 << 20 };

static const struct config_section *
find_section(const char *name)
{
	for (uint32_t i = 0; i < config_section_count; i++)
		if (strcmp(name, config_sections[i].name) == 0)
			return &config_sections[i];
	return NULL;
}

static const struct config_key *
find_key(const struct config_section *section, const char *name)
{
	for (uint32_t i = 0; i < section->key_count; i++)
		if (strcmp(name, section->keys[i].name) == 0)
			return &section->keys[i];
	return NULL;
}

static struct document_place *
place_of(struct config_reading *reading, const struct config_section *section, uint32_t entry,
	const struct config_key *key)
{
	struct document_place(*places)[CONFIG_KEYS_MAX + 1] = reading->places[section - config_sections];

	return &places[entry][key != NULL ? key - section->keys : CONFIG_KEYS_MAX];
}

static void
tell(struct config_reading *reading, struct document_place place, const char *text)
{
	struct config_mistakes *mistakes = reading->mistakes;
	uint32_t at = mistakes->told;

	mistakes->count++;
	if (mistakes->told == CONFIG_LINES_MAX)
		return;
	while (at > 0 &&
		(mistakes->lines[at - 1].line > place.line ||
			(mistakes->lines[at - 1].line == place.line &&
				mistakes->lines[at - 1].column > place.column)))
		at--;
	memmove(&mistakes->lines[at + 1], &mistakes->lines[at],
		(mistakes->told - at) * sizeof(mistakes->lines[0]));
	mistakes->told++;
	mistakes->lines[at].line = place.line;
	mistakes->lines[at].column = place.column;
	snprintf(mistakes->lines[at].text, CONFIG_LINE_BYTES, "%.100s:%u:%u: %s", reading->name, place.line,
		place.column, text);
}

void
mistake(struct config_reading *reading, struct document_place place, const char *format, ...)
{
	char text[CONFIG_LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tell(reading, place, text);
}

void
mistake_at(struct config_reading *reading, const char *section_name, uint32_t entry, const char *key_name,
	const char *format, ...)
{
	const struct config_section *section = find_section(section_name);
	const struct config_key *key = find_key(section, key_name);
	struct document_place place = *place_of(reading, section, entry, key);
	char text[CONFIG_LINE_BYTES];
	int used = snprintf(text, sizeof(text), "%s.%s: ", section_name, key_name);
	va_list arguments;

	if (place.line == 0)
		place = *place_of(reading, section, entry, NULL);
	if (place.line == 0)
		place = (struct document_place){1, 1};
	va_start(arguments, format);
	vsnprintf(text + used, sizeof(text) - (size_t)used, format, arguments);
	va_end(arguments);
	tell(reading, place, text);
}

/* The table's name is not known. */
static void
unknown_table(struct config_reading *reading, const char *path, struct document_place place)
{
	const char *names[CONFIG_SECTIONS_MAX];
	const char *nearest;

	base_assert(config_section_count <= sizeof(names) / sizeof(names[0]));
	for (uint32_t i = 0; i < config_section_count; i++)
		names[i] = config_sections[i].name;
	nearest = value_nearest(path, names, config_section_count);
	if (nearest != NULL)
		mistake(reading, place, "%.60s: there is no such table; did you mean %s?", path, nearest);
	else
		mistake(reading, place,
			"%.60s: there is no such table; config/millrace.toml has all that there are", path);
}

static void
on_table(void *user, const char *path, uint32_t entry, bool array, struct document_place place)
{
	struct config_reading *reading = user;
	const struct config_section *section = find_section(path);

	if (section == NULL) {
		if (entry == 0)
			unknown_table(reading, path, place);
		return;
	}
	if (section->array != array) {
		if (entry == 0)
			mistake(reading, place,
				array ? "%s: there is only one such table; write [%s]"
				      : "%s: there may be several of these tables; write [[%s]]",
				path, path);
		return;
	}
	if (array && entry >= section->entries_max) {
		if (entry == section->entries_max)
			mistake(reading, place, "%s: there are more than %u; leave some out", path,
				section->entries_max);
		return;
	}
	*place_of(reading, section, entry, NULL) = place;
	if (section->array)
		*config_entries(reading->config, section) = entry + 1;
}

static void
unknown_key(struct config_reading *reading, const struct config_section *section, const char *name,
	struct document_place place)
{
	const char *names[CONFIG_KEYS_MAX];
	const char *nearest;

	base_assert(section->key_count <= CONFIG_KEYS_MAX);
	for (uint32_t i = 0; i < section->key_count; i++)
		names[i] = section->keys[i].name;
	nearest = value_nearest(name, names, section->key_count);
	if (nearest != NULL) {
		mistake(reading, place, "%s.%.60s: there is no such key; did you mean %s?", section->name,
			name, nearest);
		return;
	}
	for (uint32_t i = 0; i < config_section_count; i++)
		if (find_key(&config_sections[i], name) != NULL) {
			mistake(reading, place, "%s.%.60s: there is no such key; there is one in [%s]",
				section->name, name, config_sections[i].name);
			return;
		}
	mistake(reading, place, "%s.%.60s: there is no such key; config/millrace.toml has all that there are",
		section->name, name);
}

static void
on_value(void *user, const char *path, uint32_t entry, const char *name, struct document_place place,
	const struct document_value *value)
{
	struct config_reading *reading = user;
	const struct config_section *section = find_section(path);
	const struct config_key *key = section != NULL ? find_key(section, name) : NULL;
	char sentence[VALUE_SENTENCE_BYTES];

	reading->list_key = NULL;
	if (path[0] == '\0') {
		if (find_section(name) != NULL)
			mistake(reading, place,
				"%s: this is a table; write [%s] or [[%s]] and its keys below", name, name,
				name);
		else
			mistake(reading, place,
				"%.60s: the key is in no table; write a line like [quic] above it", name);
		return;
	}
	/* The table itself has been complained about. */
	if (section == NULL || (section->array && entry >= section->entries_max) ||
		place_of(reading, section, entry, NULL)->line == 0)
		return;
	if (key == NULL) {
		unknown_key(reading, section, name, place);
		return;
	}
	*place_of(reading, section, entry, key) = place;
	if (!value_store(key, config_member(reading->config, section, key, entry), value, sentence)) {
		mistake(reading, value->place, "%s.%s: %s", section->name, name, sentence);
		return;
	}
	if (value->type == DOCUMENT_LIST) {
		reading->list_section = section;
		reading->list_key = key;
		reading->list_entry = entry;
	}
}

static void
on_element(void *user, const struct document_value *value)
{
	struct config_reading *reading = user;
	const struct config_section *section = reading->list_section;
	char sentence[VALUE_SENTENCE_BYTES];
	void *member;

	if (reading->list_key == NULL)
		return;
	member = config_member(reading->config, section, reading->list_key, reading->list_entry);
	if (!value_add(reading->list_key, member, value, sentence))
		mistake(reading, value->place, "%s.%s: %s", section->name, reading->list_key->name, sentence);
}

static void
on_broken(void *user, const char *what, struct document_place place)
{
	mistake(user, place, "this is not TOML: %.300s", what);
}

/* Keys that have no default. */
static void
check_entry(struct config_reading *reading, const struct config_section *section, uint32_t entry)
{
	for (uint32_t i = 0; i < section->key_count; i++)
		if (section->keys[i].by_default == NULL &&
			place_of(reading, section, entry, &section->keys[i])->line == 0)
			mistake_at(reading, section->name, entry, section->keys[i].name,
				"the key is missing; write %s = %s", section->keys[i].name,
				section->keys[i].example);
}

/* In tables that are there. */
static void
check_given(struct config_reading *reading)
{
	const struct config_section *section = config_sections;

	for (; section < config_sections + config_section_count; section++) {
		const uint32_t *count = config_entries(reading->config, section);

		for (uint32_t entry = 0; count != NULL && entry < *count; entry++)
			check_entry(reading, section, entry);
	}
}

static void
keep_origin(struct config_reading *reading)
{
	const struct config_section *section = find_section("service");

	snprintf(reading->config->origin.file, sizeof(reading->config->origin.file), "%s", reading->name);
	for (uint32_t i = 0; i < reading->config->service_count; i++)
		reading->config->origin.service_lines[i] =
			place_of(reading, section, i, find_key(section, "file"))->line;
}

bool
config_parse(struct config *config, const char *name, const char *text, size_t length,
	struct config_mistakes *mistakes)
{
	struct config_reading reading = {.config = config, .mistakes = mistakes, .name = name};
	const struct document_visitor visitor = {&reading, on_table, on_value, on_element, on_broken};

	config_defaults(config);
	memset(mistakes, 0, sizeof(*mistakes));
	document_read(text, length, &visitor);
	if (mistakes->count == 0)
		check_given(&reading);
	if (mistakes->count == 0)
		config_check(&reading);
	keep_origin(&reading);
	return mistakes->count == 0;
}

static bool
no_file(struct config_mistakes *mistakes, const char *file, const char *why, const char *mend)
{
	memset(mistakes, 0, sizeof(*mistakes));
	mistakes->count = mistakes->told = 1;
	snprintf(mistakes->lines[0].text, CONFIG_LINE_BYTES, "%.200s: %s; %s", file, why, mend);
	return false;
}

bool
config_load(struct config *config, const char *file, struct config_mistakes *mistakes)
{
	FILE *stream = fopen(file, "re");
	char *text;
	size_t length;
	bool parsed;

	if (stream == NULL)
		return no_file(mistakes, file, strerror(errno), "name a file that is there with -c");
	text = malloc(FILE_BYTES_MAX);
	base_assert(text != NULL);
	length = fread(text, 1, FILE_BYTES_MAX, stream);
	if (ferror(stream))
		parsed = no_file(mistakes, file, strerror(errno), "name a file that can be read with -c");
	else if (length == FILE_BYTES_MAX)
		parsed = no_file(
			mistakes, file, "the file has more than a megabyte", "name a configuration with -c");
	else
		parsed = config_parse(config, file, text, length, mistakes);
	free(text);
	fclose(stream);
	return parsed;
}
