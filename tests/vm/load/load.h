// SPDX-License-Identifier: MIT OR Apache-2.0
// What the load makers share: a clock, rest, and latencies. Each prints what it did as lines of `name number`.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define MIB (1UL << 20)

static inline double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void rest(double seconds)
{
	if (seconds <= 0)
		return;
	struct timespec t = { (time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9) };
	nanosleep(&t, NULL);
}

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline double argument(int count, char **words, int i, double otherwise)
{
	return i < count ? atof(words[i]) : otherwise;
}

static inline char *map(size_t bytes)
{
	char *p = mmap(NULL, bytes + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return (char *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
}

// Latencies by classes: class 0 is below 1 us, class N from 2^(N-1) to 2^N us.
#define CLASSES 24
struct latencies {
	unsigned long classes[CLASSES];
	unsigned long count;
	double max_us;
};

static inline void add(struct latencies *l, double seconds)
{
	double us = seconds * 1e6;
	int class = 0;
	for (unsigned long edge = 1; us >= (double)edge && class < CLASSES - 1; edge *= 2)
		class++;
	l->classes[class]++;
	l->count++;
	if (us > l->max_us)
		l->max_us = us;
}

// An upper bound of the latency of all but `share` of them, in us.
static inline double all_but(const struct latencies *l, double share)
{
	unsigned long above = l->count;
	for (int i = 0; i < CLASSES; i++) {
		above -= l->classes[i];
		if (above <= share * l->count)
			return (double)(1UL << i) < l->max_us ? (double)(1UL << i) : l->max_us;
	}
	return l->max_us;
}

// `what` names what took so long: faults, forks, ...
static inline void print_latencies(const char *what, const struct latencies *l)
{
	printf("%s %lu\np50_us %.0f\np99_us %.0f\nmax_us %.0f\nclasses ", what, l->count,
	       all_but(l, 0.5), all_but(l, 0.01), l->max_us);
	for (int i = 0; i < CLASSES; i++)
		printf("%lu%c", l->classes[i], i < CLASSES - 1 ? ',' : '\n');
}
