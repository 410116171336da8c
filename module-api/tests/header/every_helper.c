/* Uses everything that the header offers; compiles as C and as C++. */
#include "adaptivemm_module.h"

enum { SWITCH, AMOUNT, SHARE, NAME };

static const amm_option_declaration options[] = {
    { AMM_S("switch"), AMM_BOOLEAN, 0, AMM_BOOLEAN_VALUE(1), 0, 0, AMM_S("On or off") },
    { AMM_S("amount-mib"), AMM_INTEGER, 0, AMM_INTEGER_VALUE(64), 1, 1024, AMM_S("A whole number") },
    { AMM_S("share-percent"), AMM_FLOAT, 0, AMM_FLOAT_VALUE(1.5), 0, 100, AMM_S("A number") },
    { AMM_S("name"), AMM_TEXT, 0, AMM_TEXT_VALUE("it"), 0, 0, AMM_S("A string") },
};

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    *instance = NULL;
    if (amm_boolean(config, &options[SWITCH]) && amm_integer(config, &options[AMOUNT]) > 512
        && amm_float(config, &options[SHARE]) > 50.0 && amm_text(config, &options[NAME]).len == 0
        && amm_state(config).len == 0) {
        amm_say_problem(sink, "name", "must not be empty");
        return AMM_INVALID;
    }
    return amm_value_of(config, &options[AMOUNT]).integer > 0 ? AMM_OK : AMM_INVALID;
}

static void ask(const amm_snapshot *snapshot, const amm_sink *sink)
{
    amm_request request = { sizeof request, AMM_COMPACT_NODE, AMM_NO_STR, 0, 1, 0, AMM_S("why"),
                            AMM_S("what else"), AMM_NO_SEQ };
    const amm_tunable *factor = amm_find_tunable(snapshot, "vm.watermark_scale_factor");
    if (factor != NULL && !amm_is_yielded(factor) && factor->value > factor->original) {
        amm_ask_to_set(sink, "vm.watermark_scale_factor", factor->value - 1, "why", "what else");
    }
    if (amm_find_node(snapshot, 0) != NULL) {
        amm_ask_to_compact(sink, 0, "why", NULL);
    }
    amm_ask(sink, &request);
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    amm_finding finding = { sizeof finding, AMM_SEVERITY_INFO, 2, AMM_KIND_LEAK, AMM_S("some-code"), AMM_S("A text"),
                            AMM_NO_STR, AMM_NO_SEQ, AMM_S("some-incident"), AMM_EFFECT_ENDS, 0 };
    amm_number numbers[] = { { AMM_S("free_bytes"), 0.0 } };
    const amm_file *file = amm_find_file(snapshot, "/proc/pressure/memory");
    const amm_zone *zone = amm_find_zone(snapshot, 0, "Normal");
    uint64_t blocks = 0, free_memory = 0;
    (void)instance;
    if (!amm_find_counter(snapshot->meminfo, "MemFree", &free_memory)) {
        amm_say_problem(sink, NULL, amm_unavailable(snapshot, AMM_NEED_MEMINFO) == 0
                                        ? "/proc/meminfo has no MemFree" : "/proc/meminfo cannot be read");
        return AMM_FAILED;
    }
    for (uint32_t order = 0; zone != NULL && order < zone->free_blocks.len; order++) {
        blocks += *AMM_AT(uint64_t, zone->free_blocks, order);
    }
    if (AMM_HAS(snapshot, amm_snapshot, files) && AMM_HAS_AT(snapshot->files, amm_file, content) && file != NULL
        && amm_equals(file->content, "")) {
        finding.details = amm_string("empty");
    }
    numbers[0].value = (double)(free_memory + blocks);
    amm_say_finding(sink, AMM_SEVERITY_DEBUG, "free", "So much is free", numbers, 1);
    amm_say(sink, &finding);
    amm_say_metric(sink, "free_bytes", (double)free_memory);
    ask(snapshot, sink);
    amm_keep(sink, "well", 4);
    return amm_say_status(sink, "all is well");
}

static void destroy(void *instance)
{
    (void)instance;
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO), AMM_S("/proc/pressure/memory") };
static const amm_str writes[] = { AMM_S("vm.watermark_scale_factor"), AMM_S(AMM_ACTION_COMPACT_NODE) };

static const amm_declaration one = {
    sizeof one, AMM_ENABLED_BY_DEFAULT, 0, 0, AMM_S("one"), AMM_S("1.0.0"), AMM_S("Tries everything"),
    AMM_S("ENABLE_ONE"), AMM_SEQ(needs), AMM_SEQ(writes), AMM_SEQ(options), create, scan, destroy,
};
static const amm_declaration another = {
    sizeof another, 0, 0, 0, AMM_S("another"), AMM_S("1.0.0"), AMM_S("Tries everything, too"),
    AMM_NO_STR, AMM_NO_SEQ, AMM_NO_SEQ, AMM_NO_SEQ, create, scan, destroy,
};

AMM_MODULES(&one, &another);
