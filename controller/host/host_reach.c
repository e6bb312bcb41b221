#include "controller/host/host_reach.h"

#include "controller/controller.h"
#include "controller/host/host.h"

bool
switch_is_ready(const struct controller *c, uint32_t host, uint64_t seq)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return h && h->of && h->is_reconciling && h->made_seq && h->made_seq >= seq;
}

bool
host_is_ready(const struct controller *c, uint32_t host, uint64_t seq)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return h && host_is_connected(h) && switch_is_ready(c, host, seq);
}

uint64_t
host_ready_seq(const struct controller *c, uint32_t host)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return h ? h->wanted_seq : 0;
}

bool
send_frame(const struct controller *c, uint32_t host, uint32_t ofport, const struct bytes *frame)
{
    const struct hypervisor *h = host_by_number(c->hosts, host);
    return h && h->of && of_session_packet_out(h->of, ofport, frame->data, frame->n);
}

void
timer_at(struct event *timer, int64_t due_ms)
{
    if (due_ms == INT64_MAX) {
        event_del(timer);
        return;
    }
    int64_t left_ms = due_ms - controller_now_ms();
    left_ms = left_ms > 0 ? left_ms : 0;
    struct timeval tv = { (time_t) (left_ms / 1000), (suseconds_t) (left_ms % 1000 * 1000) };
    event_add(timer, &tv);
}
