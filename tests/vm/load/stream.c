// SPDX-License-Identifier: MIT OR Apache-2.0
// stream FILE FILL_MIB RATE_MIB SECONDS: reads FILL_MIB of FILE as fast as it goes, says `filled`, and then
// reads on at RATE_MIB a second, round and round. What it reads becomes page cache.
#include "load.h"
#include <fcntl.h>

static int file;
static off_t position, size;

// Into the page cache and no further, as a copy would cost more than all the rest. The kernel takes no more at once.
#define PIECE (128 << 10)

static void read_one_mib(void)
{
	if (position + (off_t)MIB > size)
		position = 0;
	for (off_t end = position + MIB; position < end; position += PIECE)
		if (readahead(file, position, PIECE))
			die("readahead");
}

int main(int count, char **words)
{
	if (count < 3)
		return fprintf(stderr, "stream FILE FILL_MIB [RATE_MIB SECONDS]\n"), 2;
	file = open(words[1], O_RDONLY);
	if (file < 0)
		die(words[1]);
	size = lseek(file, 0, SEEK_END);
	long fill = argument(count, words, 2, 0), done = 0;
	double rate = argument(count, words, 3, 0), seconds = argument(count, words, 4, 0);

	double begin = now();
	for (long i = 0; i < fill; i++)
		read_one_mib();
	printf("filled_mib %ld\ntook_ms %.0f\n", fill, (now() - begin) * 1000);
	fflush(stdout);
	for (double start = now(); rate > 0 && now() - start < seconds; done++) {
		read_one_mib();
		rest((double)done / rate - (now() - start));
	}
	printf("streamed_mib %ld\n", done);
	return 0;
}
