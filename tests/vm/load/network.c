// SPDX-License-Identifier: MIT OR Apache-2.0
// network CONNECTIONS RATE_MIB SECONDS: sends RATE_MIB a second over the loopback device, over so many connections of TCP, to a process that
// reads it late: the buffers of the sockets are mostly full.
#include "load.h"
#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#define MOST 256
static int ends[MOST][2];

static void join(int listener, const struct sockaddr_in *address, int pair[2])
{
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	connect(pair[0], (const struct sockaddr *)address, sizeof *address);
	pair[1] = accept(listener, NULL, NULL);
	if (pair[1] < 0)
		die("accept");
}

static void receive(int connections)
{
	static char piece[64 << 10];
	for (;;) {
		for (int i = 0; i < connections; i++)
			while (recv(ends[i][1], piece, sizeof piece, MSG_DONTWAIT) > 0)
				;
		rest(0.5);
	}
}

int main(int count, char **words)
{
	static char piece[16 << 10];
	if (count < 4)
		return fprintf(stderr, "network CONNECTIONS RATE_MIB SECONDS\n"), 2;
	int connections = atoi(words[1]) < MOST ? atoi(words[1]) : MOST;
	double rate = atof(words[2]), seconds = atof(words[3]);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, MOST) ||
	    getsockname(listener, (struct sockaddr *)&address, &length))
		die("listen");
	for (int i = 0; i < connections; i++)
		join(listener, &address, ends[i]);
	pid_t reader = fork();
	if (reader == 0)
		receive(connections);

	struct latencies latencies = { 0 };
	double start = now(), sent = 0;
	unsigned long full = 0;
	for (int i = 0; now() - start < seconds; i = (i + 1) % connections) {
		double before = now();
		ssize_t bytes = send(ends[i][0], piece, sizeof piece, MSG_NOSIGNAL);
		add(&latencies, now() - before);
		if (bytes > 0)
			sent += (double)bytes / MIB;
		else
			full++;
		rest(bytes > 0 ? sent / rate - (now() - start) : 0.001);
	}
	kill(reader, SIGKILL);
	printf("sent_mib %.0f\nfull %lu\n", sent, full);
	print_latencies("sends", &latencies);
	return 0;
}
