/* Tries, in the sandbox of the service, what must work there and what must not. Prints a line per attempt.
 *
 * Where it is let, it does no harm either: what would change the machine is asked for in a way that fails later, by
 * another error than that of the sandbox. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *what, const char *of, int ok)
{
    printf("probe %s %s: %s\n", what, of, ok ? "yes" : strerrorname_np(errno));
    fflush(stdout);
}

/* Whether the last call was not permitted. */
static int refused(void)
{
    return errno == EPERM || errno == EACCES;
}

/* Reads all of a file. */
static void reads(const char *path)
{
    char buffer[65536];
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, buffer, sizeof buffer);
    say("reads", path, size > 0);
    close(file);
}

/* Writes what is in a tunable already. */
static void sets(const char *path)
{
    char value[64];
    int file = open(path, O_RDONLY);
    ssize_t size = file < 0 ? -1 : read(file, value, sizeof value);
    close(file);
    if (size > 0) {
        file = open(path, O_WRONLY);
        size = file < 0 ? -1 : write(file, value, (size_t)size);
        close(file);
    }
    say("sets", path, size > 0);
}

static void compacts(const char *path)
{
    int file = open(path, O_WRONLY);
    say("compacts", path, file >= 0 && write(file, "1", 1) == 1);
    close(file);
}

static void creates(const char *directory)
{
    char path[256];
    snprintf(path, sizeof path, "%s/adaptivemmd-probe", directory);
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    say("creates in", directory, file >= 0);
    close(file);
    unlink(path);
}

int main(int count, char **words)
{
    for (int i = 1; i + 1 < count; i += 2) {
        const char *what = words[i], *of = words[i + 1];
        if (!strcmp(what, "reads"))
            reads(of);
        else if (!strcmp(what, "sets"))
            sets(of);
        else if (!strcmp(what, "compacts"))
            compacts(of);
        else if (!strcmp(what, "creates"))
            creates(of);
    }
    say("makes", "an-internet-socket", socket(AF_INET, SOCK_STREAM, 0) >= 0);
    say("makes", "a-netlink-socket", socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
    say("makes", "a-packet-socket", socket(AF_PACKET, SOCK_RAW, 0) >= 0);
    say("makes", "a-unix-socket", socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
    mount("none", "/nowhere", "tmpfs", 0, NULL);
    say("mounts", "tmpfs", !refused());
    ptrace(PTRACE_PEEKDATA, getpid(), NULL, NULL);
    say("traces", "a-process", !refused());
    chown("/nowhere", 1, 1);
    say("owns", "a-file", !refused());
    syscall(SYS_bpf, -1, NULL, 0);
    say("loads", "bpf", !refused());
    syscall(SYS_init_module, NULL, 0, NULL);
    say("loads", "a-kernel-module", !refused());
    say("maps", "memory-to-write-and-run",
        mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    say("becomes", "nobody", setuid(65534) == 0);
    say("enters", "a-user-namespace", unshare(CLONE_NEWUSER) == 0);
    return 0;
}
