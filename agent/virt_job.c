/* Calls into libvirt as jobs of the worker, and libvirt's events as they come back to the loop. */
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/virt_private.h"
#include "base/alloc.h"
#include "base/map.h"

#define LOG_MODULE "libvirt"
#include "base/log.h"

#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3
#define READ_MAX 32      /* domains of one job */
#define READ_FOR_MS 1000 /* after which it begins with none any more: the rest is another job's */
#define DOMAIN_MS 70000  /* for one domain: libvirt itself gives up after 30 s where another call holds it, and two calls may find it so */
#define CLOSE_MS 10000   /* a close that takes longer counts as a thread that hangs */

static const unsigned deadlines_ms[] = {
    [VIRT_JOB_OPEN] = 30000,
    [VIRT_JOB_LIST] = 30000,
    [VIRT_JOB_READ_WANTED] = READ_FOR_MS + DOMAIN_MS,
    [VIRT_JOB_READ_LISTED] = READ_FOR_MS + DOMAIN_MS,
    [VIRT_JOB_COUNT] = 20000,
};

struct virt_job {
    struct worker_job job;
    enum virt_job_kind kind;
    struct virt *virt;      /* not touched by run() */
    struct virt_link *link; /* OPEN: made by it */
    char *uri;
    struct uuid wanted[READ_MAX];
    size_t n_wanted;
    struct uuid *ids; /* LIST: all there are */
    size_t n_ids;
    int64_t begun_ms;

    bool ok;
    struct error err;
    struct virt_domain *list;
    size_t n;
};

/* ---- events ---- */

static void
tell_event(virDomainPtr domain, struct virt_link *link, const char *words)
{
    struct uuid id;
    if (!link->virt || virDomainGetUUID(domain, id.b) < 0)
        return;
    const char *name = virDomainGetName(domain);
    link->virt->ops->event(link->virt->aux, id, name ? name : "", words);
    virt_look_at(link->virt, id);
}

static int
on_lifecycle(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *aux)
{
    char words[64];
    tell_event(domain, aux, virt_event_words(event, detail, words));
    return 0;
}

static void
on_reboot(virConnectPtr conn, virDomainPtr domain, void *aux)
{
    tell_event(domain, aux, "rebooted");
}

static void
on_device(virDomainPtr domain, void *aux, const char *what, const char *alias)
{
    char words[64];
    snprintf(words, sizeof words, "%s %.40s", what, alias);
    tell_event(domain, aux, words);
}

static void
on_device_added(virConnectPtr conn, virDomainPtr domain, const char *alias, void *aux)
{
    on_device(domain, aux, "device-added", alias);
}

static void
on_device_removed(virConnectPtr conn, virDomainPtr domain, const char *alias, void *aux)
{
    on_device(domain, aux, "device-removed", alias);
}

static void
on_iteration(virConnectPtr conn, virDomainPtr domain, int iteration, void *aux)
{
    char words[64];
    snprintf(words, sizeof words, "migrating %d", iteration);
    tell_event(domain, aux, words);
}

static void
on_job_completed(virConnectPtr conn, virDomainPtr domain, virTypedParameterPtr params, int n, void *aux)
{
    tell_event(domain, aux, "job-completed");
}

static void
on_metadata(virConnectPtr conn, virDomainPtr domain, int type, const char *uri, void *aux)
{
    tell_event(domain, aux, "metadata-changed");
}

static const struct {
    int id;
    virConnectDomainEventGenericCallback callback;
} events[] = {
    { VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
    { VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device_added) },
    { VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device_removed) },
    { VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION, VIR_DOMAIN_EVENT_CALLBACK(on_iteration) },
    { VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_job_completed) },
    { VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata) },
};

#define N_EVENTS (sizeof events / sizeof *events)

static void
on_closed(virConnectPtr conn, int reason, void *aux)
{
    struct virt_link *link = aux;
    if (link->virt)
        virt_lose(link->virt,
                  reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE ? "libvirtd does not answer any more" : "libvirtd closed the connection");
}

/* ---- in the worker's thread ---- */

static bool
call_failed(const char *what, struct error *err)
{
    const virError *e = virGetLastError();
    return error_set(err, ERROR_UNAVAILABLE, "%s: %s", what, e && e->message ? e->message : "unknown error");
}

/* Drivers other than QEMU's have fewer events; lifecycle is what we cannot do without. */
static bool
register_events(struct virt_link *link, struct error *err)
{
    for (size_t i = 0; i < N_EVENTS; i++) {
        link->callbacks[i] = virConnectDomainEventRegisterAny(link->conn, NULL, events[i].id, events[i].callback, link, NULL);
        if (link->callbacks[i] < 0 && !i)
            return call_failed("events cannot be had", err);
    }
    if (virConnectRegisterCloseCallback(link->conn, on_closed, link, NULL) < 0)
        return call_failed("the end of the connection cannot be watched", err);
    virConnectSetKeepAlive(link->conn, KEEPALIVE_S, KEEPALIVE_COUNT);
    return true;
}

static bool
run_open(struct virt_job *j)
{
    j->link->conn = virConnectOpen(j->uri);
    return j->link->conn ? register_events(j->link, &j->err) : call_failed("cannot connect", &j->err);
}

static bool
run_read(struct virt_job *j)
{
    j->list = mem_zalloc((j->n_wanted + 1) * sizeof *j->list);
    for (; j->n < j->n_wanted && (!j->n || virt_now_ms() < j->begun_ms + READ_FOR_MS); j->n++)
        if (!virt_read_one(j->link->conn, j->wanted[j->n], &j->list[j->n], &j->err))
            return false;
    return true;
}

static void
job_run(struct worker_job *job)
{
    struct virt_job *j = CONTAINER_OF(job, struct virt_job, job);
    switch (j->kind) {
    case VIRT_JOB_OPEN: j->ok = run_open(j); break;
    case VIRT_JOB_LIST: j->ok = virt_list(j->link->conn, &j->ids, &j->n_ids, &j->err); break;
    case VIRT_JOB_READ_WANTED:
    case VIRT_JOB_READ_LISTED: j->ok = run_read(j); break;
    case VIRT_JOB_COUNT: j->ok = virt_read_counters(j->link->conn, &j->list, &j->n, &j->err); break;
    }
}

/* ---- closing ---- */

static void
close_run(struct worker_job *job)
{
    const struct virt_job *j = CONTAINER_OF(job, struct virt_job, job);
    if (!j->link->conn)
        return;
    for (size_t i = 0; i < N_EVENTS; i++)
        if (j->link->callbacks[i] >= 0)
            virConnectDomainEventDeregisterAny(j->link->conn, j->link->callbacks[i]);
    virConnectUnregisterCloseCallback(j->link->conn, on_closed);
    virConnectClose(j->link->conn);
}

/* Events that libvirt still holds for the link were told while the loop went round meanwhile. */
static void
close_done(struct worker_job *job, bool in_time)
{
    struct virt_job *j = CONTAINER_OF(job, struct virt_job, job);
    free(j->link);
    free(j);
}

static void
link_close(struct worker *worker, struct virt_link *link)
{
    struct virt_job *j = mem_zalloc(sizeof *j);
    j->job = (struct worker_job){ .run = close_run, .done = close_done, .deadline_ms = CLOSE_MS };
    j->link = link;
    link->virt = NULL;
    worker_submit_apart(worker, &j->job);
}

/* While a job uses the connection, the job's end closes it. */
void
virt_link_leave(struct virt *v)
{
    struct virt_link *link = v->link;
    v->link = NULL;
    if (link)
        link->virt = NULL;
    if (link && !v->is_busy)
        link_close(v->worker, link);
    v->is_busy = false;
}

/* ---- on the loop again ---- */

static void
job_free(struct virt_job *j)
{
    for (size_t i = 0; i < j->n; i++)
        virt_domain_done(&j->list[i]);
    free(j->list);
    free(j->ids);
    free(j->uri);
    free(j);
}

/* What it has not come to is left to the next. */
static void
take_read(struct virt *v, struct virt_job *j)
{
    struct virt_ids *from = j->kind == VIRT_JOB_READ_LISTED ? &v->listed : &v->wanted;
    for (size_t i = j->n; i < j->n_wanted; i++)
        virt_ids_push(from, j->wanted[i]);
    v->is_listed_next = from != &v->listed;
    for (size_t i = 0; i < j->n; i++)
        v->ops->read(v->aux, &j->list[i]);
}

/* There may be nothing to be read. */
static void
look_whether_whole(struct virt *v)
{
    if (v->listed.n)
        return;
    virt_whole(v);
    v->ops->whole(v->aux);
}

static void
take_result(struct virt *v, struct virt_job *j)
{
    switch (j->kind) {
    case VIRT_JOB_OPEN: virt_opened(v, j->link); break;
    case VIRT_JOB_LIST:
        virt_listed(v, j->ids, j->n_ids);
        v->ops->listed(v->aux, j->ids, j->n_ids, j->begun_ms);
        look_whether_whole(v);
        break;
    case VIRT_JOB_READ_WANTED: take_read(v, j); break;
    case VIRT_JOB_READ_LISTED:
        take_read(v, j);
        look_whether_whole(v);
        break;
    case VIRT_JOB_COUNT: v->ops->counted(v->aux, j->list, j->n); break;
    }
    j->n = 0;
}

static void
job_done(struct worker_job *job, bool in_time)
{
    struct virt_job *j = CONTAINER_OF(job, struct virt_job, job);
    struct virt *v = j->virt;
    bool is_left = !j->link->virt || v->state == VIRT_AWAY;
    if (!in_time) { /* the job, and its link, are discard()'s */
        if (!is_left)
            virt_lose(v, "a call into libvirt has not returned in time");
        j->link->virt = NULL;
        return;
    }
    if (is_left) {
        link_close(v->worker, j->link);
    } else {
        v->is_busy = false;
        if (j->ok) {
            take_result(v, j);
        } else {
            if (j->kind == VIRT_JOB_OPEN)
                link_close(v->worker, j->link);
            virt_lose(v, j->err.text);
        }
        event_active(v->work, 0, 0);
    }
    job_free(j);
}

static void
job_discard(struct worker_job *job)
{
    struct virt_job *j = CONTAINER_OF(job, struct virt_job, job);
    link_close(j->virt->worker, j->link);
    job_free(j);
}

void
virt_job_submit(struct virt *v, enum virt_job_kind kind)
{
    struct virt_job *j = mem_zalloc(sizeof *j);
    j->job = (struct worker_job){ .run = job_run, .done = job_done, .discard = job_discard, .deadline_ms = deadlines_ms[kind] };
    j->kind = kind;
    j->virt = v;
    j->link = v->link;
    j->begun_ms = virt_now_ms();
    v->is_busy = true;
    if (kind == VIRT_JOB_OPEN) {
        j->link = mem_zalloc(sizeof *j->link);
        j->link->virt = v;
        memset(j->link->callbacks, -1, sizeof j->link->callbacks);
        j->uri = mem_strdup(v->uri);
    } else if (kind == VIRT_JOB_LIST) {
        v->wants_all = false;
    } else if (kind == VIRT_JOB_READ_WANTED) {
        j->n_wanted = virt_ids_take(&v->wanted, j->wanted, READ_MAX);
    } else if (kind == VIRT_JOB_READ_LISTED) {
        j->n_wanted = virt_ids_take(&v->listed, j->wanted, READ_MAX);
    } else {
        v->wants_counters = false;
    }
    worker_submit(v->worker, &j->job);
}
