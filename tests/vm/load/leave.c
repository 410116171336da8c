// SPDX-License-Identifier: MIT OR Apache-2.0
// leave CODE: ends the machine with an exit code, through QEMU's isa-debug-exit at port 0xf4.
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>

int main(int count, char **words)
{
	if (ioperm(0xf4, 1, 1)) {
		perror("ioperm");
		return 1;
	}
	outb(count > 1 ? atoi(words[1]) : 0, 0xf4);
	return 1;
}
