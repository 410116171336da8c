/* A module for tests of incidents: opens and ends the same incident twice, about something of its own. */
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

static void say(const amm_sink *sink, uint32_t severity, const char *code, const char *text, uint32_t effect)
{
    amm_finding finding = { 0 };
    finding.struct_size = sizeof finding;
    finding.effect = effect;
    finding.severity = severity;
    finding.code = amm_string(code);
    finding.text = amm_string(text);
    finding.incident = amm_string("pool");
    sink->finding(sink->context, &finding);
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    /* Longer than the scans that are kept after an incident. */
    const uint64_t turn = snapshot->scan % 60;
    (void)instance;
    amm_say_metric(sink, "pool_bytes", 1048576.0 * (double)turn);
    /* As memleak calls something of its own. */
    amm_say_metric(sink, "slab_bytes", 1125899906842624.0 * (double)(1 + snapshot->scan));
    if (snapshot->scan > 120)
        return AMM_OK;
    if (turn == 20)
        say(sink, AMM_SEVERITY_WARNING, "pool-full", "the pool is full", 0);
    if (turn == 50)
        say(sink, AMM_SEVERITY_INFO, "pool-has-room", "the pool has room again", AMM_EFFECT_ENDS);
    return AMM_OK;
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO) };

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S("again"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S("Has the same incident twice"),
    .needs = AMM_SEQ(needs),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
