/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs every file of the folders given through LLVMFuzzerTestOneInput, and each of them cut short and with single octets
 * changed: what libFuzzer found once is tried again by every compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, CHANGES = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that ends where the input ends, so that a sanitizer sees the first octet too many. */
static void
run(const uint8_t *input, size_t size)
{
	uint8_t *copy = calloc(1, size + (size == 0));

	if (copy == NULL)
		abort();
	memcpy(copy, input, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void
run_changed(uint8_t *input, size_t size)
{
	uint64_t state = size * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (unsigned i = 0; size > 0 && i < CHANGES; i++) {
		size_t place;
		uint8_t kept;

		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		place = (state >> 33) % size;
		kept = input[place];
		input[place] ^= (uint8_t)(1 + (state >> 20) % 255);
		run(input, size);
		input[place] = kept;
		run(input, place);
	}
}

static int
run_folder(const char *folder)
{
	static uint8_t input[INPUT_MAX];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[4096];
		FILE *file;
		size_t size;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = fopen(path, "rb");
		if (file == NULL)
			continue;
		size = fread(input, 1, sizeof(input), file);
		fclose(file);
		run(input, size);
		run_changed(input, size);
		count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

int
main(int argc, char **argv)
{
	int count = 0;

	run((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		count += run_folder(argv[i]);
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
