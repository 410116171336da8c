// SPDX-License-Identifier: MIT OR Apache-2.0
// faults MIB PERIOD HOLD SECONDS [small|huge|plain]: every PERIOD seconds touches MIB of new anonymous memory, holds it
// for HOLD seconds and gives it back. `small` asks for base pages, `huge` for huge ones (and lets the kernel
// compact for them), `plain` for nothing: it gets huge pages where the system gives them.
#include "load.h"
#include <string.h>

int main(int count, char **words)
{
	if (count < 5)
		return fprintf(stderr, "faults MIB PERIOD HOLD SECONDS [small|huge|plain]\n"), 2;
	size_t bytes = (size_t)atol(words[1]) * MIB;
	double period = atof(words[2]), hold = atof(words[3]), seconds = atof(words[4]);
	const char *kind = count > 5 ? words[5] : "small";
	size_t step = strcmp(kind, "small") ? HUGE : PAGE;
	struct latencies latencies = { 0 };
	unsigned long bursts = 0;

	for (double start = now(), next = start; now() - start < seconds; bursts++) {
		char *p = map(bytes);
		if (strcmp(kind, "plain"))
			madvise(p, bytes, strcmp(kind, "huge") ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
		for (size_t at = 0; at < bytes; at += step) {
			double before = now();
			((volatile char *)p)[at] = 1;
			add(&latencies, now() - before);
		}
		rest(hold);
		munmap(p, bytes);
		next += period;
		rest(next - now());
	}
	printf("bursts %lu\n", bursts);
	print_latencies("faults", &latencies);
	return 0;
}
