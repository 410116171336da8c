/*
 * The interface between adaptivemmd and a module of it: version 1.0.
 *
 * A module watches one thing about the memory of a machine. The core (the daemon) reads the kernel's
 * files once per scan and hands every module a snapshot. The module answers through a sink: findings,
 * requests, metrics, a status line. It opens no file, writes nothing and reads no clock.
 *
 * A module is an `amm_declaration` and three functions; `AMM_MODULES` puts it into a library:
 *
 *     static const amm_declaration declaration = { sizeof declaration, ... create, scan, destroy };
 *     AMM_MODULES(&declaration);
 *
 *     cc -std=c99 -shared -fPIC -fvisibility=hidden -o my-module.so my-module.c
 *
 * The rules, all of them:
 *
 *  1. Nothing owned crosses. Whoever is called copies what it keeps before it returns; whoever calls
 *     frees what it lent. Nobody frees what the other side allocated.
 *  2. What the core lends (config, snapshot, sink, and all that they point to) is valid during that one
 *     call, on that thread. A declaration, and all that it points to, lives as long as the process.
 *  3. A library is never unloaded. Several instances of a module can exist at once: at a reload the new
 *     one is created before the old one is destroyed. So keep no state outside the instance.
 *  4. One instance is called by one thread at a time, but not always by the same one: no thread-locals.
 *  5. Structures only ever grow, at the end. One that starts with `struct_size` has as many bytes as
 *     that says: set it to `sizeof`. The elements of an array are `stride` bytes apart: never index it,
 *     use AMM_AT. What version 1.0 has is always there; before you read a member that says "since 1.x",
 *     ask AMM_HAS or AMM_HAS_AT. amm_str, amm_seq and amm_value are embedded by value, so they never grow.
 *  6. A string is counted, not terminated, and UTF-8. Its pointer may be NULL: then it is absent.
 *  7. What is missing is absent, never zero. An array whose pointer is NULL is absent, which is not the same
 *     as an empty one; its `len` is 0, so a loop over it does nothing. Why something that the module names in
 *     `needs` or `writes` is absent, amm_unavailable says: it was not named, there is no such thing on this
 *     machine, or it could not be read.
 *  8. `pad` is zero: a later version may give it a meaning.
 *  9. A kind that you do not know: leave it alone, or answer AMM_UNSUPPORTED. New ones may come.
 * 10. No exception and no longjmp may leave a function that the core called. Do not call exit or abort,
 *     start no thread, and install no signal handler.
 * 11. A scan has a deadline, normally some seconds. What is said after it is dropped; a module that is
 *     late again and again is quarantined.
 *
 * A member that would be a word of C or of its library, such as `default`, has an underscore at its end.
 *
 * C99, C11 and C++17. Needs no library. The layout is that of the platform's C ABI.
 */
#ifndef ADAPTIVEMM_MODULE_H
#define ADAPTIVEMM_MODULE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* amm_module_set.magic and amm_host.magic: "AMM1", as bytes in memory of a little-endian machine. */
#define AMM_MAGIC 0x314d4d41u
/* The version of this interface that breaks with the one before. */
#define AMM_ABI_MAJOR 1
/* The version of this interface that only adds to the one before. */
#define AMM_ABI_MINOR 0

/* ---- What a function returns ---------------------------------------------------------------------- */

/* It did what it was asked to do. */
#define AMM_OK 0
/* An argument makes no sense. From `create`: an option does; the sink has the problem. */
#define AMM_INVALID (-1)
/* The module could not do its work; the sink has the problem. It is called again with the next snapshot. */
#define AMM_FAILED (-2)
/* The module is broken; the sink has the problem. The instance is never called again, nor destroyed.
 * (What a module in Rust returns after a panic.) */
#define AMM_PANICKED (-3)
/* The module did not declare this in `writes`, or the administrator does not allow it. */
#define AMM_DENIED (-4)
/* The other side does not know this kind, or has no such function. */
#define AMM_UNSUPPORTED (-5)

/* ---- Strings and arrays --------------------------------------------------------------------------- */

/* A counted string of UTF-8 that belongs to whoever made it. Passed and embedded by value: never grows. */
typedef struct amm_str {
    const char *ptr; /* not terminated; NULL if there is no string */
    size_t len;      /* in bytes */
} amm_str;

/* An array that belongs to whoever made it. Embedded by value: never grows. */
typedef struct amm_seq {
    const void *ptr; /* the first element; NULL if there is no array */
    uint32_t len;    /* how many elements */
    uint32_t stride; /* from one element to the next, in bytes */
} amm_seq;

/* Initialisers: an amm_str of a literal, an amm_seq of an array, and none of either. */
#define AMM_S(literal) { "" literal, sizeof(literal) - 1 }
#define AMM_SEQ(array) { (array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0]) }
#define AMM_NO_STR { NULL, 0 }
#define AMM_NO_SEQ { NULL, 0, 0 }

/* Element `index` of an array of `type`: a `const type *`. The index must be below `seq.len`. */
#define AMM_AT(type, seq, index) \
    ((const type *)(const void *)((const char *)(seq).ptr + (size_t)(index) * (seq).stride))

/* Whether the producer of a structure knew this member. For members since 1.1 and later. */
#define AMM_HAS(pointer, type, member) \
    ((pointer)->struct_size >= offsetof(type, member) + sizeof(((type *)NULL)->member))
/* Whether the producer of an array knew this member of its elements. For members since 1.1 and later. */
#define AMM_HAS_AT(seq, type, member) \
    ((seq).stride >= offsetof(type, member) + sizeof(((type *)NULL)->member))

/* ---- The snapshot: what the core tells a module ---------------------------------------------------- */

/* What a module can name in `amm_declaration.needs`. It sees nothing else. Any other absolute path of a
 * kernel file below /proc or /sys may be named, too; its text is then in `amm_snapshot.files`, where there is
 * also what became of these. */
#define AMM_NEED_MEMINFO "/proc/meminfo"                 /* amm_snapshot.meminfo */
#define AMM_NEED_VMSTAT "/proc/vmstat"                   /* amm_snapshot.vmstat */
#define AMM_NEED_ZONEINFO "/proc/zoneinfo"               /* amm_snapshot.zones, amm_node.stats */
#define AMM_NEED_BUDDYINFO "/proc/buddyinfo"             /* amm_zone.free_blocks, if zones are needed, too */
#define AMM_NEED_HUGEPAGES "/sys/kernel/mm/hugepages"    /* amm_snapshot.hugepages */
#define AMM_NEED_NODE_MEMINFO "/sys/devices/system/node" /* amm_node.meminfo */

/* A named number of the kernel. In a meminfo it is in bytes, but for those whose names begin with HugePages_,
 * which count huge pages. In vmstat, and of zones and nodes, it is as printed: mostly pages, or events. */
typedef struct amm_counter {
    amm_str key;    /* the kernel's name, without its colon: "MemFree", "pgscan_kswapd" */
    uint64_t value; /* in the unit that the key has in its file */
} amm_counter;

/* One of the `needs`: what became of it, and what it held, as text. */
typedef struct amm_file {
    amm_str path;    /* as in `needs` */
    int32_t errno_;  /* 0; or why it could not be read: ENOENT if there is no such thing on this machine,
                        EBADMSG if it is not what the kernel documents */
    uint32_t pad;    /* zero */
    amm_str content; /* the whole file, if errno_ is 0; need not be UTF-8. Empty for the two directories */
} amm_file;

/* amm_zone.missing: the kernel prints no such line for this zone, so the number is not known. A bit for each says
 * so, as there is no value that a number of pages could not have; what stands in its place then means nothing. */
#define AMM_ZONE_NO_FREE 1u
#define AMM_ZONE_NO_BOOST 2u
#define AMM_ZONE_NO_MIN 4u
#define AMM_ZONE_NO_LOW 8u
#define AMM_ZONE_NO_HIGH 16u
#define AMM_ZONE_NO_SPANNED 32u
#define AMM_ZONE_NO_PRESENT 64u
#define AMM_ZONE_NO_MANAGED 128u
#define AMM_ZONE_NO_CMA 256u
#define AMM_ZONE_NO_PER_CPU 512u

/* One zone of one node, from /proc/zoneinfo. In pages, each with the name that the file has for it. */
typedef struct amm_zone {
    amm_str name;        /* "DMA", "DMA32", "Normal", "Movable", ... */
    uint32_t node;       /* the number of its node */
    uint32_t missing;    /* AMM_ZONE_NO_*: look before a number that a kernel may not have, such as cma */
    uint64_t free;       /* `pages free`; the pages on per-CPU lists are not in it */
    uint64_t boost;      /* `boost`: added to the watermarks for a while after fragmentation; since 5.16 */
    uint64_t min;        /* `min` watermark: below it only urgent allocations succeed */
    uint64_t low;        /* `low` watermark: kswapd starts */
    uint64_t high;       /* `high` watermark: kswapd stops */
    uint64_t spanned;    /* `spanned`: from the first page to the last, holes included */
    uint64_t present;    /* `present`: pages that exist */
    uint64_t managed;    /* `managed`: pages of the buddy allocator; 0 in a zone that is not populated;
                            grows at first where memory is initialised lazily */
    uint64_t cma;        /* `cma`: reserved for the contiguous memory allocator; since 5.12 */
    uint64_t per_cpu;    /* free pages on per-CPU lists: the sum of the `count:` lines */
    amm_seq counters;    /* of amm_counter: the other lines, such as nr_free_cma. Before 4.8 also those
                            that are in amm_node.stats today */
    amm_seq free_blocks; /* of uint64_t: how many free blocks of 2^0, 2^1, 2^2, ... pages; this zone's row of
                            /proc/buddyinfo. Absent if not asked for, or the zone is not populated */
} amm_zone;

/* One NUMA node. */
typedef struct amm_node {
    uint32_t id;           /* its number; numbers may have gaps */
    int32_t meminfo_errno; /* 0; or why its meminfo could not be read */
    amm_seq meminfo;       /* of amm_counter: /sys/devices/system/node/node<id>/meminfo, with the names of
                              /proc/meminfo. Absent if not asked for or not readable */
    amm_seq stats;         /* of amm_counter: `per-node stats` of /proc/zoneinfo, in pages or events; since 4.8.
                              Absent if not asked for or not readable, or the node has no memory */
} amm_node;

/* The pool of huge pages of one size: a directory of /sys/kernel/mm/hugepages. */
typedef struct amm_hugepages {
    uint64_t size;  /* of one page, in bytes */
    uint64_t count; /* `nr_hugepages`: pages in the pool, used or not, surplus included */
} amm_hugepages;

/* amm_tunable.flags: somebody else set it while the daemon ran, so the value is theirs. Requests for it are
 * not carried out until the administrator says `adaptivemmd resume`. */
#define AMM_TUNABLE_YIELDED 1u

/* A tunable that the module named in `writes`. */
typedef struct amm_tunable {
    amm_str name;     /* as sysctl names it: "vm.watermark_scale_factor" */
    int64_t value;    /* as it is now, in its own unit */
    int64_t original; /* as it was before the daemon first changed it: what it gets back at the end. Equal to
                         `value` as long as the daemon has changed nothing, or where the value is somebody
                         else's. Outlives a reload, which an instance does not */
    uint32_t flags;   /* AMM_TUNABLE_*; ignore those that you do not know */
    int32_t errno_;   /* 0; or why there is no value: ENOENT if this kernel lacks it, EOPNOTSUPP if this core
                         does not know it. `value` and `original` mean nothing then */
} amm_tunable;

/* amm_snapshot.flags: memory moved while the files were read, one after another; figures of several files
 * may not fit together to within some megabytes. */
#define AMM_SNAPSHOT_UNSTEADY 1u

/* The machine at one moment. Holds what the module named in `needs` and `writes`, and nothing else, so
 * that what a module says does not depend on its company. */
typedef struct amm_snapshot {
    uint32_t struct_size; /* in bytes, as the core knows it */
    uint32_t flags;       /* AMM_SNAPSHOT_*; ignore those that you do not know */
    uint64_t scan;        /* the number of the scan, from 1; a gap means that the module was late */
    uint64_t uptime_ns;   /* when it was taken: time since boot, suspended time included, in nanoseconds */
    uint64_t period_ns;   /* the time that should lie between two scans, in nanoseconds */
    uint64_t page_size;   /* of a base page of this machine, in bytes: 4096 to 65536 */
    amm_seq meminfo;      /* of amm_counter: /proc/meminfo */
    amm_seq vmstat;       /* of amm_counter: /proc/vmstat */
    amm_seq zones;        /* of amm_zone: /proc/zoneinfo, in the kernel's order */
    amm_seq nodes;        /* of amm_node, by number; absent if no need calls for it or none could be read */
    amm_seq hugepages;    /* of amm_hugepages, by size; absent on a kernel without huge pages */
    amm_seq tunables;     /* of amm_tunable: all that are in `writes`, also those that this kernel lacks */
    amm_seq files;        /* of amm_file: all that are in `needs`, also those that could not be read */
} amm_snapshot;

/* ---- The sink: what a module tells the core -------------------------------------------------------- */

/* The core copies what it takes. It replaces what is not UTF-8, turns control characters into blanks and
 * cuts what is too long: names at 64 bytes, lines at 4096, details at 65536. Of one scan it takes 64
 * findings, 64 requests and 256 metrics, of one finding or request 64 numbers. */

/* How bad a finding is, as in syslog. */
#define AMM_SEVERITY_ERROR 3u   /* the module does not do its work */
#define AMM_SEVERITY_WARNING 4u /* the machine is heading for trouble */
#define AMM_SEVERITY_NOTICE 5u  /* the machine was changed, or should be */
#define AMM_SEVERITY_INFO 6u    /* started, stopped, back to normal */
#define AMM_SEVERITY_DEBUG 7u   /* what else led to a decision */

/* amm_finding.kind: memory is lost, or grows without end. It has an event of its own in the journal. */
#define AMM_KIND_LEAK 1u

/* amm_finding.effect: the incident is over. The same name opens another one later. */
#define AMM_EFFECT_ENDS 1u

/* A number behind a finding or a request. */
typedef struct amm_number {
    amm_str name; /* in snake_case, ending in its unit: "swap_used_bytes" */
    double value; /* exact for whole numbers below 2^53 */
} amm_number;

/* Something seen. Say it once, when it begins: what lasts belongs into the status line. */
typedef struct amm_finding {
    uint32_t struct_size; /* sizeof(amm_finding) */
    uint32_t severity;    /* AMM_SEVERITY_* */
    uint32_t verbosity;   /* logged from this verbosity of the daemon, 0 (always) to 5 */
    uint32_t kind;        /* AMM_KIND_* if it is about one of those; else 0. Never read from the code */
    amm_str code;         /* which of the module's findings it is, in kebab-case, for programs: "slow-leak" */
    amm_str text;         /* the finding, in one line for people, with the numbers that matter */
    amm_str details;      /* further lines of evidence, separated by line feeds; may be absent */
    amm_seq numbers;      /* of amm_number: the numbers behind it, for programs; may be absent */
    amm_str incident;     /* the incident it belongs to, as the module calls it, in kebab-case: "growth-86400";
                             absent if it is none. The core keeps evidence for it, of then and of now: a debug
                             finding is a suspicion, for which evidence is taken; the first one that is a notice
                             or worse opens the incident, and later ones of the same name are added to it */
    uint32_t effect;      /* what it does to that incident: 0, as above; or AMM_EFFECT_ENDS */
    uint32_t pad;         /* zero */
} amm_finding;

/* amm_request.kind: give a tunable a value. The tunable must be in `writes`. */
#define AMM_SET_TUNABLE 1u
/* amm_request.kind: compact the memory of a node. AMM_ACTION_COMPACT_NODE must be in `writes`. */
#define AMM_COMPACT_NODE 2u
/* amm_declaration.writes: the module may ask for AMM_COMPACT_NODE. */
#define AMM_ACTION_COMPACT_NODE "compact-node"

/* Something asked for. Whether it is done is for the core to decide, after the scan; the next snapshot
 * shows it. */
typedef struct amm_request {
    uint32_t struct_size; /* sizeof(amm_request) */
    uint32_t kind;        /* AMM_SET_TUNABLE or AMM_COMPACT_NODE */
    amm_str tunable;      /* AMM_SET_TUNABLE: its name; else absent */
    int64_t value;        /* AMM_SET_TUNABLE: its new value, in its own unit; else 0 */
    uint32_t node;        /* AMM_COMPACT_NODE: the number of the node; else 0 */
    uint32_t pad;         /* zero */
    amm_str reason;       /* why, in one line for people, with the numbers that led to it */
    amm_str details;      /* further lines, separated by line feeds: what was weighed and what was rejected,
                             for `adaptivemmd explain`; may be absent */
    amm_seq numbers;      /* of amm_number: the numbers behind it, for programs; may be absent */
} amm_request;

/* Something wrong: with an option in `create`, with the machine in `scan`. Say it, then return
 * AMM_INVALID or AMM_FAILED. In `scan` it is logged once, not every time. */
typedef struct amm_problem {
    uint32_t struct_size; /* sizeof(amm_problem) */
    uint32_t pad;         /* zero */
    amm_str key;          /* in `create` the name of the option; else absent */
    amm_str text;         /* what is wrong, and what was expected */
} amm_problem;

/* Where a module's words go. Every function returns AMM_OK if the core took the word; one that is NULL
 * takes nothing. The functions under "Speaking" check that. */
typedef struct amm_sink {
    uint32_t struct_size; /* in bytes, as the core knows it */
    uint32_t pad;         /* zero */
    void *context;        /* the core's; pass it to every function */
    /* Takes a finding. */
    int32_t (*finding)(void *context, const amm_finding *finding);
    /* Takes a request. AMM_DENIED: not declared or not allowed. AMM_UNSUPPORTED: the daemon cannot change
     * that. AMM_INVALID: out of the range that the daemon would ever set. */
    int32_t (*request)(void *context, const amm_request *request);
    /* Takes a number that is published until the next scan: its name in snake_case, ending in its unit.
     * AMM_INVALID: that is no such name; it is not published. */
    int32_t (*metric)(void *context, amm_str name, double value);
    /* Takes one line on how things stand; the last one of a scan counts. Say one in every scan. */
    int32_t (*status)(void *context, amm_str line);
    /* Takes a problem. */
    int32_t (*problem)(void *context, const amm_problem *problem);
    /* Takes bytes for the next instance, see amm_config.state; the last ones of a scan count, and those of a
     * scan that fails do not. No bytes: forget those of before. AMM_INVALID: more than AMM_MAX_STATE. */
    int32_t (*keep)(void *context, amm_str state);
} amm_sink;

/* The most bytes that amm_sink.keep takes. */
#define AMM_MAX_STATE 65536u

/* ---- Options: what an administrator can choose ------------------------------------------------------ */

/* amm_option_declaration.kind and amm_setting.kind. */
#define AMM_BOOLEAN 1u /* true or false */
#define AMM_INTEGER 2u /* a whole number */
#define AMM_FLOAT 3u   /* a number */
#define AMM_TEXT 4u    /* a string */

/* The value of an option. Only the member of its kind counts. Embedded by value: never grows. */
typedef struct amm_value {
    int64_t integer; /* AMM_INTEGER; AMM_BOOLEAN: 0 or 1 */
    double float_;   /* AMM_FLOAT */
    amm_str text;    /* AMM_TEXT */
} amm_value;

/* Initialisers of an amm_value. */
#define AMM_BOOLEAN_VALUE(on) { (on) ? 1 : 0, 0.0, AMM_NO_STR }
#define AMM_INTEGER_VALUE(number) { (number), 0.0, AMM_NO_STR }
#define AMM_FLOAT_VALUE(number) { 0, (number), AMM_NO_STR }
#define AMM_TEXT_VALUE(literal) { 0, 0.0, AMM_S(literal) }

/* A key of [modules.NAME.config]. */
typedef struct amm_option_declaration {
    amm_str name;           /* in kebab-case, ending in its unit: "warn-minutes" */
    uint32_t kind;          /* AMM_BOOLEAN, AMM_INTEGER, AMM_FLOAT or AMM_TEXT */
    uint32_t pad;           /* zero */
    amm_value default_;     /* what it is if nobody sets it */
    double min;             /* AMM_INTEGER and AMM_FLOAT: the smallest value allowed; else ignored */
    double max;             /* AMM_INTEGER and AMM_FLOAT: the largest value allowed; else ignored */
    amm_str help;           /* what it is for, in one sentence */
} amm_option_declaration;

/* An option as it is set. */
typedef struct amm_setting {
    amm_str name;    /* of the option */
    uint32_t kind;   /* as declared */
    uint32_t pad;    /* zero */
    amm_value value; /* within the declared range */
} amm_setting;

/* A module's part of the configuration: every option that it declared. The core has checked kinds and
 * ranges and filled in the defaults. */
typedef struct amm_config {
    uint32_t struct_size; /* in bytes, as the core knows it */
    uint32_t pad;         /* zero */
    amm_seq settings;     /* of amm_setting: one per declared option */
    /* What an instance before this one kept with amm_sink.keep, since the machine was booted: before a reload,
     * or a restart of the daemon. Bytes, at most AMM_MAX_STATE; absent if there are none, and after the module
     * broke down. They may be those of another version of the module, so let them start with one. */
    amm_str state;
} amm_config;

/* ---- The module ------------------------------------------------------------------------------------ */

/* amm_declaration.flags: on unless the configuration says otherwise. */
#define AMM_ENABLED_BY_DEFAULT 1u
/* amm_declaration.flags: built so that a panic ends the whole process; such a module is refused where it
 * would run in the core's process. A module in C does not set it. */
#define AMM_PANIC_ABORTS 2u

/* Makes an instance and stores a pointer to it in `*instance`, which is the module's own business and may
 * be NULL. Pure: it may only look at the configuration. Called at start and at every reload.
 * Returns AMM_OK; AMM_INVALID if the options make no sense together; AMM_FAILED, such as without memory.
 * Unless it returns AMM_OK, there is no instance, and nothing is destroyed. */
typedef int32_t (*amm_create)(const amm_config *config, const amm_sink *sink, void **instance);

/* Looks at one snapshot and says what it saw and wants. It should not allocate: it runs when memory is
 * short. Returns AMM_OK; AMM_FAILED if the snapshot lacks what the module cannot do without. */
typedef int32_t (*amm_scan)(void *instance, const amm_snapshot *snapshot, const amm_sink *sink);

/* Frees an instance: called once, with what `create` stored. */
typedef void (*amm_destroy)(void *instance);

/* What a module is, what it needs, and how to call it. All of it is data, known before an instance
 * exists. It lives as long as the process: make it `static const`. */
typedef struct amm_declaration {
    uint32_t struct_size; /* sizeof(amm_declaration) */
    uint32_t flags;       /* AMM_ENABLED_BY_DEFAULT or 0 */
    uint32_t needs_minor; /* the oldest AMM_ABI_MINOR of a core that the module can work with; normally 0 */
    uint32_t pad;         /* zero */
    amm_str name;         /* in kebab-case, unique, not "core"; its table is [modules.NAME] */
    amm_str version;      /* of the module */
    amm_str description;  /* what it looks after, in one sentence */
    amm_str flag;         /* the configuration key that switches it, such as ENABLE_SWAP_FORECAST; may be
                             absent */
    amm_seq needs;        /* of amm_str: AMM_NEED_* and other kernel files, as absolute paths */
    amm_seq writes;       /* of amm_str: the tunables, as sysctl names them, and AMM_ACTION_* that it may ask
                             for; absent if it only watches */
    amm_seq options;      /* of amm_option_declaration; absent if there is nothing to choose */
    amm_create create;    /* required */
    amm_scan scan;        /* required */
    amm_destroy destroy;  /* required */
} amm_declaration;

/* What is in a library. The first 16 bytes, up to and with `count`, mean the same in every major version. */
typedef struct amm_module_set {
    uint32_t struct_size;                       /* sizeof(amm_module_set) */
    uint32_t magic;                             /* AMM_MAGIC */
    uint16_t major;                             /* AMM_ABI_MAJOR, as the library knows it */
    uint16_t minor;                             /* AMM_ABI_MINOR, as the library knows it */
    uint32_t count;                             /* how many modules there are */
    const amm_declaration *const *declarations; /* `count` pointers */
    amm_str built_with;                         /* with what it was built, for people; may be absent */
} amm_module_set;

/* Who loads a library. The first 12 bytes, up to and with `minor`, mean the same in every major version. */
typedef struct amm_host {
    uint32_t struct_size; /* in bytes, as the core knows it */
    uint32_t magic;       /* AMM_MAGIC */
    uint16_t major;       /* AMM_ABI_MAJOR, as the core knows it */
    uint16_t minor;       /* AMM_ABI_MINOR, as the core knows it */
    uint32_t pad;         /* zero */
    amm_str version;      /* the name and the version of the core, for people */
} amm_host;

/* The type of the one symbol that a library exports. */
typedef const amm_module_set *(*amm_entry)(const amm_host *host);
/* Its name, the same in every version. */
#define AMM_ENTRY "adaptivemm_module_entry"

#if defined(__GNUC__)
#define AMM_EXPORT __attribute__((visibility("default")))
#define AMM_BUILT_WITH "C, " __VERSION__
#else
#define AMM_EXPORT
#define AMM_BUILT_WITH "C"
#endif

/* Says what is in the library; NULL if the caller is no core. Called once. AMM_MODULES defines it. */
AMM_EXPORT const amm_module_set *adaptivemm_module_entry(const amm_host *host);

/* Puts these modules into the library: `AMM_MODULES(&one, &another);`, once, outside any function.
 *
 * A core of another major version gets the set, too: it can read the first 16 bytes, and refuse the library
 * with both versions in its message. */
#define AMM_MODULES(...)                                                                                  \
    static const amm_declaration *const amm_declarations_[] = { __VA_ARGS__ };                            \
    static const amm_module_set amm_set_ = {                                                              \
        sizeof(amm_module_set),                                                                           \
        AMM_MAGIC,                                                                                        \
        AMM_ABI_MAJOR,                                                                                    \
        AMM_ABI_MINOR,                                                                                    \
        sizeof(amm_declarations_) / sizeof(amm_declarations_[0]),                                         \
        amm_declarations_,                                                                                \
        AMM_S(AMM_BUILT_WITH),                                                                            \
    };                                                                                                    \
    const amm_module_set *adaptivemm_module_entry(const amm_host *host)                                   \
    {                                                                                                     \
        if (host == NULL || !AMM_HAS(host, amm_host, minor) || host->magic != AMM_MAGIC) {                \
            return NULL;                                                                                  \
        }                                                                                                 \
        return &amm_set_;                                                                                 \
    }                                                                                                     \
    typedef amm_entry amm_end_of_modules_

/* ---- Reading --------------------------------------------------------------------------------------- */

/* A terminated string as an amm_str. */
static inline amm_str amm_string(const char *text)
{
    amm_str counted = AMM_NO_STR;
    if (text != NULL) {
        counted.ptr = text;
        counted.len = strlen(text);
    }
    return counted;
}

/* Whether a string is this terminated one. */
static inline int amm_equals(amm_str counted, const char *text)
{
    size_t len = strlen(text);
    return counted.len == len && (len == 0 || memcmp(counted.ptr, text, len) == 0);
}

/* Finds a counter in an array of amm_counter: 1, and `*value` is set; or 0 if this kernel does not have
 * it, and `*value` is left as it is. */
static inline int amm_find_counter(amm_seq counters, const char *key, uint64_t *value)
{
    for (uint32_t i = 0; i < counters.len; i++) {
        const amm_counter *counter = AMM_AT(amm_counter, counters, i);
        if (amm_equals(counter->key, key)) {
            *value = counter->value;
            return 1;
        }
    }
    return 0;
}

/* Finds a tunable that is in `writes` and has a value. NULL if not: amm_unavailable says why. */
static inline const amm_tunable *amm_find_tunable(const amm_snapshot *snapshot, const char *name)
{
    for (uint32_t i = 0; i < snapshot->tunables.len; i++) {
        const amm_tunable *tunable = AMM_AT(amm_tunable, snapshot->tunables, i);
        if (tunable->errno_ == 0 && amm_equals(tunable->name, name)) {
            return tunable;
        }
    }
    return NULL;
}

/* Whether somebody else set a tunable while the daemon ran: then leave it alone. */
static inline int amm_is_yielded(const amm_tunable *tunable)
{
    return (tunable->flags & AMM_TUNABLE_YIELDED) != 0;
}

/* Finds a file that is in `needs` and could be read. NULL if not: amm_unavailable says why. */
static inline const amm_file *amm_find_file(const amm_snapshot *snapshot, const char *path)
{
    for (uint32_t i = 0; i < snapshot->files.len; i++) {
        const amm_file *file = AMM_AT(amm_file, snapshot->files, i);
        if (file->errno_ == 0 && amm_equals(file->path, path)) {
            return file;
        }
    }
    return NULL;
}

/* Why something is not in the snapshot, by the name that it has in `needs` or `writes`: 0 if it is there; the
 * errno of the attempt to read it, which is ENOENT if there is no such thing on this machine; or -1 if the module
 * names it neither in `needs` nor in `writes`, which is a mistake of its author. */
static inline int32_t amm_unavailable(const amm_snapshot *snapshot, const char *name)
{
    for (uint32_t i = 0; i < snapshot->files.len; i++) {
        const amm_file *file = AMM_AT(amm_file, snapshot->files, i);
        if (amm_equals(file->path, name)) {
            return file->errno_;
        }
    }
    for (uint32_t i = 0; i < snapshot->tunables.len; i++) {
        const amm_tunable *tunable = AMM_AT(amm_tunable, snapshot->tunables, i);
        if (amm_equals(tunable->name, name)) {
            return tunable->errno_;
        }
    }
    return -1;
}

/* Finds a node by its number. NULL if there is none. */
static inline const amm_node *amm_find_node(const amm_snapshot *snapshot, uint32_t id)
{
    for (uint32_t i = 0; i < snapshot->nodes.len; i++) {
        const amm_node *node = AMM_AT(amm_node, snapshot->nodes, i);
        if (node->id == id) {
            return node;
        }
    }
    return NULL;
}

/* Finds a zone by the number of its node and its name. NULL if there is none. */
static inline const amm_zone *amm_find_zone(const amm_snapshot *snapshot, uint32_t node, const char *name)
{
    for (uint32_t i = 0; i < snapshot->zones.len; i++) {
        const amm_zone *zone = AMM_AT(amm_zone, snapshot->zones, i);
        if (zone->node == node && amm_equals(zone->name, name)) {
            return zone;
        }
    }
    return NULL;
}

/* The value of an option: as it is set, or else its default. */
static inline amm_value amm_value_of(const amm_config *config, const amm_option_declaration *option)
{
    for (uint32_t i = 0; i < config->settings.len; i++) {
        const amm_setting *setting = AMM_AT(amm_setting, config->settings, i);
        if (setting->kind == option->kind && setting->name.len == option->name.len
            && memcmp(setting->name.ptr, option->name.ptr, option->name.len) == 0) {
            return setting->value;
        }
    }
    return option->default_;
}

/* The value of an option of kind AMM_BOOLEAN: 0 or 1. */
static inline int amm_boolean(const amm_config *config, const amm_option_declaration *option)
{
    return amm_value_of(config, option).integer != 0;
}

/* The value of an option of kind AMM_INTEGER. */
static inline int64_t amm_integer(const amm_config *config, const amm_option_declaration *option)
{
    return amm_value_of(config, option).integer;
}

/* The value of an option of kind AMM_FLOAT. */
static inline double amm_float(const amm_config *config, const amm_option_declaration *option)
{
    return amm_value_of(config, option).float_;
}

/* The value of an option of kind AMM_TEXT; lent for the call. */
static inline amm_str amm_text(const amm_config *config, const amm_option_declaration *option)
{
    return amm_value_of(config, option).text;
}

/* What an instance before this one kept; absent if none did. Lent for the call. */
static inline amm_str amm_state(const amm_config *config)
{
    amm_str none = AMM_NO_STR;
    return AMM_HAS(config, amm_config, state) ? config->state : none;
}

/* ---- Speaking -------------------------------------------------------------------------------------- */

/* Says what was seen, with details or a verbosity of your own. */
static inline int32_t amm_say(const amm_sink *sink, const amm_finding *finding)
{
    if (!AMM_HAS(sink, amm_sink, finding) || sink->finding == NULL) {
        return AMM_UNSUPPORTED;
    }
    return sink->finding(sink->context, finding);
}

/* Says what was seen. `numbers` are `count` numbers behind it; NULL and 0 if there are none. A debug finding
 * is logged from verbosity 3, all others always. */
static inline int32_t amm_say_finding(const amm_sink *sink, uint32_t severity, const char *code,
                                      const char *text, const amm_number *numbers, uint32_t count)
{
    amm_finding finding;
    memset(&finding, 0, sizeof finding);
    finding.struct_size = sizeof finding;
    finding.severity = severity;
    finding.verbosity = severity == AMM_SEVERITY_DEBUG ? 3 : 0;
    finding.code = amm_string(code);
    finding.text = amm_string(text);
    finding.numbers.ptr = numbers;
    finding.numbers.len = count;
    finding.numbers.stride = sizeof *numbers;
    return amm_say(sink, &finding);
}

/* Asks for a change, with numbers, or of a kind that has no function of its own. */
static inline int32_t amm_ask(const amm_sink *sink, const amm_request *request)
{
    if (!AMM_HAS(sink, amm_sink, request) || sink->request == NULL) {
        return AMM_UNSUPPORTED;
    }
    return sink->request(sink->context, request);
}

/* Asks for a tunable to be set. `details` are further lines on why; NULL if there are none. */
static inline int32_t amm_ask_to_set(const amm_sink *sink, const char *tunable, int64_t value,
                                     const char *reason, const char *details)
{
    amm_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.kind = AMM_SET_TUNABLE;
    request.tunable = amm_string(tunable);
    request.value = value;
    request.reason = amm_string(reason);
    request.details = amm_string(details);
    return amm_ask(sink, &request);
}

/* Asks for the memory of a node to be compacted. `details` are further lines on why; NULL if there are none. */
static inline int32_t amm_ask_to_compact(const amm_sink *sink, uint32_t node, const char *reason,
                                         const char *details)
{
    amm_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.kind = AMM_COMPACT_NODE;
    request.node = node;
    request.reason = amm_string(reason);
    request.details = amm_string(details);
    return amm_ask(sink, &request);
}

/* Publishes a number until the next scan. */
static inline int32_t amm_say_metric(const amm_sink *sink, const char *name, double value)
{
    if (!AMM_HAS(sink, amm_sink, metric) || sink->metric == NULL) {
        return AMM_UNSUPPORTED;
    }
    return sink->metric(sink->context, amm_string(name), value);
}

/* Says in one line how things stand now. */
static inline int32_t amm_say_status(const amm_sink *sink, const char *line)
{
    if (!AMM_HAS(sink, amm_sink, status) || sink->status == NULL) {
        return AMM_UNSUPPORTED;
    }
    return sink->status(sink->context, amm_string(line));
}

/* Keeps bytes for the next instance. */
static inline int32_t amm_keep(const amm_sink *sink, const void *bytes, size_t len)
{
    amm_str state;
    if (!AMM_HAS(sink, amm_sink, keep) || sink->keep == NULL) {
        return AMM_UNSUPPORTED;
    }
    state.ptr = (const char *)bytes;
    state.len = len;
    return sink->keep(sink->context, state);
}

/* Says what is wrong. `key` is the name of an option in `create`, else NULL. */
static inline int32_t amm_say_problem(const amm_sink *sink, const char *key, const char *text)
{
    amm_problem problem;
    memset(&problem, 0, sizeof problem);
    problem.struct_size = sizeof problem;
    problem.key = amm_string(key);
    problem.text = amm_string(text);
    if (!AMM_HAS(sink, amm_sink, problem) || sink->problem == NULL) {
        return AMM_UNSUPPORTED;
    }
    return sink->problem(sink->context, &problem);
}

#ifdef __cplusplus
}
#endif

#endif
