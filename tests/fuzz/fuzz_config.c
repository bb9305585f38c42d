/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a configuration: it is refused with a sentence, or what is printed of it is read back as the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config config, again;
	static struct config_mistakes mistakes;
	char *text = NULL;
	size_t length = 0;
	FILE *stream;

	if (!config_parse(&config, "f", (const char *)data, size, &mistakes)) {
		base_assert(mistakes.count > 0 && mistakes.told > 0 && mistakes.told <= mistakes.count);
		return 0;
	}
	stream = open_memstream(&text, &length);
	base_assert(stream != NULL);
	config_print(stream, &config, false);
	fclose(stream);
	base_assert(config_parse(&again, "f", text, length, &mistakes));
	base_assert(memcmp(&config, &again, sizeof(config)) == 0);
	free(text);
	return 0;
}
