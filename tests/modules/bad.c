/*
 * Modules that break one rule each. Which one is chosen when this is compiled: cc -DLEAKS ...
 */
#include "adaptivemm_module.h"

#include <stdlib.h>
#include <time.h>

/* Without a switch it is a good module. */
#if defined(NO_WORDS_FOR_IT)
#define DESCRIPTION "memory"
#define OPTION "limit"
#else
#define DESCRIPTION "Breaks one of the rules"
#define OPTION "limit-percent"
#endif

static const amm_option_declaration options[] = {
    { .name = AMM_S(OPTION), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(5), .min = 1, .max = 100,
      .help = AMM_S("How much is too much, in percent") },
};

struct bad {
    int64_t limit;
    volatile char *latest;
};

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    struct bad *bad = calloc(1, sizeof *bad);
    (void)sink;
    if (bad == NULL) {
        return AMM_FAILED;
    }
    bad->limit = amm_integer(config, &options[0]);
#ifdef DIES_AT_THE_MOST
    if (bad->limit == 100) {
        abort();
    }
#endif
#ifdef REFUSES
    if (bad->limit == 100) {
        amm_say_problem(sink, OPTION, "must leave something");
        return AMM_INVALID;
    }
#endif
#ifdef REFUSES_SILENTLY
    if (bad->limit == 100) {
        amm_say_problem(sink, OPTION, "");
        return AMM_INVALID;
    }
#endif
    *instance = bad;
    return AMM_OK;
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    struct bad *bad = instance;
    uint64_t total = 0;
    const int is_there = amm_find_counter(snapshot->meminfo, "MemTotal", &total);
    (void)bad;
#ifdef CRASHES_WITHOUT_FILES
    if (!is_there) {
        amm_say_metric(sink, "first_bytes", (double)AMM_AT(amm_counter, snapshot->meminfo, 0)->value);
    }
#endif
#ifdef FAILS_SILENTLY
    if (!is_there) {
        return AMM_FAILED;
    }
#endif
    if (!is_there) {
        amm_say_problem(sink, NULL, "/proc/meminfo has no MemTotal");
        return AMM_FAILED;
    }
#ifdef LOOPS
    for (volatile int forever = 1; forever;) {
    }
#endif
#ifdef LEAKS
    bad->latest = calloc(1, 4096);
    *bad->latest = 1;
#endif
#ifdef READS_THE_CLOCK
    amm_say_metric(sink, "clock_seconds", (double)time(NULL));
#endif
#ifdef ASKS_FOR_TOO_MUCH
    amm_ask_to_set(sink, "vm.swappiness", 10, "as a trial", NULL);
#endif
#ifdef SAYS_IT_AGAIN
    amm_say_finding(sink, AMM_SEVERITY_WARNING, "much", "there is much memory", NULL, 0);
#endif
#ifdef DIVIDES_BY_NOTHING
    amm_say_metric(sink, "share_percent", 100.0 * (double)total / (double)(total - total));
#endif
#ifdef BADLY_NAMED
    amm_say_metric(sink, "Total-Bytes", (double)total);
#endif
#ifdef NUMBER_BADLY_NAMED
    const amm_number much = { AMM_S("Much-Bytes"), (double)total };
    if (snapshot->scan == 1) {
        amm_say_finding(sink, AMM_SEVERITY_NOTICE, "much", "there is much memory", &much, 1);
    }
#endif
    amm_say_metric(sink, "memory_bytes", (double)total);
    return AMM_OK;
}

static void destroy(void *instance)
{
    free(instance);
#ifdef CRASHES_AT_THE_END
    abort();
#endif
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO) };
#ifdef WANTS_TOO_MUCH
static const amm_str writes[] = { AMM_S("vm.swappiness") };
#endif

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S("bad"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S(DESCRIPTION),
    .flag = AMM_S("ENABLE_BAD"),
    .needs = AMM_SEQ(needs),
#ifdef WANTS_TOO_MUCH
    .writes = AMM_SEQ(writes),
#endif
    .options = AMM_SEQ(options),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
