// SPDX-License-Identifier: MIT OR Apache-2.0
// hold KIND MIB SECONDS [NODE]: takes memory in one of many innocent ways, says how long that took and `holding`, and
// gives it back after SECONDS.
//   anon     base pages                  mlock   pages that are locked
//   ptes     page tables of that size    tasks   processes, 1 a MiB
// With NODE all of it is on that node.
#include "load.h"
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#define MPOL_BIND 2

static char *memory(size_t bytes)
{
	char *p = map(bytes);
	madvise(p, bytes, MADV_NOHUGEPAGE);
	memset(p, 1, bytes);
	return p;
}

static void hold_ptes(long mib)
{
	size_t tables = (size_t)mib * MIB / PAGE;
	char *p = map(tables * HUGE);
	madvise(p, tables * HUGE, MADV_NOHUGEPAGE);
	// Reading maps the one page of zeros: nothing but page tables is used.
	for (size_t i = 0; i < tables; i++)
		(void)((volatile char *)p)[i * HUGE];
}

static void hold_tasks(long mib)
{
	for (long i = 0; i < mib; i++)
		if (fork() == 0) {
			pause();
			_exit(0);
		}
}

int main(int count, char **words)
{
	if (count < 4)
		return fprintf(stderr, "hold KIND MIB SECONDS [NODE]\n"), 2;
	const char *kind = words[1];
	long mib = atol(words[2]);
	if (count > 4) {
		unsigned long node = 1UL << atoi(words[4]);
		if (syscall(SYS_set_mempolicy, MPOL_BIND, &node, 64))
			die("set_mempolicy");
	}
	setpgid(0, 0);
	double start = now();
	if (!strcmp(kind, "anon"))
		memory(mib * MIB);
	else if (!strcmp(kind, "mlock")) {
		if (mlock(memory(mib * MIB), mib * MIB))
			die("mlock");
	} else if (!strcmp(kind, "ptes"))
		hold_ptes(mib);
	else if (!strcmp(kind, "tasks"))
		hold_tasks(mib);
	else
		return fprintf(stderr, "hold: no kind %s\n", kind), 2;
	printf("taken %ld\ntook_ms %.0f\nholding\n", mib, (now() - start) * 1000), fflush(stdout);
	rest(atof(words[3]));
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return 0;
}
