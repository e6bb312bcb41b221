#include "controller/instance/report_order.h"

#include "base/uuid.h"
#include "controller/host/host.h"

bool
report_order_is_overtaken(struct hypervisor *h, const json_t *report)
{
    struct uuid run;
    const char *text = json_member_string(report, "run");
    int64_t number = json_member_int(report, "number", 0);
    if (!text || !uuid_parse(text, &run))
        return false;
    if (uuid_equal(run, h->agent_run) && number <= h->agent_report)
        return true;
    h->agent_run = run;
    h->agent_report = number;
    return false;
}
