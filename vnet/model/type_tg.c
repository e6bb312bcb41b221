/* A target group: ports of VMs that serve the same, and how it is known that they do. */
#include "vnet/model/transaction_state.h"

#define MS(SECONDS) ((uint32_t) ((SECONDS) *1000))

static const char *const checks[] = {
    [TG_CHECK_UNSET] = NULL,
    [TG_CHECK_TCP] = "tcp",
    [TG_CHECK_ICMP] = "icmp",
    [TG_CHECK_NONE] = "none",
};

static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct tg, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC its targets are in" },
    { .name = "proto", .kind = FIELD_PROTO, .flags = FIELD_REQUIRED, .offset = offsetof(struct tg, proto), .help = "tcp or udp" },
    { .name = "port",
      .kind = FIELD_PORT,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct tg, port),
      .help = "where targets listen that do not say otherwise" },
    { .name = "check",
      .kind = FIELD_ENUM,
      .flags = FIELD_MUTABLE | FIELD_ALWAYS,
      .offset = offsetof(struct tg, check),
      .words = checks,
      .max = TG_CHECK_NONE,
      .help = "how health is found out: tcp (a handshake), icmp (an echo), none; udp: icmp unless given, else tcp" },
    { .name = "check_port",
      .kind = FIELD_PORT,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct tg, check_port),
      .help = "where check=tcp connects to; the target's own port unless given" },
    { .name = "interval",
      .kind = FIELD_SECONDS,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct tg, interval_ms),
      .min = MS(0.1),
      .max = MS(300),
      .default_text = "10",
      .help = "seconds from check to check" },
    { .name = "timeout",
      .kind = FIELD_SECONDS,
      .flags = FIELD_MUTABLE | FIELD_ALWAYS,
      .offset = offsetof(struct tg, timeout_ms),
      .min = MS(0.05),
      .max = MS(300),
      .help = "how long an answer may take; half of the interval unless given" },
    { .name = "rise",
      .kind = FIELD_UINT,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct tg, rise),
      .min = 1,
      .max = 10,
      .default_text = "2",
      .help = "successes in a row that make an unhealthy target healthy" },
    { .name = "fall",
      .kind = FIELD_UINT,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct tg, fall),
      .min = 1,
      .max = 10,
      .default_text = "3",
      .help = "failures in a row that make a target unhealthy" },
    { .name = "drain",
      .kind = FIELD_SECONDS,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct tg, drain_ms),
      .max = MS(3600),
      .default_text = "30",
      .help = "how long a removed target keeps its connections" },
};

static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct tg *tg = (struct tg *) (void *) o;
    if (tg->check == TG_CHECK_UNSET)
        tg->check = tg->proto == L4_UDP ? TG_CHECK_ICMP : TG_CHECK_TCP;
    if (!tg->timeout_ms)
        tg->timeout_ms = tg->interval_ms / 2;
    return true;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct tg *tg = (const struct tg *) (const void *) o;
    if (tg->timeout_ms <= tg->interval_ms)
        return true;
    return error_set(err, ERROR_INVALID, "timeout '%g' is longer than the interval of %g; write at most %g", tg->timeout_ms / 1000.0,
                     tg->interval_ms / 1000.0, tg->interval_ms / 1000.0);
}

const struct object_class tg_class = {
    .type = OBJECT_TG,
    .name = "tg",
    .size = sizeof(struct tg),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a target group: ports that serve the same, and how their health is checked",
};

const struct object_hooks tg_hooks = { .complete = complete, .check = check };
