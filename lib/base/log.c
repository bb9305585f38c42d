/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

static void
to_standard_error(enum base_log_level level, const char *line)
{
	static const char *const mark[BASE_LOG_LEVEL_COUNT] = {"error: ", "warning: ", "", "debug: "};

	fprintf(stderr, "millrace: %s%s\n", mark[level], line);
}

static base_log_sink *current_sink = to_standard_error;
static enum base_log_level highest_level = BASE_LOG_INFO;

void
base_log_set_sink(base_log_sink *sink)
{
	current_sink = sink != NULL ? sink : to_standard_error;
}

void
base_log_set_level(enum base_log_level level)
{
	highest_level = level;
}

void
base_log(enum base_log_level level, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (level > highest_level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	current_sink(level, line);
}

void
base_assert_failed(const char *expression, const char *file, int line)
{
	base_log(BASE_LOG_ERROR, "assertion failed: %s at %s:%d", expression, file, line);
	abort();
}
