/* Starts a program as on a kernel that lacks something: lacking landlock|seccomp -- PROGRAM ARGUMENT...
 * Its system calls, and those of all that it starts, fail as they do there. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

#define CALL(number, error)                                  \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1),     \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

int main(int count, char **arguments)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        CALL(SYS_landlock_create_ruleset, ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    if (count < 4 || strcmp(arguments[2], "--") != 0) {
        return 2;
    }
    if (strcmp(arguments[1], "seccomp") == 0) {
        const struct sock_filter call[] = { CALL(SYS_seccomp, EINVAL) };
        memcpy(filter + 1, call, sizeof call);
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        return 3;
    }
    execvp(arguments[3], arguments + 3);
    return 4;
}
