/*
 * Holds kernel memory of one kind until its standard input ends: hold WHAT MIB
 *
 * Says "ready" when it does, or why it cannot.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB (1024UL * 1024)

static void need(int holds, const char *what)
{
	if (!holds) {
		printf("cannot %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void fill(int fd, size_t piece)
{
	char *data = calloc(1, piece);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (write(fd, data, piece) > 0)
		;
	free(data);
}

static void pipes(unsigned long mib)
{
	for (unsigned long i = 0; i < mib; i++) {
		int ends[2];

		need(pipe(ends) == 0, "make a pipe");
		need(fcntl(ends[1], F_SETPIPE_SZ, MIB) > 0, "enlarge a pipe");
		fill(ends[1], MIB);
	}
}

static void small_pipes(unsigned long mib)
{
	for (unsigned long i = 0; i < mib * 16; i++) {
		int ends[2];

		need(pipe(ends) == 0, "make a pipe");
		fill(ends[1], 65536);
	}
}

static void packet(unsigned long mib)
{
	int version = TPACKET_V2, fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct tpacket_req ring = { .tp_block_size = 1 << 16, .tp_frame_size = 2048 };

	need(fd >= 0, "make a packet socket");
	need(!setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), "choose a version");
	ring.tp_block_nr = (unsigned int)(mib * 16);
	ring.tp_frame_nr = ring.tp_block_nr * (ring.tp_block_size / ring.tp_frame_size);
	need(!setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)), "make a ring");
	need(mmap(NULL, mib * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "map a ring");
}

/* A page in each 2 MiB needs a page table of its own. */
static void tables(unsigned long mib)
{
	unsigned long count = mib * 256, step = 2 * MIB;
	int fd = memfd_create("tables", 0);
	char *all = mmap(NULL, count * step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need(all != MAP_FAILED, "reserve addresses");
	need(fd >= 0 && !ftruncate(fd, 4096), "make a file");
	for (unsigned long i = 0; i < count; i++) {
		char *page = mmap(all + i * step, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0);

		if (page == MAP_FAILED) {
			/* Each is an area of its own, and those have a limit: the zero page needs tables, too. */
			need(!mprotect(all, count * step, PROT_READ), "read addresses");
			break;
		}
	}
	for (unsigned long i = 0; i < count; i++)
		(void)*(volatile char *)(all + i * step);
}

static void *wait_for_ever(void *unused)
{
	pause();
	return unused;
}

static void threads(unsigned long mib)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	for (unsigned long i = 0; i < mib * 64; i++) {
		pthread_t thread;

		need(!pthread_create(&thread, &small, wait_for_ever, NULL), "make a thread");
	}
}

static void map(uint32_t type, uint32_t value, unsigned long entries, uint32_t flags)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = type;
	attributes.key_size = type == BPF_MAP_TYPE_RINGBUF ? 0 : 4;
	attributes.value_size = value;
	attributes.max_entries = (uint32_t)entries;
	attributes.map_flags = flags;
	need(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)) >= 0, "make a map");
}

static void io_uring(unsigned long mib)
{
	/* 32768 entries need 2 MiB, 128 KiB and 1 MiB. */
	for (unsigned long i = 0; i < mib / 3; i++) {
		struct io_uring_params parameters;

		memset(&parameters, 0, sizeof(parameters));
		need(syscall(SYS_io_uring_setup, 32768, &parameters) >= 0, "make a ring");
	}
}

static void registered(unsigned long mib)
{
	struct io_uring_params parameters;
	struct iovec buffer = { .iov_len = mib * MIB };
	long fd;

	memset(&parameters, 0, sizeof(parameters));
	fd = syscall(SYS_io_uring_setup, 8, &parameters);
	need(fd >= 0, "make a ring");
	buffer.iov_base = mmap(NULL, buffer.iov_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(buffer.iov_base != MAP_FAILED, "get memory");
	memset(buffer.iov_base, 1, buffer.iov_len);
	need(!syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS, &buffer, 1), "register a buffer");
	munmap(buffer.iov_base, buffer.iov_len);
}

static void udp(unsigned long mib)
{
	for (unsigned long i = 0; i < mib / 16; i++) {
		int size = 16 * MIB / 2, from = socket(AF_INET, SOCK_DGRAM, 0), to = socket(AF_INET, SOCK_DGRAM, 0);
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t length = sizeof(address);

		need(!setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)), "enlarge a socket");
		need(!bind(to, (struct sockaddr *)&address, sizeof(address)), "bind a socket");
		need(!getsockname(to, (struct sockaddr *)&address, &length), "name a socket");
		need(!connect(from, (struct sockaddr *)&address, sizeof(address)), "connect a socket");
		for (int packets = 0; packets < 600; packets++) {
			static char data[32000];

			(void)!send(from, data, sizeof(data), MSG_DONTWAIT);
		}
	}
}

static void local(unsigned long mib)
{
	for (unsigned long i = 0; i < mib * 5; i++) {
		int ends[2];

		need(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "make sockets");
		fill(ends[0], 65536);
	}
}

/* That one descriptor waits for another takes some 200 bytes of slab. */
static void events(unsigned long mib)
{
	unsigned long watches = mib * MIB / 200, each = 5000;
	int *events = calloc(each, sizeof(*events));

	for (unsigned long i = 0; i < each; i++) {
		events[i] = eventfd(0, 0);
		need(events[i] >= 0, "make an eventfd");
	}
	for (unsigned long watcher = 0; watcher < watches / each; watcher++) {
		int poll = epoll_create1(0);

		need(poll >= 0, "make an epoll");
		for (unsigned long i = 0; i < each; i++) {
			struct epoll_event event = { .events = EPOLLIN };

			need(!epoll_ctl(poll, EPOLL_CTL_ADD, events[i], &event), "wait for an eventfd");
		}
	}
}

int main(int count, char **arguments)
{
	struct rlimit files;
	const char *what = count > 2 ? arguments[1] : "";
	unsigned long mib = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(what, "pipes"))
		pipes(mib);
	else if (!strcmp(what, "small-pipes"))
		small_pipes(mib);
	else if (!strcmp(what, "packet"))
		packet(mib);
	else if (!strcmp(what, "tables"))
		tables(mib);
	else if (!strcmp(what, "threads"))
		threads(mib);
	else if (!strcmp(what, "bpf-array"))
		map(BPF_MAP_TYPE_ARRAY, 4096, mib * 256, 0);
	else if (!strcmp(what, "bpf-percpu"))
		map(BPF_MAP_TYPE_PERCPU_ARRAY, 4096, mib * 256 / (unsigned long)sysconf(_SC_NPROCESSORS_CONF), 0);
	else if (!strcmp(what, "bpf-ring"))
		map(BPF_MAP_TYPE_RINGBUF, 0, mib * MIB, 0);
	else if (!strcmp(what, "io_uring"))
		io_uring(mib);
	else if (!strcmp(what, "registered"))
		registered(mib);
	else if (!strcmp(what, "udp"))
		udp(mib);
	else if (!strcmp(what, "local"))
		local(mib);
	else if (!strcmp(what, "events"))
		events(mib);
	else
		need(0, "hold that");
	printf("ready\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
