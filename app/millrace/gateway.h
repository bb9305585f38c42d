/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole gateway: opened from the configuration in the order in which its parts need each other, closed
 * in the opposite one.
 */
#ifndef APP_MILLRACE_GATEWAY_H
#define APP_MILLRACE_GATEWAY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

enum { GATEWAY_SENTENCE_BYTES = 1024 };

/*
 * After the EAL. Says what it runs on, then "ready", and runs until `*stop`. False with one readable
 * sentence in `error`.
 */
bool gateway_run(const struct config *config, const volatile sig_atomic_t *stop, const char *version,
	char error[GATEWAY_SENTENCE_BYTES]);

#endif
