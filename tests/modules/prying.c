/* A module that pries: a constructor, and later a scan, try what the process of a module must not be able to do. Each
 * attempt becomes a finding that ends with "yes" or "no". Only tests load it. */
#define _GNU_SOURCE
#include "adaptivemm_module.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST = 64 };

/* What was tried when the library was loaded, and whether it worked. */
static struct {
    char what[96];
    int works;
} tried[MOST];
static unsigned count;
/* A file that every process of a module may read, opened before the process was shut. */
static int kept = -1;

static void try(const char *what, const char *of, int works)
{
    if (count < MOST) {
        snprintf(tried[count].what, sizeof tried[count].what, "%s%s", what, of);
        tried[count++].works = works;
    }
}

static int reads(const char *path)
{
    char byte;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    /* A file of a process can often be opened, and refuses to be read. */
    const int works = file >= 0 && pread(file, &byte, 1, 0) > 0;
    if (file >= 0) {
        close(file);
    }
    return works;
}

/* Any address that the daemon has mapped; 0 if that is not told. */
static unsigned long mapped_by(int process)
{
    unsigned long start = 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", process);
    FILE *const maps = fopen(path, "re");
    if (maps != NULL) {
        if (fscanf(maps, "%lx", &start) != 1) {
            start = 0;
        }
        fclose(maps);
    }
    return start;
}

static int reads_memory_of(int process)
{
    char path[64], bytes[8];
    snprintf(path, sizeof path, "/proc/%d/mem", process);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const int works = file >= 0 && pread(file, bytes, sizeof bytes, (off_t)mapped_by(process)) > 0;
    if (file >= 0) {
        close(file);
    }
    return works;
}

static int lists(const char *path)
{
    DIR *const directory = opendir(path);
    if (directory != NULL) {
        closedir(directory);
    }
    return directory != NULL;
}

static int connects(void)
{
    const int ends = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/stdout" };
    /* Whether somebody listens there does not matter. */
    const int works = ends >= 0 && (connect(ends, (const struct sockaddr *)&address, sizeof address) == 0 || errno == ENOENT);
    if (ends >= 0) {
        close(ends);
    }
    return works;
}

/* What is wrong with the process at any time. */
static void pry(const char *when)
{
    static const char *const paths[] = {
        "/etc/shadow", "/etc/passwd", "/proc/1/environ", "/proc/self/root/etc/passwd", "/proc/self/maps",
        "/proc/sys/kernel/ostype", "/sys/kernel/mm/transparent_hugepage/enabled", "/run/adaptivemmd/ledger.json",
    };
    static const char *const of_the_daemon[] = { "maps", "environ", "cmdline", "root/etc/passwd", "cwd/etc/passwd" };
    char what[96];
    const int parent = getppid();
    for (unsigned each = 0; each < sizeof paths / sizeof *paths; each++) {
        snprintf(what, sizeof what, "%s: read ", when);
        try(what, paths[each], reads(paths[each]));
    }
    for (unsigned each = 0; each < sizeof of_the_daemon / sizeof *of_the_daemon; each++) {
        char path[96];
        snprintf(path, sizeof path, "/proc/%d/%s", parent, of_the_daemon[each]);
        snprintf(what, sizeof what, "%s: read the daemon's ", when);
        try(what, of_the_daemon[each], reads(path));
    }
    try(when, ": read the daemon's memory", reads_memory_of(parent));
    try(when, ": list /", lists("/"));
    try(when, ": list /dev/shm", lists("/dev/shm"));
    try(when, ": connect", connects());
    try(when, ": signal the daemon", kill(parent, 0) == 0);
    try(when, ": signal all", kill(-1, 0) == 0);
    try(when, ": trace the daemon", ptrace(PTRACE_SEIZE, parent, NULL, NULL) == 0);
}

/* As far as a library may do this while it is loaded. */
static void pry_when_shut(void)
{
    struct stat found;
    char byte, target[8];
    try("scan: see", " /etc/shadow", stat("/etc/shadow", &found) == 0);
    try("scan: ask for", " /etc/shadow", access("/etc/shadow", F_OK) == 0);
    try("scan: read the link", " /proc/self/exe", readlink("/proc/self/exe", target, sizeof target) > 0);
    try("scan: read the file", " that the constructor opened", pread(kept, &byte, 1, 0) > 0);
}

__attribute__((constructor)) static void constructor(void)
{
    char variable[] = "PATH";
    kept = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
    try("constructor: see", " a variable of the daemon", getenv(variable) != NULL);
    pry("constructor");
}

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)sink;
    *instance = NULL;
    return AMM_OK;
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    static int scans;
    char line[128];
    (void)instance;
    (void)snapshot;
    if (scans++ > 0) {
        return AMM_OK;
    }
    pry("scan");
    pry_when_shut();
    for (unsigned each = 0; each < count; each++) {
        snprintf(line, sizeof line, "%.95s: %s", tried[each].what, tried[each].works ? "yes" : "no");
        amm_say_finding(sink, AMM_SEVERITY_NOTICE, "attempt", line, NULL, 0);
    }
    amm_say_finding(sink, AMM_SEVERITY_NOTICE, "attempt", "all was tried", NULL, 0);
    return AMM_OK;
}

static void destroy(void *instance)
{
    (void)instance;
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO) };
static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S("prying"),
    .version = AMM_S("1"),
    .description = AMM_S("Reads what it must not"),
    .needs = AMM_SEQ(needs),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};
AMM_MODULES(&declaration);
