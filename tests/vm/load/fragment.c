// SPDX-License-Identifier: MIT OR Apache-2.0
// fragment MIB RATE_MIB HOLD [ROUNDS]: takes MIB in base pages at RATE_MIB a second (0: as fast as it goes), giving back
// every second page of each block that is full, so that free memory ends up in single pages. Holds the rest for HOLD seconds,
// frees it, and begins anew. Each phase is said on standard output when it begins.
#include "load.h"

#define BLOCK (2 * HUGE)

static void keep_every_second(char *block)
{
	for (size_t at = 0; at < BLOCK; at += 2 * PAGE)
		madvise(block + at, PAGE, MADV_DONTNEED);
}

int main(int count, char **words)
{
	if (count < 4)
		return fprintf(stderr, "fragment MIB RATE_MIB HOLD [ROUNDS]\n"), 2;
	size_t bytes = (size_t)atol(words[1]) * MIB;
	double rate = atof(words[2]), hold = atof(words[3]);
	long rounds = (long)argument(count, words, 4, 1);

	for (long round = 0; round < rounds; round++) {
		char *p = map(bytes);
		double start = now();
		madvise(p, bytes, MADV_NOHUGEPAGE);
		printf("filling %ld\n", round), fflush(stdout);
		for (size_t at = 0; at + BLOCK <= bytes; at += BLOCK) {
			for (size_t page = at; page < at + BLOCK; page += PAGE)
				((volatile char *)p)[page] = 1;
			keep_every_second(p + at);
			if (rate > 0)
				rest((double)(at + BLOCK) / MIB / rate - (now() - start));
		}
		printf("holding %ld\n", round), fflush(stdout);
		rest(hold);
		munmap(p, bytes);
	}
	printf("rounds %ld\n", rounds);
	return 0;
}
