/*
 * A module of adaptivemmd that forecasts when swap will be full.
 *
 * It fits a line through the use of swap over the last scans, and warns once when at that rate swap will be
 * full within some minutes. Growth that has stopped is not extrapolated: the rate is the lesser of that of
 * the whole window and that of its newer half. When there is twice as much time again, it says so.
 */
#include "adaptivemm_module.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The longest window, in scans, and how many good scans in a row end a warning. */
enum { LONGEST = 60, CALM = 3 };

static const double mib = 1048576.0;

struct sample {
    double seconds;
    double used_bytes;
};

struct forecast {
    double warn_seconds;
    size_t window;
    double total_bytes;
    struct sample samples[LONGEST]; /* the oldest first */
    size_t count;
    int is_warned;
    int calm; /* good scans in a row since the warning */
};

enum { WARN_MINUTES, WINDOW_SCANS };

static const amm_option_declaration options[] = {
    { .name = AMM_S("warn-minutes"), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(60),
      .min = 1, .max = 1440, .help = AMM_S("Warn when swap will be full within so many minutes") },
    { .name = AMM_S("window-scans"), .kind = AMM_INTEGER, .default_ = AMM_INTEGER_VALUE(10),
      .min = 4, .max = LONGEST, .help = AMM_S("From how many scans the rate is taken") },
};

static int32_t create(const amm_config *config, const amm_sink *sink, void **instance)
{
    struct forecast *forecast = calloc(1, sizeof *forecast);
    (void)sink;
    if (forecast == NULL) {
        return AMM_FAILED;
    }
    forecast->warn_seconds = 60.0 * (double)amm_integer(config, &options[WARN_MINUTES]);
    forecast->window = (size_t)amm_integer(config, &options[WINDOW_SCANS]);
    *instance = forecast;
    return AMM_OK;
}

static void destroy(void *instance)
{
    free(instance);
}

static void keep(struct forecast *forecast, struct sample sample)
{
    if (forecast->count == forecast->window) {
        forecast->count--;
        memmove(forecast->samples, forecast->samples + 1, forecast->count * sizeof sample);
    }
    forecast->samples[forecast->count++] = sample;
}

/* By least squares, in bytes per second. */
static double rate(const struct sample *samples, size_t count)
{
    double seconds = 0, used = 0, covariance = 0, variance = 0;
    for (size_t i = 0; i < count; i++) {
        seconds += samples[i].seconds / (double)count;
        used += samples[i].used_bytes / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        const double distance = samples[i].seconds - seconds;
        covariance += distance * (samples[i].used_bytes - used);
        variance += distance * distance;
    }
    return variance > 0 ? covariance / variance : 0;
}

static double rate_now(const struct forecast *forecast)
{
    const size_t half = forecast->count / 2;
    const double of_all = rate(forecast->samples, forecast->count);
    const double of_newer = rate(forecast->samples + half, forecast->count - half);
    return of_all < of_newer ? of_all : of_newer;
}

static void say(const struct forecast *forecast, const amm_sink *sink, uint32_t severity, const char *code,
                const char *line, double growth, double left)
{
    const struct sample *last = &forecast->samples[forecast->count - 1];
    const amm_number numbers[] = {
        { AMM_S("swap_total_bytes"), forecast->total_bytes },
        { AMM_S("swap_used_bytes"), last->used_bytes },
        { AMM_S("swap_growth_bytes_per_second"), growth },
        { AMM_S("swap_full_seconds"), left },
    };
    /* A time that is infinite is no number. */
    amm_say_finding(sink, severity, code, line, numbers, isfinite(left) ? 4 : 3);
}

/* Warns once, and once takes it back. */
static void judge(struct forecast *forecast, const amm_sink *sink, const char *line, double growth, double left)
{
    if (left <= forecast->warn_seconds) {
        forecast->calm = 0;
        if (!forecast->is_warned) {
            forecast->is_warned = 1;
            say(forecast, sink, AMM_SEVERITY_WARNING, "swap-fills-up", line, growth, left);
        }
        return;
    }
    forecast->calm = left > 2 * forecast->warn_seconds ? forecast->calm + 1 : 0;
    if (forecast->is_warned && forecast->calm >= CALM) {
        forecast->is_warned = 0;
        say(forecast, sink, AMM_SEVERITY_INFO, "swap-back-to-normal", line, growth, left);
    }
}

static void look(struct forecast *forecast, const amm_sink *sink)
{
    const double used = forecast->samples[forecast->count - 1].used_bytes;
    const double unused = forecast->total_bytes - used;
    const int is_sure = forecast->count == forecast->window;
    const double growth = rate_now(forecast);
    double left = is_sure && growth > 0 ? unused / growth : INFINITY;
    char line[160];
    const int length = snprintf(line, sizeof line, "%.0f of %.0f MiB of swap used", used / mib,
                                forecast->total_bytes / mib);
    char *const end = line + length; /* where it goes on */
    const size_t room = sizeof line - (size_t)length;
    if (unused <= 0) {
        left = 0;
        snprintf(end, room, ": it is full");
    } else if (!is_sure) {
        snprintf(end, room, "; scans to a forecast: %zu", forecast->window - forecast->count);
    } else if (left < 100 * forecast->warn_seconds) {
        snprintf(end, room, ", %.1f MiB a minute more: full in about %.0f minutes", 60 * growth / mib, left / 60);
    } else {
        snprintf(end, room, "; that does not grow, or only slowly");
    }
    if (isfinite(left)) {
        amm_say_metric(sink, "swap_full_seconds", left);
    }
    amm_say_metric(sink, "swap_used_bytes", used);
    amm_say_status(sink, line);
    if (is_sure || left <= 0) {
        judge(forecast, sink, line, growth, left);
    }
}

static int32_t scan(void *instance, const amm_snapshot *snapshot, const amm_sink *sink)
{
    struct forecast *const forecast = instance;
    uint64_t total = 0, unused = 0;
    if (!amm_find_counter(snapshot->meminfo, "SwapTotal", &total)
        || !amm_find_counter(snapshot->meminfo, "SwapFree", &unused)) {
        amm_say_problem(sink, NULL, "/proc/meminfo has no SwapTotal or no SwapFree");
        return AMM_FAILED;
    }
    if (forecast->total_bytes != (double)total) {
        forecast->total_bytes = (double)total; /* swap was added or removed */
        forecast->count = 0;
        forecast->calm = 0;
    }
    if (total == 0) {
        forecast->is_warned = 0;
        amm_say_status(sink, "this machine has no swap");
        return AMM_OK;
    }
    const uint64_t used = unused < total ? total - unused : 0;
    keep(forecast, (struct sample){ (double)snapshot->uptime_ns / 1e9, (double)used });
    look(forecast, sink);
    return AMM_OK;
}

static const amm_str needs[] = { AMM_S(AMM_NEED_MEMINFO) };

static const amm_declaration declaration = {
    .struct_size = sizeof declaration,
    .flags = AMM_ENABLED_BY_DEFAULT,
    .name = AMM_S("swap-forecast"),
    .version = AMM_S("1.0.0"),
    .description = AMM_S("Forecasts when swap will be full"),
    .flag = AMM_S("ENABLE_SWAP_FORECAST"),
    .needs = AMM_SEQ(needs),
    .options = AMM_SEQ(options),
    .create = create,
    .scan = scan,
    .destroy = destroy,
};

AMM_MODULES(&declaration);
