/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "config/config.h"
#include "config/value.h"

static void
fill(struct config *config, const struct config_section *section, uint32_t entry, bool example)
{
	for (uint32_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		const char *toml = example && key->example != NULL ? key->example : key->by_default;

		if (toml != NULL)
			value_store_toml(key, config_member(config, section, key, entry), toml);
	}
}

void
config_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (uint32_t i = 0; i < config_section_count; i++)
		for (uint32_t entry = 0;
			entry < (config_sections[i].array ? config_sections[i].entries_max : 1); entry++)
			fill(config, &config_sections[i], entry, false);
}

void
config_example(struct config *config)
{
	config_defaults(config);
	config->port_count = 1;
	fill(config, &config_sections[0], 0, true);
}

static void
print_help(FILE *stream, const char *help)
{
	while (*help != '\0') {
		size_t length = strcspn(help, "\n");

		fprintf(stream, "# %.*s\n", (int)length, help);
		help += length + (help[length] == '\n');
	}
}

static void
print_section(FILE *stream, struct config *config, const struct config_section *section, uint32_t entry,
	bool explain)
{
	if (explain)
		print_help(stream, section->help);
	fprintf(stream, section->array ? "[[%s]]\n" : "[%s]\n", section->name);
	for (uint32_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];

		if (explain)
			print_help(stream, key->help);
		fprintf(stream, "%s = ", key->name);
		value_print(stream, key, config_member(config, section, key, entry));
		fputc('\n', stream);
	}
}

/* A table that is not there, as a comment: what it would be like. */
static void
print_absent(FILE *stream, const struct config_section *section)
{
	fputc('\n', stream);
	print_help(stream, section->help);
	fprintf(stream, "# [[%s]]\n", section->name);
	for (uint32_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];

		print_help(stream, key->help);
		fprintf(stream, "# %s = %s\n", key->name,
			key->example != NULL ? key->example : key->by_default);
	}
}

void
config_print(FILE *stream, const struct config *config, bool explain)
{
	static const char head[] =
		"The configuration of millrace: every key, what it means, and its default. What is as it is here may be left\n"
		"out. Paths start in the working directory. `millrace check -c FILE` says what is wrong with a file.";
	struct config copy = *config;

	if (explain)
		print_help(stream, head);
	for (uint32_t i = 0; i < config_section_count; i++) {
		const struct config_section *section = &config_sections[i];
		const uint32_t *count = config_entries(&copy, section);

		for (uint32_t entry = 0; entry < (count != NULL ? *count : 1); entry++) {
			if (explain || i + entry > 0)
				fputc('\n', stream);
			print_section(stream, &copy, section, entry, explain);
		}
		if (explain && count != NULL && *count == 0)
			print_absent(stream, section);
	}
}
