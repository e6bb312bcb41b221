/* What virt.c (states) and virt_job.c (jobs and events) share. */
#ifndef AGENT_VIRT_PRIVATE_H
#define AGENT_VIRT_PRIVATE_H 1

#include "agent/virt.h"

#define VIRT_LATE_MAX 4 /* threads that hang in libvirt, closing included; more would not help */

enum virt_state { VIRT_AWAY, VIRT_OPENING, VIRT_LISTING, VIRT_UP };

/* One connection, as its callbacks know it: they may come after we have left it. */
struct virt_link {
    struct virt *virt; /* NULL: left */
    virConnectPtr conn;
    int callbacks[8]; /* ids of registered events, which hold the connection; -1: none */
};

struct virt_ids {
    struct uuid *ids;
    size_t n, cap;
};

struct virt {
    struct event_base *base;
    struct worker *worker;
    const char *uri;
    const struct virt_ops *ops;
    void *aux;
    enum virt_state state;
    struct virt_link *link; /* NULL: not open */
    bool is_busy;           /* a job uses the connection */
    bool wants_all, wants_counters;
    struct virt_ids wanted, listed; /* to be read: since something happened to them, or since all are */
    bool is_listed_next;            /* both take turns */
    int64_t wait_ms;
    struct event *work, *again, *relist, *count;
};

int64_t virt_now_ms(void);

void virt_ids_push(struct virt_ids *, struct uuid);
/* Up to 'max' of the first; how many. */
size_t virt_ids_take(struct virt_ids *, struct uuid *, size_t max);

enum virt_job_kind { VIRT_JOB_OPEN, VIRT_JOB_LIST, VIRT_JOB_READ_WANTED, VIRT_JOB_READ_LISTED, VIRT_JOB_COUNT };
void virt_job_submit(struct virt *, enum virt_job_kind);

/* The connection is closed in a thread of its own, since that may hang as well. */
void virt_link_leave(struct virt *);

/* Told by jobs. */
void virt_lose(struct virt *, const char *why);
void virt_opened(struct virt *, struct virt_link *);
void virt_listed(struct virt *, const struct uuid *, size_t n);
void virt_whole(struct virt *);

#endif
