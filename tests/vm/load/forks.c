// SPDX-License-Identifier: MIT OR Apache-2.0
// forks RATE MIB SECONDS [DIR]: RATE processes are born each second, touch MIB of memory, and end. With DIR it is like a build: each also
// writes a file of MIB there, reads it back, and every tenth removes those of all before it.
#include "load.h"
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>

static char *memory;
static size_t bytes;

static void write_file(const char *directory, unsigned long number)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%lu.o", directory, number);
	int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	if (file < 0 || write(file, memory, bytes) != (ssize_t)bytes || pread(file, memory, bytes, 0) != (ssize_t)bytes)
		die(path);
	close(file);
	for (unsigned long before = number - 9; number % 10 == 9 && before <= number; before++) {
		snprintf(path, sizeof path, "%s/%lu.o", directory, before);
		unlink(path);
	}
}

static void work(const char *directory, unsigned long number)
{
	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at] = (char)number;
	if (directory)
		write_file(directory, number);
	_exit(0);
}

int main(int count, char **words)
{
	if (count < 4)
		return fprintf(stderr, "forks RATE MIB SECONDS [DIR]\n"), 2;
	double rate = atof(words[1]), seconds = atof(words[3]), start = now();
	const char *directory = count > 4 ? words[4] : NULL;
	struct latencies latencies = { 0 };
	bytes = (size_t)(atof(words[2]) * MIB);
	memory = map(bytes);

	for (unsigned long born = 0; now() - start < seconds; born++) {
		double before = now();
		pid_t child = fork();
		if (child == 0)
			work(directory, born);
		if (child < 0)
			die("fork");
		add(&latencies, now() - before);
		// No more than a few at once, however slow the machine is.
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (born % 8 == 7)
			wait(NULL);
		rest(start + born / rate - now());
	}
	while (wait(NULL) > 0)
		;
	print_latencies("forks", &latencies);
	return 0;
}
