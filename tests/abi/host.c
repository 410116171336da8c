/*
 * A small core: loads a library, creates its modules and feeds them a machine made by hand.
 *
 *     host LIBRARY [OPTION=VALUE ...] < scans
 *
 * A line of input is one scan, 30 seconds after the one before: the counters of /proc/meminfo, in bytes, as
 * `MemTotal=1000 MemFree=500`; or `-` if the file could not be read. All that the modules say is printed.
 *
 * Everything that is lent is full of rubbish before its members are set: what a module reads beyond the
 * members that its own header has, it reads as rubbish.
 */
#include "adaptivemm_module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define RUBBISH 0xa5
/* Declares a structure, or an array of them, that is full of rubbish. */
#define NEW(type, name, count) \
    type name[count];          \
    memset(name, RUBBISH, sizeof name)
#define ARRAY_OF(pointer, count) { (pointer), (uint32_t)(count), sizeof *(pointer) }
/* How to print a counted string. */
#define SHOWN(text) (int)(text).len, (text).len == 0 ? "" : (text).ptr

enum { MOST = 64, LONGEST = 4096 };

struct module {
    const amm_declaration *declaration;
    void *instance;
};

static const uint64_t second = 1000000000u;

static void show_numbers(amm_seq numbers)
{
    for (uint32_t i = 0; i < numbers.len; i++) {
        const amm_number *number = AMM_AT(amm_number, numbers, i);
        printf(" %.*s=%.10g", SHOWN(number->name), number->value);
    }
    printf("\n");
}

static int32_t take_finding(void *context, const amm_finding *finding)
{
    (void)context;
    if (!AMM_HAS(finding, amm_finding, numbers)) {
        return AMM_INVALID;
    }
    printf("finding %u/%u %.*s: %.*s", finding->severity, finding->verbosity, SHOWN(finding->code),
           SHOWN(finding->text));
    if (finding->details.len > 0) {
        printf(" (%.*s)", SHOWN(finding->details));
    }
    if (AMM_HAS(finding, amm_finding, incident) && finding->incident.len > 0) {
        printf(" <%.*s>", SHOWN(finding->incident));
    }
    show_numbers(finding->numbers);
    return AMM_OK;
}

static int32_t take_request(void *context, const amm_request *request)
{
    (void)context;
    if (!AMM_HAS(request, amm_request, numbers)) {
        return AMM_INVALID;
    }
    switch (request->kind) {
    case AMM_SET_TUNABLE:
        printf("request %.*s = %lld", SHOWN(request->tunable), (long long)request->value);
        break;
    case AMM_COMPACT_NODE:
        printf("request compact node %u", request->node);
        break;
    default:
        return AMM_UNSUPPORTED;
    }
    printf(": %.*s", SHOWN(request->reason));
    if (request->details.len > 0) {
        printf(" (%.*s)", SHOWN(request->details));
    }
    show_numbers(request->numbers);
    return AMM_OK;
}

static int32_t take_metric(void *context, amm_str name, double value)
{
    (void)context;
    printf("metric %.*s %.10g\n", SHOWN(name), value);
    return AMM_OK;
}

static int32_t take_status(void *context, amm_str line)
{
    (void)context;
    printf("status %.*s\n", SHOWN(line));
    return AMM_OK;
}

static int32_t take_problem(void *context, const amm_problem *problem)
{
    (void)context;
    if (!AMM_HAS(problem, amm_problem, text)) {
        return AMM_INVALID;
    }
    printf("problem %.*s: %.*s\n", SHOWN(problem->key), SHOWN(problem->text));
    return AMM_OK;
}

static int32_t take_state(void *context, amm_str state)
{
    (void)context;
    if (memchr(state.ptr, 0, state.len) != NULL) {
        printf("keep %zu bytes\n", state.len);
    } else {
        printf("keep %.*s\n", SHOWN(state));
    }
    return AMM_OK;
}

static amm_sink sink_of(void)
{
    NEW(amm_sink, sink, 1);
    sink->struct_size = sizeof *sink;
    sink->pad = 0;
    sink->context = NULL;
    sink->finding = take_finding;
    sink->request = take_request;
    sink->metric = take_metric;
    sink->status = take_status;
    sink->problem = take_problem;
    sink->keep = take_state;
    return *sink;
}

static void set_value(amm_setting *setting, const char *text)
{
    switch (setting->kind) {
    case AMM_FLOAT:
        setting->value.float_ = strtod(text, NULL);
        break;
    case AMM_TEXT:
        setting->value.text = amm_string(text);
        break;
    default:
        setting->value.integer = strtoll(text, NULL, 10);
    }
}

static int32_t create(struct module *module, char **chosen)
{
    const amm_seq options = module->declaration->options;
    const amm_sink sink = sink_of();
    NEW(amm_setting, settings, MOST);
    NEW(amm_config, config, 1);
    for (uint32_t i = 0; i < options.len; i++) {
        const amm_option_declaration *option = AMM_AT(amm_option_declaration, options, i);
        settings[i].name = option->name;
        settings[i].kind = option->kind;
        settings[i].pad = 0;
        settings[i].value = option->default_;
        for (char **each = chosen; *each != NULL; each++) {
            const size_t len = strcspn(*each, "=");
            if (len == option->name.len && memcmp(*each, option->name.ptr, len) == 0) {
                set_value(&settings[i], *each + len + 1);
            }
        }
    }
    config->struct_size = sizeof *config;
    config->pad = 0;
    config->settings = (amm_seq)ARRAY_OF(settings, options.len);
    config->state = amm_string("what was before");
    return module->declaration->create(config, &sink, &module->instance);
}

/* What is the same in every scan: a bit of everything, in structures that live for the call. */
static int32_t scan(const struct module *module, amm_snapshot *snapshot)
{
    static const uint64_t free_blocks[] = { 1, 2, 3 };
    const amm_sink sink = sink_of();
    NEW(amm_counter, vmstat, 1);
    NEW(amm_counter, of_zone, 1);
    NEW(amm_counter, of_node, 1);
    NEW(amm_zone, zones, 2);
    NEW(amm_node, nodes, 2);
    NEW(amm_hugepages, hugepages, 1);
    NEW(amm_tunable, tunables, 2);
    NEW(amm_file, files, 2);
    vmstat->key = amm_string("pgfault");
    vmstat->value = 12345;
    of_zone->key = amm_string("nr_free_cma");
    of_zone->value = 7;
    of_node->key = amm_string("nr_inactive_anon");
    of_node->value = 99;
    memset(zones, 0, sizeof(amm_zone));
    zones[0].name = amm_string("DMA");
    zones[1] = zones[0];
    zones[1].name = amm_string("Normal");
    zones[1].free = 100;
    zones[1].boost = 1;
    zones[1].min = 10;
    zones[1].low = 20;
    zones[1].high = 30;
    zones[1].spanned = 2000;
    zones[1].present = 1900;
    zones[1].managed = 1800;
    zones[1].cma = 8;
    zones[1].per_cpu = 5;
    zones[1].counters = (amm_seq)ARRAY_OF(of_zone, 1);
    zones[1].free_blocks = (amm_seq)AMM_SEQ(free_blocks);
    for (uint32_t i = 0; i < 2; i++) {
        nodes[i].id = 2 * i;
        nodes[i].meminfo_errno = 0;
        nodes[i].meminfo = (amm_seq)AMM_NO_SEQ;
        nodes[i].stats = (amm_seq)ARRAY_OF(of_node, 1);
    }
    hugepages->size = 2 << 20;
    hugepages->count = 3;
    tunables[0].name = amm_string("vm.watermark_scale_factor");
    tunables[0].value = 20;
    tunables[0].original = 10;
    tunables[0].flags = 0;
    tunables[0].errno_ = 0;
    tunables[1] = tunables[0];
    tunables[1].name = amm_string("vm.vfs_cache_pressure");
    tunables[1].flags = AMM_TUNABLE_YIELDED;
    for (int i = 0; i < 2; i++) {
        files[i].path = amm_string(i == 0 ? "/proc/loadavg" : "/proc/pressure/memory");
        files[i].errno_ = i == 0 ? 0 : ENOENT;
        files[i].pad = 0;
        files[i].content = amm_string(i == 0 ? "0.1 0.2 0.3" : "");
    }
    snapshot->vmstat = (amm_seq)ARRAY_OF(vmstat, 1);
    snapshot->zones = (amm_seq)ARRAY_OF(zones, 2);
    snapshot->nodes = (amm_seq)ARRAY_OF(nodes, 2);
    snapshot->hugepages = (amm_seq)ARRAY_OF(hugepages, 1);
    snapshot->tunables = (amm_seq)ARRAY_OF(tunables, 2);
    snapshot->files = (amm_seq)ARRAY_OF(files, 2);
    return module->declaration->scan(module->instance, snapshot, &sink);
}

/* Reads `Key=number Key=number`; returns how many there are. */
static uint32_t read_counters(char *line, amm_counter *counters)
{
    uint32_t count = 0;
    for (char *word = strtok(line, " \n"); word != NULL && count < MOST; word = strtok(NULL, " \n")) {
        char *equals = strchr(word, '=');
        if (equals != NULL) {
            *equals = '\0';
            counters[count].key = amm_string(word);
            counters[count].value = strtoull(equals + 1, NULL, 10);
            count++;
        }
    }
    return count;
}

static void run(const struct module *modules, uint32_t count)
{
    char line[LONGEST];
    for (uint64_t number = 1; fgets(line, sizeof line, stdin) != NULL; number++) {
        const int is_absent = line[0] == '-';
        NEW(amm_counter, meminfo, MOST);
        NEW(amm_snapshot, snapshot, 1);
        snapshot->struct_size = sizeof *snapshot;
        snapshot->flags = 0;
        snapshot->scan = number;
        snapshot->uptime_ns = (1000 + 30 * number) * second;
        snapshot->period_ns = 30 * second;
        snapshot->page_size = 4096;
        snapshot->meminfo = (amm_seq)ARRAY_OF(meminfo, read_counters(line, meminfo));
        if (is_absent) {
            snapshot->meminfo = (amm_seq)AMM_NO_SEQ;
        }
        printf("scan %llu\n", (unsigned long long)number);
        for (uint32_t i = 0; i < count; i++) {
            const int32_t code = scan(&modules[i], snapshot);
            if (code != AMM_OK) {
                printf("returned %d\n", code);
            }
        }
    }
}

static const amm_module_set *load(const char *path)
{
    amm_entry entry = NULL;
    NEW(amm_host, host, 1);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    /* POSIX lets a symbol be a function; C has no cast for it. */
    *(void **)&entry = dlsym(library, AMM_ENTRY);
    host->struct_size = sizeof *host;
    host->magic = AMM_MAGIC;
    host->major = AMM_ABI_MAJOR;
    host->minor = AMM_ABI_MINOR;
    host->pad = 0;
    host->version = amm_string("host 1.0");
    return entry == NULL ? NULL : entry(host);
}

int main(int argc, char **argv)
{
    struct module modules[MOST];
    const amm_module_set *set = argc > 1 ? load(argv[1]) : NULL;
    if (set == NULL || !AMM_HAS(set, amm_module_set, built_with) || set->magic != AMM_MAGIC
        || set->major != AMM_ABI_MAJOR || set->count > MOST) {
        fprintf(stderr, "not a module library for version %d\n", AMM_ABI_MAJOR);
        return 2;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        const amm_declaration *declaration = set->declarations[i];
        if (!AMM_HAS(declaration, amm_declaration, destroy) || declaration->options.len > MOST) {
            return 2;
        }
        printf("module %.*s: %.*s\n", SHOWN(declaration->name), SHOWN(declaration->flag));
        modules[i].declaration = declaration;
        modules[i].instance = NULL;
        const int32_t code = create(&modules[i], argv + 2);
        if (code != AMM_OK) {
            printf("returned %d\n", code);
            return 1;
        }
    }
    run(modules, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        modules[i].declaration->destroy(modules[i].instance);
    }
    printf("destroyed\n");
    return 0;
}
