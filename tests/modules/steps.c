/* A module for tests of the write path: asks for something every scan, up and down again. */
#include "adaptivemm_module.h"

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
    static const int64_t factors[] = { 20, 40, 10 };
    const uint64_t step = (snapshot->scan - 1) % 3;
    (void)instance;
    amm_ask_to_set(sink, "vm.watermark_scale_factor", factors[step], "the next step", NULL);
    amm_ask_to_set(sink, "vm.vfs_cache_pressure", 100 - 10 * (int64_t)step, "the next step", NULL);
    amm_ask_to_set(sink, "fs.negative-dentry-limit", 5 + (int64_t)step, "the next step", NULL);
    amm_ask_to_compact(sink, 0, "the next step", NULL);
    return AMM_OK;
}

static const amm_str writes[] = {
    AMM_S("vm.watermark_scale_factor"),
    AMM_S("vm.vfs_cache_pressure"),
    AMM_S("fs.negative-dentry-limit"),
    AMM_S(AMM_ACTION_COMPACT_NODE),
};

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S("steps"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S("Asks for something every scan"),
    .writes = AMM_SEQ(writes),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
