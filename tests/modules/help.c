/* Libraries for tests of what a module brings in: -DHELP is what it needs, -DMORE what that needs. With -DMARK its
 * constructor leaves a file behind. */
#include <fcntl.h>
#include <unistd.h>

#define TEXT_(of) #of
#define TEXT(of) TEXT_(of)

#ifdef MARK
__attribute__((constructor)) static void constructor(void)
{
    const int file = open(TEXT(MARK), O_WRONLY | O_CREAT, 0600);
    if (file >= 0) {
        close(file);
    }
}
#endif

#ifdef HELP
__attribute__((visibility("default"))) void help(void) {}
#endif
#ifdef MORE
__attribute__((visibility("default"))) void more(void) {}
#endif
