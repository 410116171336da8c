/* A module that does what most do: looks up some counters, and publishes a number. */
#include <adaptivemm_module.h>

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    static int nothing;
    (void)config;
    (void)sink;
    *instance = &nothing;
    return AMM_OK;
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    uint64_t free_bytes = 0, slab = 0;
    (void)instance;
    if (!amm_find_counter(snapshot->meminfo, "MemFree", &free_bytes) ||
        !amm_find_counter(snapshot->meminfo, "Slab", &slab)) {
        return AMM_FAILED;
    }
    amm_say_metric(sink, "free_bytes", (double)free_bytes);
    return AMM_OK;
}

static void destroy(void *instance)
{
    (void)instance;
}

static const amm_str needs[] = { AMM_S("/proc/meminfo") };
static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .name = AMM_S(NAME),
    .version = AMM_S("1"),
    .description = AMM_S("Looks at two counters"),
    .needs = AMM_SEQ(needs),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
