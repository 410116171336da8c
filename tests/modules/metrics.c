/* A module for tests of what is published: a version and names of metrics that programs of others would choke on. */
#include "adaptivemm_module.h"

#ifndef NAME
#define NAME "odd"
#endif

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    static int nothing;
    (void)config;
    (void)sink;
    *instance = &nothing;
    return AMM_OK;
}

static void destroy(void *instance)
{
    (void)instance;
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    static const char *const bad[] = {
        "",          "a b",        "a-b",      "Bytes",     "1st",           "quote\"",  "back\\slash", "line\nfeed 1",
        "label{a=\"b\"}", "gr\303\266\303\237e", "bad\377utf8", "# HELP x y", "seen_count", "seen_sum", "seen_bucket", "_"
    };
    int32_t wrong = 0;
    (void)instance;
    (void)snapshot;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wrong += amm_say_metric(sink, bad[i], 1) != AMM_INVALID;
    }
    amm_say_metric(sink, "taken_names", wrong);
    amm_say_metric(sink, "not_a_number", 0.0 / 0.0);
    amm_say_metric(sink, "endless_bytes", 1e308 * 10);
    amm_say_metric(sink, "seen_total", (double)snapshot->scan);
    amm_say_status(sink, "says \"this\" and C:\\that\nand gr\303\266\303\237e");
    return AMM_OK;
}

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S(NAME),
    .version = AMM_S("1 \"beta\" \\n C:\\ } gr\303\266\303\237e"),
    .description = AMM_S("Says what must be escaped"),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
