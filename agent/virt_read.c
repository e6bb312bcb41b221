#include "agent/virt_read.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define N_ELEMENTS(A) (sizeof(A) / sizeof *(A))

static const char *const running_words[] = {
    "",       "booted",  "migrated", "restored", "from-snapshot", "unpaused", "migration-canceled", "save-canceled",
    "wakeup", "crashed", "postcopy"
};
static const char *const paused_words[] = { "",         "user",        "migration",     "save",           "dump",
                                            "io-error", "watchdog",    "from-snapshot", "shutting-down",  "snapshot",
                                            "crashed",  "starting-up", "postcopy",      "postcopy-failed" };
static const char *const off_words[] = { "", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from-snapshot", "daemon" };

static const char *
word_of(const char *const *words, size_t n, int i)
{
    return i >= 0 && (size_t) i < n ? words[i] : "";
}

/* As people see it; what is paused for a migration migrates. */
static void
state_words(int state, int reason, struct virt_domain *d)
{
    switch (state) {
    case VIR_DOMAIN_SHUTOFF:
        d->state = reason == VIR_DOMAIN_SHUTOFF_CRASHED || reason == VIR_DOMAIN_SHUTOFF_FAILED ? "crashed" : "off";
        d->reason = word_of(off_words, N_ELEMENTS(off_words), reason);
        break;
    case VIR_DOMAIN_CRASHED:
        d->state = "crashed";
        d->reason = "panicked";
        break;
    case VIR_DOMAIN_PAUSED:
        d->state = reason == VIR_DOMAIN_PAUSED_MIGRATION ? "migrating" : "paused";
        d->reason = word_of(paused_words, N_ELEMENTS(paused_words), reason);
        break;
    case VIR_DOMAIN_PMSUSPENDED:
        d->state = "paused";
        d->reason = "suspended-by-guest";
        break;
    default: d->state = "running"; d->reason = word_of(running_words, N_ELEMENTS(running_words), state == VIR_DOMAIN_RUNNING ? reason : 0);
    }
}

void
virt_domain_done(struct virt_domain *d)
{
    domain_doc_free(d->doc);
    json_decref(d->counters);
    free(d->unread);
    free(d->name);
}

static bool
virt_error(const char *what, struct error *err)
{
    const virError *e = virGetLastError();
    return error_set(err, ERROR_UNAVAILABLE, "libvirt: %s: %s", what, e && e->message ? e->message : "unknown error");
}

static bool
is_gone(void)
{
    const virError *e = virGetLastError();
    return e && e->code == VIR_ERR_NO_DOMAIN;
}

/* After a call for one domain has failed: what libvirt says against it is of that domain alone while the connection is alive. */
static bool
cannot_read(virConnectPtr conn, struct virt_domain *d, struct error *err)
{
    d->is_gone = is_gone();
    if (d->is_gone)
        return true;
    virt_error("a domain cannot be read", err);
    if (virConnectIsAlive(conn) != 1)
        return false;
    d->unread = mem_strdup(err->text);
    return true;
}

/* libvirt tells of a migration's job only at its source; at its destination it says so when asked. */
static enum virt_move
read_move(virDomainPtr domain, int state, int reason)
{
    virTypedParameterPtr params = NULL;
    int type = VIR_DOMAIN_JOB_NONE, n = 0, operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;
    bool is_paused = state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION;
    if (!is_paused && state != VIR_DOMAIN_RUNNING)
        return VIRT_STAYS;
    if (virDomainGetJobStats(domain, &type, &params, &n, 0) < 0) {
        const virError *e = virGetLastError();
        bool is_destination = e && (e->code == VIR_ERR_OPERATION_UNSUPPORTED || e->code == VIR_ERR_OPERATION_INVALID);
        return is_paused && is_destination ? VIRT_COMES : VIRT_STAYS;
    }
    virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION, &operation);
    virTypedParamsFree(params, n);
    return is_paused || (type != VIR_DOMAIN_JOB_NONE && operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT) ? VIRT_LEAVES : VIRT_STAYS;
}

static bool
read_domain(virConnectPtr conn, virDomainPtr domain, struct virt_domain *d, struct error *err)
{
    struct error unused;
    int state, reason;
    virDomainGetUUID(domain, d->id.b);
    const char *name = virDomainGetName(domain);
    d->name = name ? mem_strdup(name) : NULL;
    int persistent = virDomainIsPersistent(domain); /* each call forgets the error of the one before */
    char *xml = persistent >= 0 ? virDomainGetXMLDesc(domain, 0) : NULL;
    if (!xml || virDomainGetState(domain, &state, &reason, 0) < 0) {
        free(xml);
        return cannot_read(conn, d, err);
    }
    d->move = read_move(domain, state, reason);
    d->run = (int) virDomainGetID(domain);
    d->is_persistent = persistent == 1;
    d->is_active = state != VIR_DOMAIN_SHUTOFF && state != VIR_DOMAIN_CRASHED;
    state_words(state, reason, d);
    d->doc = domain_doc_parse(xml, strlen(xml), &unused);
    free(xml);
    return true;
}

bool
virt_read_one(virConnectPtr conn, struct uuid id, struct virt_domain *d, struct error *err)
{
    *d = (struct virt_domain){ .id = id };
    virDomainPtr domain = virDomainLookupByUUID(conn, id.b);
    if (!domain)
        return cannot_read(conn, d, err);
    bool ok = read_domain(conn, domain, d, err);
    virDomainFree(domain);
    if (!ok) {
        virt_domain_done(d);
        *d = (struct virt_domain){ .id = id };
    }
    return ok;
}

bool
virt_list(virConnectPtr conn, struct uuid **ids, size_t *n, struct error *err)
{
    virDomainPtr *domains;
    *ids = NULL;
    *n = 0;
    int count = virConnectListAllDomains(conn, &domains, 0);
    if (count < 0)
        return virt_error("domains cannot be listed", err);
    *ids = mem_zalloc(((size_t) count + 1) * sizeof **ids);
    for (int i = 0; i < count; i++) {
        virDomainGetUUID(domains[i], (*ids)[(*n)++].b);
        virDomainFree(domains[i]);
    }
    free(domains);
    return true;
}

/* ---- counters ---- */

/* libvirt, too, tells it as the guest sees it: what its tap has sent the guest has received. */
static json_t *
interface_counters(virTypedParameterPtr params, int n, unsigned i)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {
        { "rx.bytes", "rx_bytes" },
        { "rx.pkts", "rx_packets" },
        { "tx.bytes", "tx_bytes" },
        { "tx.pkts", "tx_packets" },
    };
    json_t *counters = json_object();
    for (size_t k = 0; k < N_ELEMENTS(names); k++) {
        unsigned long long value = 0;
        char key[64];
        snprintf(key, sizeof key, "net.%u.%s", i, names[k].theirs);
        if (virTypedParamsGetULLong(params, n, key, &value) == 1)
            json_object_set_new(counters, names[k].ours, json_integer((json_int_t) value));
    }
    return counters;
}

static void
put_counter(json_t *counters, const virDomainStatsRecord *record, const char *theirs, const char *ours, unsigned divisor)
{
    unsigned long long value;
    if (virTypedParamsGetULLong(record->params, record->nparams, theirs, &value) == 1)
        json_object_set_new(counters, ours, json_integer((json_int_t) (value / divisor)));
}

static json_t *
domain_counters(const virDomainStatsRecord *record)
{
    unsigned count = 0;
    json_t *all = json_object();
    put_counter(all, record, "cpu.time", "cpu_ms", 1000000);
    put_counter(all, record, "balloon.current", "memory_kib", 1);
    virTypedParamsGetUInt(record->params, record->nparams, "net.count", &count);
    for (unsigned i = 0; i < count && i < DOMAIN_INTERFACES_MAX; i++) {
        const char *name = NULL;
        char key[64];
        snprintf(key, sizeof key, "net.%u.name", i);
        if (virTypedParamsGetString(record->params, record->nparams, key, &name) == 1)
            json_object_set_new(all, name, interface_counters(record->params, record->nparams, i));
    }
    return all;
}

bool
virt_read_counters(virConnectPtr conn, struct virt_domain **list, size_t *n, struct error *err)
{
    virDomainStatsRecordPtr *records;
    *list = NULL;
    *n = 0;
    unsigned what = VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON;
    int count = virConnectGetAllDomainStats(conn, what, &records,
                                            VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    const virError *e = count < 0 ? virGetLastError() : NULL;
    if (e && e->code == VIR_ERR_NO_SUPPORT)
        return true; /* not every driver counts */
    if (count < 0)
        return virt_error("statistics cannot be read", err);
    *list = mem_zalloc(((size_t) count + 1) * sizeof **list);
    for (int i = 0; i < count; i++) {
        struct virt_domain *d = &(*list)[(*n)++];
        virDomainGetUUID(records[i]->dom, d->id.b);
        d->counters = domain_counters(records[i]);
    }
    virDomainStatsRecordListFree(records);
    return true;
}

/* ---- events ---- */

static const struct {
    const char *event;
    const char *details[10];
} event_words[] = {
    [VIR_DOMAIN_EVENT_DEFINED] = { "defined", { "", "updated", "renamed", "from-snapshot" } },
    [VIR_DOMAIN_EVENT_UNDEFINED] = { "undefined", { "", "renamed" } },
    [VIR_DOMAIN_EVENT_STARTED] = { "started", { "booted", "migrated", "restored", "from-snapshot", "wakeup" } },
    [VIR_DOMAIN_EVENT_SUSPENDED] = { "suspended",
                                     { "paused", "migrated", "io-error", "watchdog", "restored", "from-snapshot", "api-error", "postcopy",
                                       "postcopy-failed" } },
    [VIR_DOMAIN_EVENT_RESUMED] = { "resumed", { "unpaused", "migrated", "from-snapshot", "postcopy", "postcopy-failed" } },
    [VIR_DOMAIN_EVENT_STOPPED] = { "stopped", { "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from-snapshot" } },
    [VIR_DOMAIN_EVENT_SHUTDOWN] = { "shutdown", { "finished", "guest", "host" } },
    [VIR_DOMAIN_EVENT_PMSUSPENDED] = { "pmsuspended", { "memory", "disk" } },
    [VIR_DOMAIN_EVENT_CRASHED] = { "crashed", { "panicked", "crashloaded" } },
};

const char *
virt_event_words(int event, int detail, char buf[64])
{
    const char *word = "changed", *more = NULL;
    if (event >= 0 && (size_t) event < N_ELEMENTS(event_words) && event_words[event].event) {
        word = event_words[event].event;
        more = detail >= 0 && detail < 10 ? event_words[event].details[detail] : NULL;
    }
    snprintf(buf, 64, "%s%s%s", word, more && *more ? " " : "", more ? more : "");
    return buf;
}
