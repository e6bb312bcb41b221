/* What is wrong with a host, by cause, so that each part takes back what it has said, and nobody else's. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/host.h"

#define LOG_MODULE "host"
#include "base/log.h"

/* Who is refused tries again at least every 8 seconds (ovsdb-server(1)); who has not for so long has gone. */
#define CLAIM_FORGOTTEN_S 10
/* A switch tries at least every 8 seconds (ovs-vswitchd.conf.db(5), max_backoff). */
#define SWITCH_EXPECTED_S 12
#define TEXT_MAX 256

const char *
host_error(const struct hypervisor *h)
{
    for (int i = 0; i < N_HOST_ERRORS; i++)
        if (h->errors[i])
            return h->errors[i];
    return "";
}

static void
error_put(struct hypervisor *h, enum host_error which, const char *text)
{
    char *before = mem_strdup(host_error(h));
    free(h->errors[which]);
    h->errors[which] = text ? mem_strdup(text) : NULL;
    if (h->number && strcmp(before, host_error(h)))
        feed_object(hosts_controller(h->all)->feed, h->number);
    free(before);
}

static void
claim_forgotten(evutil_socket_t fd, short what, void *aux)
{
    host_clear_error(aux, HOST_ERROR_CLAIMED);
}

static void
remember_claim(struct hypervisor *h)
{
    struct timeval tv = { CLAIM_FORGOTTEN_S, 0 };
    if (!h->claimed)
        h->claimed = evtimer_new(hosts_controller(h->all)->base, claim_forgotten, h);
    evtimer_add(h->claimed, &tv);
}

void
host_set_error(struct hypervisor *h, enum host_error which, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (which == HOST_ERROR_CLAIMED)
        remember_claim(h);
    if (h->errors[which] && !strcmp(text, h->errors[which]))
        return;
    log_warn("host '%s': %s", h->name, text);
    error_put(h, which, text);
}

void
host_clear_error(struct hypervisor *h, enum host_error which)
{
    if (h->errors[which])
        error_put(h, which, NULL);
}

static void
switch_missed(evutil_socket_t fd, short what, void *aux)
{
    struct hypervisor *h = aux;
    host_set_error(h, HOST_ERROR_SWITCH,
                   "its database is here, but its switch does not connect: the log of ovs-vswitchd says whether bridge %s could be "
                   "made, and why it does not reach vnetd",
                   h->facts.bridge);
}

void
host_expect_switch(struct hypervisor *h)
{
    if (hosts_are_closing(h->all))
        return;
    bool is_missing = h->db && h->is_configured && !h->of;
    if (!is_missing) {
        host_clear_error(h, HOST_ERROR_SWITCH);
        if (h->missed)
            evtimer_del(h->missed);
        return;
    }
    if (!h->missed)
        h->missed = evtimer_new(hosts_controller(h->all)->base, switch_missed, h);
    if (!evtimer_pending(h->missed, NULL))
        event_add(h->missed, &(struct timeval){ SWITCH_EXPECTED_S, 0 });
}
