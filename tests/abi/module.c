/* A module that says all that it is told, for tests of the interface between versions. */
#include "adaptivemm_module.h"

#include <stdio.h>
#include <stdlib.h>


enum { SWITCH, AMOUNT, SHARE, NAME };

static const amm_option_declaration options[] = {
    { .name = AMM_S("switch"), .kind = AMM_BOOLEAN, .default_ = AMM_BOOLEAN_VALUE(1) },
    { .name = AMM_S("amount-mib"), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(64), .max = 100 },
    { .name = AMM_S("share-percent"), .kind = AMM_FLOAT, .default_ = AMM_FLOAT_VALUE(1.5), .max = 100 },
    { .name = AMM_S("name"), .kind = AMM_TEXT, .default_ = AMM_TEXT_VALUE("it") },
};

/* An instance is a line of text: the options as they are set. */
enum { LONGEST = 128 };

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    const amm_str name = amm_text(config, &options[NAME]);
    const amm_str state = amm_state(config);
    if (name.len == 0) {
        amm_say_problem(sink, "name", "must not be empty");
        return AMM_INVALID;
    }
    char *const chosen = malloc(LONGEST);
    if (chosen == NULL) {
        return AMM_FAILED;
    }
    snprintf(chosen, LONGEST, "%d %lld %g %.*s after %.*s", amm_boolean(config, &options[SWITCH]),
             (long long)amm_integer(config, &options[AMOUNT]), amm_float(config, &options[SHARE]), (int)name.len,
             name.ptr, (int)state.len, state.ptr);
    *instance = chosen;
    return AMM_OK;
}

static void say_zone(const amm_zone *zone, const amm_sink *sink)
{
    char text[256];
    uint64_t own = 0, blocks = 0;
    for (uint32_t order = 0; order < zone->free_blocks.len; order++) {
        blocks += *AMM_AT(uint64_t, zone->free_blocks, order) << order;
    }
    amm_find_counter(zone->counters, "nr_free_cma", &own);
    snprintf(text, sizeof text, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu, own %llu, blocks %llu",
             (unsigned long long)zone->free, (unsigned long long)zone->boost, (unsigned long long)zone->min,
             (unsigned long long)zone->low, (unsigned long long)zone->high, (unsigned long long)zone->spanned,
             (unsigned long long)zone->present, (unsigned long long)zone->managed,
             (unsigned long long)zone->cma, (unsigned long long)zone->per_cpu, (unsigned long long)own,
             (unsigned long long)blocks);
    amm_say_finding(sink, AMM_SEVERITY_DEBUG, "zone", text, NULL, 0);
}

static void say_rest(const amm_snapshot *snapshot, const amm_sink *sink)
{
    const amm_hugepages *pool = AMM_AT(amm_hugepages, snapshot->hugepages, 0);
    const amm_file *load = amm_find_file(snapshot, "/proc/loadavg");
    const amm_file *pressure = amm_find_file(snapshot, "/proc/pressure/memory");
    const amm_node *node = amm_find_node(snapshot, 2);
    const amm_tunable *factor = amm_find_tunable(snapshot, "vm.watermark_scale_factor");
    const amm_tunable *yielded = amm_find_tunable(snapshot, "vm.vfs_cache_pressure");
    uint64_t faults = 0, inactive = 0;
    amm_number numbers[] = { { .name = AMM_S("faults_pages") }, { .name = AMM_S("inactive_pages") } };
    amm_finding finding = { .struct_size = sizeof finding, .severity = AMM_SEVERITY_WARNING, .verbosity = 2 };
    amm_find_counter(snapshot->vmstat, "pgfault", &faults);
    amm_find_counter(node->stats, "nr_inactive_anon", &inactive);
    numbers[0].value = (double)faults;
    numbers[1].value = (double)inactive;
    finding.code = amm_string("rest");
    finding.text = amm_string(pressure == NULL ? "no pressure" : "pressure");
    finding.details = load->content;
    finding.numbers = (amm_seq)AMM_SEQ(numbers);
    finding.incident = amm_string("rest-1");
    amm_say(sink, &finding);
    if (factor != NULL && !amm_is_yielded(factor) && amm_is_yielded(yielded)) {
        amm_ask_to_set(sink, "vm.watermark_scale_factor", factor->original + 1, "one more", "or one less");
    }
    amm_ask_to_compact(sink, node->id, "as a trial", NULL);
    amm_say_metric(sink, "pool_bytes", (double)(pool->size * pool->count));
}

/* What only a module of a later version asks for: whether its core is as new as itself. */
static const char *from_the_future(const amm_snapshot *snapshot, const amm_sink *sink)
{
#if AMM_ABI_MINOR >= 99
    const int in_all = AMM_HAS(snapshot, amm_snapshot, future) && AMM_HAS(sink, amm_sink, future)
        && AMM_HAS_AT(snapshot->meminfo, amm_counter, future);
    const int in_any = AMM_HAS(snapshot, amm_snapshot, future) || AMM_HAS(sink, amm_sink, future)
        || AMM_HAS_AT(snapshot->meminfo, amm_counter, future);
    return in_all ? "as new as I am" : in_any ? "neither old nor new" : "older than I am";
#else
    (void)snapshot;
    (void)sink;
    return "all I know";
#endif
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    char text[256];
    uint64_t total = 0, last = 0;
    if (!amm_find_counter(snapshot->meminfo, "First", &total)
        || !amm_find_counter(snapshot->meminfo, "Last", &last)) {
        amm_say_problem(sink, NULL, "/proc/meminfo lacks something");
        return AMM_FAILED;
    }
    say_zone(amm_find_zone(snapshot, 0, "Normal"), sink);
    say_rest(snapshot, sink);
    snprintf(text, sizeof text, "%s; scan %llu at %llu ns of %llu, flags %u, pages of %llu; %llu %llu; the core is %s",
             (const char *)instance, (unsigned long long)snapshot->scan, (unsigned long long)snapshot->uptime_ns,
             (unsigned long long)snapshot->period_ns, snapshot->flags, (unsigned long long)snapshot->page_size,
             (unsigned long long)total, (unsigned long long)last, from_the_future(snapshot, sink));
    amm_say_status(sink, text);
    amm_keep(sink, "what is now", 11);
    return AMM_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO) };

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .name = AMM_S("echo"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S("Says all that it is told"),
    .flag = AMM_S("ENABLE_ECHO"),
    .needs = AMM_SEQ(needs),
    .options = AMM_SEQ(options),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};
static const amm_declaration another = {
    .struct_size = sizeof another,
    .name = AMM_S("echo-again"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S("Says it again: a second element of an array of pointers"),
    .options = AMM_SEQ(options),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration, &another);
