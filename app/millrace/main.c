/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include "app/millrace/eal.h"
#include "app/millrace/gateway.h"
#include "base/log.h"
#include "config/config.h"
#include "drivers/crypto/ipsec_mb.h"
#include "tls/tls.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"millrace run -c FILE [-- EAL ARGUMENT...]  serves until SIGTERM or SIGINT\n"
	"millrace check -c FILE                     says what is wrong with a configuration, or prints it in full\n"
	"millrace defaults                          prints a configuration with every key explained\n"
	"millrace version                           prints its version and those of the libraries it runs on\n";

struct command_line {
	const char *command;
	const char *file; /* NULL: none */
	int more_count;   /* behind -- */
	char **more;
};

static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
	stop = number;
}

static bool
parse_command_line(struct command_line *line, int count, char **items)
{
	memset(line, 0, sizeof(*line));
	if (count < 2)
		return false;
	line->command = items[1];
	for (int i = 2; i < count; i++) {
		if (strcmp(items[i], "--") == 0) {
			line->more_count = count - i - 1;
			line->more = items + i + 1;
			return true;
		}
		if (strcmp(items[i], "-c") != 0 || i + 1 == count || line->file != NULL)
			return false;
		line->file = items[++i];
	}
	return true;
}

static bool
load(struct config *config, const char *file)
{
	static struct config_mistakes mistakes;

	if (config_load(config, file, &mistakes))
		return true;
	for (uint32_t i = 0; i < mistakes.told; i++)
		fprintf(stderr, "%s\n", mistakes.lines[i].text);
	if (mistakes.count > mistakes.told)
		fprintf(stderr, "%s: and %u more\n", file, mistakes.count - mistakes.told);
	return false;
}

static int
run(const struct command_line *line)
{
	static struct config config;
	static struct eal_arguments arguments;
	struct sigaction action = {.sa_handler = on_signal};
	char error[GATEWAY_SENTENCE_BYTES];
	bool ran, started;
	mode_t before;

	if (!load(&config, line->file))
		return EXIT_FAILURE;
	base_log_set_level((enum base_log_level)config.log_level);
	if (!eal_cpus(&config, error, sizeof(error)) ||
		!eal_hugepages(&config, line->more_count, line->more, error, sizeof(error)) ||
		!eal_build(&arguments, &config, line->more_count, line->more, error, sizeof(error))) {
		base_log(BASE_LOG_ERROR, "%s", error);
		return EXIT_FAILURE;
	}
	/* The control socket is its owner's alone from its first moment. */
	before = umask(S_IRWXG | S_IRWXO);
	started = rte_eal_init(arguments.count, arguments.items) >= 0;
	umask(before);
	if (!started) {
		base_log(BASE_LOG_ERROR, "DPDK does not start (%s): its own words are above",
			rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	ran = gateway_run(&config, &stop, MILLRACE_VERSION, error);
	if (!ran)
		base_log(BASE_LOG_ERROR, "%s", error);
	rte_eal_cleanup();
	return ran ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
check(const struct command_line *line)
{
	static struct config config;

	if (!load(&config, line->file))
		return EXIT_FAILURE;
	config_print(stdout, &config, false);
	return EXIT_SUCCESS;
}

static int
defaults(const struct command_line *line)
{
	static struct config config;

	config_example(&config);
	config_print(stdout, &config, true);
	return EXIT_SUCCESS;
}

static int
version(const struct command_line *line)
{
	printf("millrace %s\n%s\n%s\nIPsec-MB %s\n", MILLRACE_VERSION, rte_version(), tls_library_version(),
		crypto_ipsec_mb_version());
	return EXIT_SUCCESS;
}

static int
help(const struct command_line *line)
{
	fputs(usage, stdout);
	return EXIT_SUCCESS;
}

int
main(int count, char **items)
{
	static const struct {
		const char *name;
		int (*run)(const struct command_line *line);
		bool file, more; /* wants one, takes some */
	} commands[] = {{"run", run, true, true}, {"check", check, true, false},
		{"defaults", defaults, false, false}, {"version", version, false, false},
		{"--version", version, false, false}, {"--help", help, false, false},
		{"help", help, false, false}};
	struct command_line line;
	bool parsed = parse_command_line(&line, count, items);

	for (size_t i = 0; parsed && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(line.command, commands[i].name) == 0 && commands[i].file == (line.file != NULL) &&
			(commands[i].more || line.more_count == 0))
			return commands[i].run(&line);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
