// SPDX-License-Identifier: MIT OR Apache-2.0
// lose KIND [NAME=NUMBER...]: a process that takes kernel memory and never gives it back while it lives, as a program with a leak does.
//   pipes    pipes that are full and that nobody reads       packet-ring    rings for packets (AF_PACKET)
//   dma-buf  buffers for devices, of pages                   dma-cma        of the contiguous memory allocator
// The names are those of the kernel module memleak_sim: `rate` KiB go each second, in a part every `part_ms`, give or take up to
// `noise` percent, and each second `growth` percent more; `step` KiB at once every `step_secs`; no more than `max` KiB; nothing
// after `secs`.
// Whenever it has lost something it rewrites the file in $LOST_FILE, if that is set: how much, in KiB. It ends when it is killed.
#include "load.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/dma-heap.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

static struct { const char *name; long value; } parameters[] = {
	{ "rate", 1024 }, { "growth", 0 }, { "noise", 0 }, { "step", 0 },
	{ "step_secs", 10 }, { "max", 512 * 1024 }, { "secs", 0 }, { "part_ms", 100 },
};
#define PARAMETERS (sizeof parameters / sizeof *parameters)

static long parameter(const char *name)
{
	for (size_t i = 0; i < PARAMETERS; i++)
		if (!strcmp(parameters[i].name, name))
			return parameters[i].value;
	return 0;
}

static void set(const char *word)
{
	size_t length = strcspn(word, "=");
	for (size_t i = 0; i < PARAMETERS; i++)
		if (strlen(parameters[i].name) == length && !strncmp(parameters[i].name, word, length)) {
			parameters[i].value = atol(word + length + 1);
			return;
		}
	fprintf(stderr, "lose: no parameter %s\n", word);
	exit(2);
}

// How many KiB one of each is.
static long lose_pipe(void)
{
	static char page[PAGE];
	long bytes = 0, written;
	int ends[2];
	if (pipe2(ends, O_NONBLOCK))
		die("pipe2");
	while ((written = write(ends[1], page, sizeof page)) > 0)
		bytes += written;
	return bytes >> 10;
}

static long lose_ring(void)
{
	struct tpacket_req ring = { .tp_block_size = 64 << 10, .tp_block_nr = 16,
				    .tp_frame_size = 2048, .tp_frame_nr = 512 };
	// Of protocol 0: no packet ever comes.
	int packets = socket(AF_PACKET, SOCK_RAW, 0);
	if (packets < 0 || setsockopt(packets, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring))
		die("packet ring");
	size_t bytes = (size_t)ring.tp_block_size * ring.tp_block_nr;
	// As everybody does who reads from one.
	if (mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, packets, 0) == MAP_FAILED)
		die("mmap of a packet ring");
	return (long)(bytes >> 10);
}

static long lose_buffer(const char *heap)
{
	struct dma_heap_allocation_data buffer = { .len = 1 << 20, .fd_flags = O_RDWR | O_CLOEXEC };
	static int from = -1;
	if (from < 0)
		from = open(heap, O_RDONLY | O_CLOEXEC);
	if (from < 0 || ioctl(from, DMA_HEAP_IOCTL_ALLOC, &buffer))
		die(heap);
	return buffer.len >> 10;
}

static long lose_system_buffer(void)
{
	return lose_buffer("/dev/dma_heap/system");
}

// The area that the kernel sets aside for `cma=`.
static long lose_cma_buffer(void)
{
	return lose_buffer("/dev/dma_heap/reserved");
}

static const struct { const char *name; long (*lose)(void); } ways[] = {
	{ "pipes", lose_pipe }, { "packet-ring", lose_ring },
	{ "dma-buf", lose_system_buffer }, { "dma-cma", lose_cma_buffer },
};

static void note(long lost)
{
	const char *file = getenv("LOST_FILE");
	FILE *to = file ? fopen(file, "w") : NULL;
	if (to) {
		fprintf(to, "%ld\n", lost);
		fclose(to);
	}
}

static double noisy(double kib)
{
	return kib * (1 + parameter("noise") / 100.0 * (2.0 * rand() / RAND_MAX - 1));
}

// As many as one may, and more for whoever may raise the limit.
static void allow_many_files(void)
{
	struct rlimit limit, more = { 200000, 200000 };
	if (setrlimit(RLIMIT_NOFILE, &more) && !getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int count, char **words)
{
	long lost = 0;
	double due = 0;
	long (*lose)(void) = NULL;
	for (size_t i = 0; count > 1 && i < sizeof ways / sizeof *ways; i++)
		if (!strcmp(words[1], ways[i].name))
			lose = ways[i].lose;
	if (!lose)
		return fprintf(stderr, "lose pipes|packet-ring|dma-buf|dma-cma [NAME=NUMBER...]\n"), 2;
	for (int i = 2; i < count; i++)
		set(words[i]);
	allow_many_files();
	long secs = parameter("secs");
	double pace = parameter("rate"), start = now(), each = parameter("part_ms") / 1000.0;
	long steps = 0;
	for (long part = 1; !secs || part * each <= secs; part++) {
		due += noisy(pace * each);
		if (parameter("step") && part * each >= (steps + 1) * parameter("step_secs")) {
			due += parameter("step");
			steps++;
		}
		pace *= 1 + parameter("growth") * each / 100.0;
		while (due > 0 && lost < parameter("max")) {
			long kib = lose();
			due -= kib;
			lost += kib;
		}
		note(lost);
		rest(start + part * each - now());
	}
	for (;;)
		pause();
}
