/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines for people, never per packet. The default sink is standard error; tests and the gateway set their
 * own.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum base_log_level { BASE_LOG_ERROR, BASE_LOG_WARNING, BASE_LOG_INFO, BASE_LOG_DEBUG, BASE_LOG_LEVEL_COUNT };

typedef void base_log_sink(enum base_log_level level, const char *line);

void base_log_set_sink(base_log_sink *sink);
void base_log_set_level(enum base_log_level level);
void base_log(enum base_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
