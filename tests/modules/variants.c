/* A module for tests of the loader: good as it is, and bad in one way for each macro that is set (-D). */
#include "adaptivemm_module.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The set. */
#ifndef SET_SIZE
#define SET_SIZE sizeof(amm_module_set)
#endif
#ifndef MAGIC
#define MAGIC AMM_MAGIC
#endif
#ifndef MAJOR
#define MAJOR AMM_ABI_MAJOR
#endif
#ifndef COUNT
#define COUNT 1
#endif
#ifndef SET
#define SET &set
#endif
#ifndef DECLARATIONS
#define DECLARATIONS declarations
#endif
#ifndef LISTED
#define LISTED &declaration
#endif

/* The declaration. */
#ifndef DECLARATION_SIZE
#define DECLARATION_SIZE sizeof(amm_declaration)
#endif
#ifndef FLAGS
#define FLAGS AMM_ENABLED_BY_DEFAULT
#endif
#ifndef NEEDS_MINOR
#define NEEDS_MINOR 0
#endif
#ifndef NAME
#define NAME AMM_S("variant")
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef DESCRIPTION
#define DESCRIPTION AMM_S("Is tested")
#endif
#ifndef FLAG
#define FLAG AMM_NO_STR
#endif
#ifndef NEEDS
#define NEEDS AMM_S(AMM_NEED_MEMINFO)
#endif
#ifndef NEEDED
#define NEEDED AMM_SEQ(needs)
#endif
#ifndef OPTIONS
#define OPTIONS { .name = AMM_S("limit-mib"), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(3), .max = 10 }
#endif
#ifndef CREATE
#define CREATE create
#endif
#ifndef SCAN
#define SCAN scan
#endif
#ifndef DESTROY
#define DESTROY destroy
#endif

/* What it does when it is loaded, and in each scan. */
#ifndef CONSTRUCTOR
#define CONSTRUCTOR (void)0
#endif
#ifndef SCANNING
#define SCANNING (void)0
#endif

/* Libraries that it brings in. */
#ifdef HELPED
void help(void);
#endif
#ifdef LOADS
#include <dlfcn.h>
#endif

/* Leaves a file behind. */
static void mark(const char *path)
{
    const int file = open(path, O_WRONLY | O_CREAT, 0600);
    if (file >= 0) {
        close(file);
    }
}

static int32_t refuse(const amm_config *config, const amm_sink *sink, void **instance);
static int32_t fail(const amm_config *config, const amm_sink *sink, void **instance);
static int32_t hang(const amm_config *config, const amm_sink *sink, void **instance);
static int32_t crash(const amm_config *config, const amm_sink *sink, void **instance);

__attribute__((constructor)) static void constructor(void)
{
    (void)mark;
    (void)refuse;
    (void)fail;
    (void)hang;
    (void)crash;
    CONSTRUCTOR;
}

/* An instance counts its scans. */
static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)sink;
    *instance = calloc(1, sizeof(unsigned));
    return *instance == NULL ? AMM_FAILED : AMM_OK;
}

/* Refuses whatever it is given. */
static int32_t refuse(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)instance;
    amm_say_problem(sink, "limit-mib", "that is never enough");
    return AMM_INVALID;
}

/* Cannot be created, for whatever reason. */
static int32_t fail(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)instance;
    amm_say_problem(sink, "", "there is nothing to work with");
    return AMM_FAILED;
}

/* Never comes back. */
static int32_t hang(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)sink;
    (void)instance;
    while (pause() != 0) {
    }
    return AMM_FAILED;
}

/* Takes its process with it. */
static int32_t crash(const amm_config *config, const amm_sink *sink, void **instance)
{
    (void)config;
    (void)sink;
    (void)instance;
    abort();
}

/* Says once which version it is. */
static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    unsigned *const scans = instance;
    (void)snapshot;
    if ((*scans)++ == 0) {
        amm_say_finding(sink, AMM_SEVERITY_NOTICE, "version", "this is version " VERSION, NULL, 0);
    }
    SCANNING;
    return AMM_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

static const amm_str needs[] = { NEEDS };
#ifdef WRITES
static const amm_str writes[] = { WRITES };
#define WRITTEN AMM_SEQ(writes)
#else
#define WRITTEN AMM_NO_SEQ
#endif
static const amm_option_declaration options[] = { OPTIONS };

static const amm_declaration declaration = {
    .struct_size = DECLARATION_SIZE,
    .flags = FLAGS,
    .needs_minor = NEEDS_MINOR,
    .name = NAME,
    .version = AMM_S(VERSION),
    .description = DESCRIPTION,
    .flag = FLAG,
    .needs = NEEDED,
    .writes = WRITTEN,
    .options = AMM_SEQ(options),
    .create = CREATE,
    .scan = SCAN,
    .destroy = DESTROY,
};

#ifdef ANOTHER
static const amm_declaration another = {
    .struct_size = sizeof another,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = ANOTHER,
    .version = AMM_S(VERSION),
    .description = AMM_S("Is tested, too"),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};
#endif

static const amm_declaration *const declarations[] = {
    LISTED,
#ifdef ANOTHER
    &another,
#endif
};

static const amm_module_set set = {
    .struct_size = SET_SIZE,
    .magic = MAGIC,
    .major = MAJOR,
    .minor = AMM_ABI_MINOR,
    .count = COUNT,
    .declarations = DECLARATIONS,
    .built_with = AMM_S(AMM_BUILT_WITH),
};

#ifndef NO_ENTRY
const amm_module_set *adaptivemm_module_entry(const amm_host *host)
{
    (void)host;
    return SET;
}
#endif
