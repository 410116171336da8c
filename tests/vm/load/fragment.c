// SPDX-License-Identifier: MIT OR Apache-2.0
// fragment MIB RATE_MIB HOLD: takes MIB in huge pages at RATE_MIB a second, and of each gives back every second base page
// at once, as allocators of memory do under load: large free blocks become few, and what is free is in single pages, which
// nobody reuses as long as there are larger blocks for huge pages. What is kept can be moved. Holds it for HOLD seconds.
#include "load.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

static void shatter(char *huge)
{
	*(volatile char *)huge = 1;
	// A part of a huge page that is cold: the kernel splits it.
	madvise(huge, PAGE, MADV_COLD);
	for (size_t at = 0; at < HUGE; at += 2 * PAGE) {
		((volatile char *)huge)[at + PAGE] = 1;
		madvise(huge + at, PAGE, MADV_DONTNEED);
	}
}

int main(int count, char **words)
{
	if (count < 4)
		return fprintf(stderr, "fragment MIB RATE_MIB HOLD\n"), 2;
	size_t bytes = (size_t)atol(words[1]) * MIB;
	double rate = atof(words[2]), hold = atof(words[3]), start = now();
	char *p = map(bytes);
	struct latencies latencies = { 0 };

	printf("filling\n"), fflush(stdout);
	for (size_t at = 0; at + HUGE <= bytes; at += HUGE) {
		double before = now();
		shatter(p + at);
		add(&latencies, now() - before);
		if (rate > 0)
			rest((double)(at + HUGE) / MIB / rate - (now() - start));
	}
	print_latencies("shattered", &latencies);
	printf("holding\n"), fflush(stdout);
	rest(hold);
	return 0;
}
